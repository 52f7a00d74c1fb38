"""Features of one's own: computed, scored, refused."""

import functools
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from reidlib.data import walkers
from reidlib.experiments import Row, Run, sources
from reidlib.experiments.features import RetrievalFeatures, load_features, save_features
from reidlib.experiments.records import read_records
from reidlib.experiments.sources import open_for
from reidlib.models import create_model

STREET = {"data": "street", "data_options": {"num_ids": 10, "workers": 1}, "num_frames": 2}


@pytest.fixture
def features(tmp_path):
    """A file of features: query 1 finds its match second, behind a distractor; query 2 at once."""

    def angles(*degrees):
        return np.stack([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))], 1)

    path = tmp_path / "features.npz"
    np.savez(
        path,
        query_features=angles(0, 90),
        query_ids=[1, 2],
        query_cameras=[1, 1],
        gallery_features=angles(5, 10, 20, 30, 80),
        gallery_ids=[1, -1, 0, 1, 2],
        gallery_cameras=[1, 2, 2, 2, 2],
    )
    return path


def test_evaluate_scores_features(run, features):
    status, out, error = run("evaluate", features)
    assert (status, error) == (0, "")
    assert json.loads(out) == {
        "rank-1": 50.0, "rank-5": 100.0, "rank-10": 100.0, "rank-20": 100.0, "mAP": 75.0, "mINP": 75.0,
        "protocol": "cross-camera", "average precision": "step",
        "queries": 2, "valid": 2, "gallery": 5, "distractors": 1, "junk": 1,
    }  # fmt: skip
    options = ("--protocol", "all", "--average-precision", "trapezoid")
    found = json.loads(run("evaluate", features, *options)[1])
    # query 1 at ranks 1 and 3: ((1 + 1) + (1/2 + 2/3)) / 4; query 2 at rank 1
    assert found["mAP"] == round(100 * (19 / 24 + 1) / 2, 2) and found["rank-1"] == 100
    assert (found["protocol"], found["average precision"]) == ("all", "trapezoid")
    assert json.loads(run("evaluate", features, "--metric", "euclidean")[1])["mAP"] == 75


def test_evaluate_re_ranks(run, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {}
    for side, n in (("query", 9), ("gallery", 60)):
        arrays |= {f"{side}_{what}": rng.integers(1, 5, n) for what in ("ids", "cameras")}
        arrays[f"{side}_features"] = rng.normal(size=(n, 8))
    np.savez(tmp_path / "x.npz", **arrays)
    plain, reranked = (json.loads(run("evaluate", tmp_path / "x.npz", *o)[1]) for o in ((), ("--rerank",)))
    assert plain["valid"] == reranked["valid"] > 0 and plain["mAP"] != reranked["mAP"]


def test_evaluate_refuses_what_does_not_fit(refused, features, tmp_path):
    assert "nowhere.npz cannot be read as .npz" in refused("evaluate", tmp_path / "nowhere.npz")
    arrays = dict(np.load(features))
    np.savez(tmp_path / "one.npz", **arrays | {"gallery_cameras": [1] * 5})
    assert "none of 2 queries has a true match" in refused("evaluate", tmp_path / "one.npz")
    np.savez(tmp_path / "nan.npz", **arrays | {"gallery_features": arrays["gallery_features"] * np.nan})
    assert "not finite" in refused("evaluate", tmp_path / "nan.npz")
    np.savez(tmp_path / "wide.npz", **arrays | {"gallery_features": np.ones((5, 3))})
    assert "differ in feature shape" in refused("evaluate", tmp_path / "wide.npz")


def test_evaluate_reads_the_names_that_others_use(run, refused, features, tmp_path):
    arrays = dict(np.load(features))
    names = {"features": ("qf", "gf"), "ids": ("q_pids", "g_pids"), "cameras": ("q_camids", "g_camids")}
    other = {
        name: arrays[f"{side}_{what}"] for what, both in names.items() for side, name in zip(("query", "gallery"), both)
    }
    path = tmp_path / "other.npz"
    np.savez(path, **other)
    assert run("evaluate", path) == run("evaluate", features)
    np.savez(path, **{name: array for name, array in other.items() if name not in ("q_camids", "gf")})
    reason = refused("evaluate", path)
    assert "other.npz lacks q_camids, gf; expected qf, q_pids, q_camids, gf, g_pids, g_camids" in reason
    np.savez(path, **other | {"query_ids": other["q_pids"]})
    assert "other.npz mixes spellings" in refused("evaluate", path)
    np.savez(path, x=[1])
    assert "expected query_features, query_ids, query_cameras" in refused("evaluate", path)
    assert "gallery_cameras or qf, q_pids" in refused("evaluate", path)
    np.savez(path, **other | {"q_pids": np.array([1.0, 2.0])})
    assert "query_ids is float64 of shape (2,); expected integers (N,)" in refused("evaluate", path)
    np.savez(path, **other | {"g_camids": other["g_camids"][:, None]})
    assert "gallery_cameras is int64 of shape (5, 1); expected integers (N,)" in refused("evaluate", path)


def test_identities_and_cameras_of_any_size_are_kept(tmp_path):
    large = RetrievalFeatures(
        np.ones((2, 3), np.float32), np.array([2**40, -1]), np.array([1, 40_000]),
        np.ones((1, 3), np.float32), np.array([0]), np.array([2**20]),
    )  # fmt: skip
    for precision in (np.float16, np.float32):
        save_features(large, tmp_path / "x.npz", precision)
        found = load_features(tmp_path / "x.npz")
        for name, values in vars(large).items():
            assert (getattr(found, name) == values).all(), name
    larger = replace(large, gallery_features=np.full((1, 3), 1e5, np.float32))
    save_features(larger, tmp_path / "x.npz", np.float32)
    assert (load_features(tmp_path / "x.npz").gallery_features == 1e5).all()
    with pytest.raises(ValueError, match=r"x.npz: gallery_features are up to 100000, too large for float16"):
        save_features(larger, tmp_path / "x.npz")


@pytest.fixture
def kept(figures, baseline, run):
    """The folder of records with the networks of a row called "with / slashes", and of two that look at more."""
    settings = {"iterations": 3, "learning_rate": 1e-3, "ids_per_batch": 2}
    lab = {"num_ids": 4, "num_frames": 3, "workers": 1}
    gait = Run("gaitset", "lab", "baseline/gaitset", data_options=lab, num_frames=0, silhouettes=3, **settings)
    rows = [
        Row(
            "street", "with / slashes", Run("agw", training="baseline/agw", **STREET, **settings), 1, keep_network=True
        ),
        Row("street", "masked", Run("colour_histogram", masks=True, **STREET), 1, keep_network=True),
        Row("street", "not kept", Run("chance", **STREET), 1),
        Row("lab", "gait", gait, 1, keep_network=True),
    ]
    baseline(rows)
    status, _, error = run("reproduce", "baseline", "--figures", figures)
    assert status == 0, error
    return figures


@pytest.fixture
def exported(run, cache, tmp_path):
    """A street of ten people in the layout of MARS."""
    folder = tmp_path / "mars"
    assert run("export", folder, "--num-ids", 10)[0] == 0
    return folder


def test_a_kept_network_scores_as_its_record_says(run, kept, tmp_path):
    path = tmp_path / "new" / "x.npz"
    command = ("embed", "--figures", kept, "--network", "baseline/street/with / slashes", "--data", "street")
    status, out, _ = run(*command, "--out", path)
    assert status == 0 and out.startswith(f"wrote {path}: ") and "street, 128 numbers" in out
    advised = re.search("`python -m reidlib (.*)`", out)[1].split()
    found = json.loads(run(*advised)[1])
    [record] = [r for r in read_records("baseline", kept) if r.config["model"] == "agw"]
    for score in ("rank-1", "mAP", "mINP"):  # of weights in half precision
        assert found[score] == pytest.approx(100 * record.scores["usual"][score], abs=1.5)
    features = load_features(path)
    assert features.query_features.dtype == np.float32
    [file] = kept.glob(f"baseline/networks/{record.config_hash}*")
    assert run("embed", "--network", file, "--data", "street", "--out", tmp_path / "y.npz")[0] == 0
    assert (load_features(tmp_path / "y.npz").query_features == features.query_features).all()
    run(*command, "--seed", 1, "--out", tmp_path / "z.npz")
    assert load_features(tmp_path / "z.npz").query_features.shape != features.query_features.shape
    run(*command, "--part", "train", "--out", tmp_path / "z.npz")
    training = load_features(tmp_path / "z.npz")
    assert not {*training.query_ids} & {*features.query_ids}


def test_recorded_data_are_read_at_the_size_that_the_network_knows(run, kept, exported, tmp_path):
    rendered, read = tmp_path / "rendered.npz", tmp_path / "read.npz"
    command = ("embed", "--figures", kept, "--network", "baseline/street/with / slashes")
    assert run(*command, "--data", "street", "--out", rendered)[0] == 0
    assert run(*command, "--data", f"mars={exported}", "--out", read)[0] == 0
    one, other = load_features(rendered), load_features(read)
    assert sorted(one.query_ids) == sorted(other.query_ids) and sorted(one.gallery_ids) == sorted(other.gallery_ids)
    one, other = (json.loads(run("evaluate", path)[1]) for path in (rendered, read))
    assert one["gallery"] == other["gallery"]
    assert abs(one["mAP"] - other["mAP"]) < 10  # compressed as JPEG


@pytest.mark.filterwarnings("ignore:.*have no usable silhouette")
@pytest.mark.parametrize(
    ("scale", "frames", "aligned"), [("mini", (64, 32), (32, 22)), ("paper", (256, 128), (64, 44))]
)
def test_sizes_follow_the_scale(run, cache, exported, tmp_path, monkeypatch, scale, frames, aligned):
    def opened(model, name, **roots):
        network = create_model(model, scale=scale, num_ids=1)
        trained = Run(model, "x", scale=scale, silhouettes=4 * (model == "gaitset"))
        return open_for(network, trained, name, 0, roots, progress=False).query[0]

    assert opened("agw", "mars", mars=exported).frames([0]).shape[2:] == frames
    monkeypatch.setattr(walkers, "yard", functools.partial(walkers.yard, num_frames=3, workers=1))
    assert run("export", tmp_path / "hid", "--layout", "hid", "--num-ids", 4)[0] == 0
    assert opened("gaitset", "hid", hid=tmp_path / "hid").silhouettes([0]).shape[1:] == aligned
    street = functools.partial(walkers.street, num_ids=10, junk=True)
    monkeypatch.setitem(sources._WORLDS, "street", street)
    assert opened("gaitset", "street").silhouettes([0]).shape[1:] == aligned


def test_what_a_network_looks_at_must_be_there(run, refused, kept, exported, tmp_path):
    out = ("--out", tmp_path / "x.npz")
    command = ("embed", "--figures", kept, "--data", f"mars={exported}", *out, "--network")
    reason = refused(*command, "baseline/lab/gait")
    assert reason.endswith("gaitset looks at silhouettes: mars has neither them nor masks to make them of")
    assert refused(*command, "baseline/street/masked").endswith(
        "colour_histogram looks at masks, which mars does not have"
    )
    file = tmp_path / "flow.py"
    file.write_text(
        "from torch import nn\nfrom reidlib.models import Network, register\n\n@register('flowing')\n"
        "class Flowing(Network):\n    inputs = ('flow',)\n"
        "    def __init__(self, *, num_ids=0, scale='paper'):\n        super().__init__()\n"
    )
    reason = refused(*command, "flowing", "--with", file)
    assert "flowing looks at flow, which mars does not have" in reason


def test_networks_that_are_ready_need_no_record(run, exported, tmp_path):
    path = tmp_path / "x.npz"
    status, out, _ = run("embed", "--network", "gradient_histogram", "--data", f"mars={exported}", "--out", path)
    assert status == 0 and "of MARS" in out
    assert json.loads(run("evaluate", path)[1])["queries"] == len(load_features(path).query_ids)


def test_a_folder_of_pictures_is_embedded_and_evaluated(run, tmp_path):
    colours = {"Anna": (200, 40, 40), "Bert": (40, 40, 200)}
    for person, colour in colours.items():
        for camera in ("door", "yard"):
            folder = tmp_path / "pictures" / person / camera / "1"
            folder.mkdir(parents=True)
            for number in range(2):
                Image.new("RGB", (32, 64), colour).save(folder / f"{number}.jpg")
    path = tmp_path / "x.npz"
    data = f"folder={tmp_path / 'pictures'}"
    status, out, _ = run("embed", "--network", "efficientnet_lite0", "--data", data, "--out", path)
    assert status == 0 and "4 queries and 4 gallery tracklets" in out
    found = json.loads(run("evaluate", path)[1])
    assert (found["rank-1"], found["queries"]) == (100, 4)


def test_names_that_embed_does_not_know_are_refused(refused, kept, tmp_path):
    def said(network="baseline/street/with / slashes", data="street", out=tmp_path / "x.npz"):
        return refused("embed", "--figures", kept, "--network", network, "--data", data, "--out", out)

    assert "no network is called 'agv'; known: efficientnet_lite0" in said("agv")
    assert "no network is called 'agw'" in said("agw")  # of random weights
    assert "absent.safetensors: there is no such file" in said("a/b/absent.safetensors")
    (tmp_path / "notes.txt").write_text("not weights")
    assert "notes.txt is no network of this package" in said(tmp_path / "notes.txt")
    assert "no paper is called 'x'; known: baseline" in said("x/street/a")
    assert "baseline has no row 'x' in a table 'street'; networks are kept of street / with / slashes" in said(
        "baseline/street/x"
    )
    assert "table street, 'not kept' is not kept" in said("baseline/street/not kept")
    assert "no data are called 'x'; known: street" in said(data="x")
    assert "mars is recorded data: say where it lies with --data mars=DIR" in said(data="mars")
    assert "street is rendered, so it lies nowhere; give --data street" in said(data=f"street={tmp_path}")
    assert "there is no folder /no/such" in said(data="mars=/no/such")
    assert "expected a file that ends in .npz" in said(out=tmp_path / "x")
