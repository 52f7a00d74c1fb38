"""Data by name."""

import importlib
import json

import numpy as np
import pytest

import reidlib
from reidlib.data import export, walkers
from reidlib.data.attributes import MARS
from reidlib.experiments import rows_of, sources
from reidlib.experiments.papers import list_papers
from reidlib.experiments.sources import RENDERED, open_benchmark

SHARED = reidlib.shared_folder()
STREET = {"num_ids": 10, "workers": 1}


def keys(tracklets):
    return [(t.person_id, t.camera_id, t.tracklet_id) for t in tracklets]


def test_street_is_rendered_from_the_seed_with_junk(new_cache):
    new_cache()
    found = [open_benchmark("street", seed, {}, STREET, progress=False) for seed in (0, 1)]
    for seed, benchmark in enumerate(found):
        expected = walkers.street(seed, junk=True, progress=False, **STREET)
        assert benchmark.fingerprint == expected.fingerprint
        assert keys(benchmark.gallery) == keys(expected.gallery)
        assert min(t.person_id for t in benchmark.gallery) == -1
    assert found[0].fingerprint != found[1].fingerprint


def test_the_two_worlds_that_were_opened_last_are_not_drawn_again(new_cache, monkeypatch):
    new_cache()
    drawn = []

    def street(seed, **options):
        drawn.append((seed, options["num_ids"]))
        return walkers.street(seed, **options)

    monkeypatch.setitem(sources._WORLDS, "street", street)
    monkeypatch.setattr(sources, "_opened", {})
    for seed, people in ((0, 10), (0, 10), (0, 12), (0, 10), (1, 10), (0, 10), (0, 12)):
        found = open_benchmark("street", seed, {}, STREET | {"num_ids": people}, progress=False)
        assert found.fingerprint == walkers.street(seed, progress=False, **STREET | {"num_ids": people}).fingerprint
    assert drawn == [(0, 10), (0, 12), (1, 10), (0, 12)]
    open_benchmark("street_validation", 0, {}, STREET, progress=False)
    assert len(drawn) == 4  # it is made of the same world
    new_cache("another")
    open_benchmark("street", 0, {}, STREET, progress=False)
    assert len(drawn) == 5  # nothing is taken from another cache


def test_validation_is_made_of_training_identities_only(new_cache):
    new_cache()
    street = open_benchmark("street", 0, {}, STREET, progress=False)
    found = open_benchmark("street_validation", 0, {}, STREET, progress=False)
    train, test = ({t.person_id for t in part} for part in (found.train, found.query))
    assert (len(train), len(test)) == (3, 1)
    assert train | test == {t.person_id for t in street.train} and not train & test
    assert keys(found.query) == keys(found.gallery)
    assert found.fingerprint != street.fingerprint


def test_the_pretraining_shows_everybody_of_three_worlds_and_searches_a_fourth(new_cache):
    new_cache()
    found = [open_benchmark("pretraining", seed, {}, STREET, progress=False) for seed in (0, 1)]
    for seed, benchmark in enumerate(found):
        first = 7001 + 4 * seed
        *shown, searched = (walkers.stills(first + i, progress=False, **STREET) for i in range(4))
        people = [t for world in shown for t in world.everybody if t.person_id > 0]
        assert len(people) == len(benchmark.train)
        for i, tracklet in enumerate(benchmark.train):
            old = people[i]
            assert np.array_equal(tracklet.frames(), old.frames()) and tracklet.attributes == old.attributes
        assert {t.person_id for t in benchmark.train} == {*range(1, 31)} and benchmark.num_ids == 30
        assert [t.person_id - 30 for t in benchmark.query] == [t.person_id for t in searched.query]
        gallery = [t.person_id and t.person_id - 30 for t in benchmark.gallery]
        assert gallery == [t.person_id for t in searched.gallery] and 0 in gallery and min(gallery) == 0
        assert benchmark.name == "pretraining" and benchmark.renderer == searched.renderer
    assert found[0].fingerprint != found[1].fingerprint


def test_another_world_of_a_pair_has_the_same_splits_of_other_people(new_cache):
    new_cache()
    small = {"num_ids": 6, "workers": 1}
    found = [open_benchmark("pair", 3, {}, small | {"world": world}, progress=False) for world in (0, 1)]
    assert found[0].fingerprint == open_benchmark("pair", 3, {}, small, progress=False).fingerprint
    assert [t.person_id for t in found[0].query] == [t.person_id for t in found[1].query]
    assert found[0].fingerprint != found[1].fingerprint


def test_mars_is_read_from_its_folder_with_junk(new_cache, tmp_path):
    new_cache()
    street = open_benchmark("street", 0, {}, STREET, progress=False)
    export.mars(street, tmp_path / "mars", progress=False)
    options = {"resolution": (64, 32), "setup": "mixing"}
    benchmark = open_benchmark("mars", 0, {"mars": tmp_path / "mars"}, options)
    assert benchmark.name == "MARS mixing"
    assert sorted(keys(benchmark.gallery)) == sorted(keys(street.gallery) + keys(street.query))
    assert benchmark.query[0].frames([0]).shape == (1, 3, 64, 32)


@pytest.mark.skipif(SHARED is None, reason="needs the folder of real metadata (REIDLIB_SHARED)")
def test_mars_edges_are_split_by_the_seed_into_halves(monkeypatch):
    monkeypatch.setattr(sources, "preload", lambda tracklets, progress: tracklets)  # decoding all takes seconds
    roots = {"mars_edges": SHARED / "data" / "mars_edges"}
    found = [open_benchmark("mars_edges", seed, roots, progress=False) for seed in (0, 1)]
    everybody = {t.person_id for t in found[0].train + found[0].query}
    assert len(everybody) == 99
    for benchmark in found:
        train, test = ({t.person_id for t in part} for part in (benchmark.train, benchmark.query))
        assert train | test == everybody and not train & test
        assert abs(len(train) - len(test)) == 1
        assert len(benchmark.train) + len(benchmark.query) == 386
        assert keys(benchmark.query) == keys(benchmark.gallery)
        assert benchmark.protocol == "cross-camera"
    assert {t.person_id for t in found[0].train} != {t.person_id for t in found[1].train}
    assert found[0].fingerprint != found[1].fingerprint
    frames = found[0].train[0].frames()
    assert frames.shape[1:] == (3, 64, 32)
    assert np.ptp(frames.astype(int), axis=1).max() < 3  # grey
    edge, middle = frames[..., :2].std(), frames[..., 10:22].std()
    assert middle > edge  # the empty margins of the square pictures are cut off, the person is in the middle
    annotated = open_benchmark("mars_edges", 0, roots, {"annotated": True}, progress=False)
    assert keys(annotated.train) == keys(found[0].train) and not found[0].train[0].attributes
    names = {attribute.name for attribute in MARS.attributes}
    assert all(t.attributes.keys() == names for t in annotated.train + annotated.query)


class Accepted(Exception):
    """A world has taken its settings."""


@pytest.fixture
def undrawn(monkeypatch):
    """Worlds that are given their settings, raise `Accepted`, and are not drawn."""

    def given(world):
        def make(*arguments, **settings):
            world(*arguments, **settings)
            raise Accepted

        return make

    for name in ("street", "campus", "pair", "lab", "crowd", "yard", "stills"):
        module = importlib.import_module(f"reidlib.data.walkers.worlds.{name}")
        monkeypatch.setattr(module, name.capitalize(), given(getattr(module, name.capitalize())))
    monkeypatch.setattr(sources, "_opened", {})


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("scale", ["mini", "paper"])
def test_data_take_the_options_of_every_row(scale, tmp_path):
    asked = {}

    def ask(run):
        for name, options in ((run.data, run.data_options), (run.test_data, run.test_data_options)):
            asked[name, json.dumps(options, sort_keys=True)] = options
        for part in run.parts:
            ask(part.run)

    for paper in list_papers():
        for row in rows_of(paper, scale):
            ask(row.run)
    for (name, _), options in asked.items():
        if name:
            with pytest.raises(Accepted if name in RENDERED else FileNotFoundError):
                open_benchmark(name, 0, {name: tmp_path / "nowhere"}, options, progress=False)


@pytest.mark.usefixtures("undrawn")
def test_options_that_data_do_not_take_are_refused():
    for name, options in (("pair", {"seed": 1}), ("street", {"world": 1}), ("street_validation", {"fog": 1.0})):
        with pytest.raises(TypeError):
            open_benchmark(name, 0, {}, options, progress=False)


def test_errors_say_what_is_known_and_where_to_point():
    with pytest.raises(
        ValueError, match="no data are called 'duke'; known: street, .*campus.*street_validation.*mars, .*casia_b"
    ):
        open_benchmark("duke", 0, {})
    for name in ("mars", "mars_edges"):
        with pytest.raises(FileNotFoundError, match=f"say where it lies with --data {name}=DIR"):
            open_benchmark(name, 0, {})


def test_a_folder_without_the_data_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="tracks_train_info.mat"):
        open_benchmark("mars", 0, {"mars": tmp_path})
    with pytest.raises(FileNotFoundError, match="bbox_train"):
        open_benchmark("mars_edges", 0, {"mars_edges": tmp_path})
