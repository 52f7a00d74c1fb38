"""Search finds who comes back, compares nobody with who is there at the same time, and says what went wrong."""

import csv
import inspect
import re
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from reidlib import cli, search
from reidlib.data import ArrayFrames
from reidlib.data.footage import FootageTracklet, follow, write_video
from reidlib.data.walkers.plaza import plaza


def made(number: int, camera: int, first: int, last: int, person: int = -1, flags=()) -> FootageTracklet:
    numbers = np.arange(first, last + 1)
    pixels = np.full((2, 3, 16, 8), 20 * number, np.uint8)
    boxes = np.column_stack([numbers, numbers, numbers * 0 + 8, numbers * 0 + 16]).astype(float)
    return FootageTracklet(
        person,
        camera,
        ArrayFrames(pixels, np.ones((2, 16, 8), np.uint8)),
        number,
        video=f"camera{camera}.avi",
        fps=10.0,
        numbers=numbers,
        times=numbers / 10,
        boxes=boxes,
        kept=numbers[:2] - first,
        flags=flags,
    )


@pytest.fixture
def four():
    """1 and 2 are seen together, 3 later, 4 in another video at the time of 1."""
    return [made(1, 1, 0, 20), made(2, 1, 20, 40), made(3, 1, 41, 60, flags=("cut off",)), made(4, 2, 5, 15)]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    scene = plaza(seed=0)
    return scene, write_video(tmp_path_factory.mktemp("search") / "plaza.avi", scene.frames, scene.fps)


def test_who_is_seen_at_the_same_time_is_not_compared(four):
    features = np.eye(4, dtype=np.float32) + 0.1
    distances = search.compare(four, range(4), features)
    finite = np.isfinite(distances)
    assert finite.tolist() == [
        [False, False, True, True],
        [False, False, True, True],
        [True, True, False, True],
        [True, True, True, False],
    ]


def test_who_is_not_chosen_is_not_compared(four):
    finite = np.isfinite(search.compare(four, (0, 2, 3), np.eye(4, dtype=np.float32) + 0.1))
    assert not finite[1].any() and not finite[:, 1].any() and finite[0, 2]


def test_ranking_is_nearest_first():
    distances = np.array([[np.inf, 0.3, np.inf, 0.1]] + [[np.inf] * 4] * 3)
    assert search.Found((), distances, (0,)).ranking(0).tolist() == [3, 1]


def test_tables(four):
    table = search.track_table(four)
    assert len(table) == 21 + 21 + 20 + 11
    assert table.iloc[21].to_dict() == {
        "video": "camera1.avi", "tracklet": 2, "frame": 21, "seconds": 2.0,
        "left": 20.0, "top": 20.0, "width": 8.0, "height": 16.0, "flags": "",
    }  # fmt: skip
    features = np.array([[1, 0], [0, 1], [1, 0.1], [1, 0.5]], np.float32)
    found = search.Found(tuple(four), search.compare(four, range(4), features), (0, 1))
    ranked = search.ranking_table(found, top=1)
    assert ranked[["query tracklet", "rank", "tracklet"]].values.tolist() == [[1, 1, 3], [2, 1, 4]]


def test_sheet_and_overview_show_everybody(four):
    known = [replace(t, person_id=person) for t, person in zip(four, (1, 2, 1, 2))]
    found = search.Found(tuple(known), search.compare(known, range(4), np.eye(4, dtype=np.float32) + 0.1), (0, 2))
    figure = search.ranked_sheet(found, found.queries, top=3)
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    assert len(titles) == (1 + 2) + (1 + 3)
    assert "camera1.avi" in titles[0] and "0 to 2 s" in titles[0] and "cut off" in titles[3]
    edges = [axes.spines["left"].get_edgecolor() for axes in figure.axes if axes.images]
    assert edges[1] != edges[2]  # the same person, and another
    ways = search.overview(np.zeros((3, 90, 120), np.uint8), four).axes[0]
    assert len(ways.lines) == 4 and {text.get_text() for text in ways.texts} == {"1", "2", "3", "4"}
    frame = search.boxes_in(np.zeros((3, 90, 120), np.uint8), four, number=10).axes[0]
    assert {text.get_text() for text in frame.texts} == {"1", "4"}
    plt.close("all")


def test_whoever_comes_back_is_found_first(video):
    """Of ten passes of five people; the same as the notebook shows, with the default network."""
    scene, path = video
    found = search.search([path], progress=False)
    people = [scene.person_in(t.numbers, t.boxes) for t in found.tracklets]
    rankings = {query: [people[i] == people[query] for i in found.ranking(query)] for query in found.queries}
    valid = [hits for hits in rankings.values() if any(hits)]
    assert len(valid) >= 6
    assert np.mean([hits[0] for hits in valid]) >= 0.75


def test_flagged_tracklets_are_searched_only_if_asked_for(video, monkeypatch):
    _, path = video
    monkeypatch.setattr(
        search, "follow", lambda *_, **__: iter([made(1, 1, 0, 9, flags=("short",)), made(2, 1, 20, 40)])
    )
    assert search.search([path], "colour_histogram", progress=False).queries == (1,)
    assert search.search([path], "colour_histogram", flagged=True, progress=False).queries == (0, 1)


@pytest.mark.parametrize("form", ["number", "number of the video, too", "image", "image of many pixels"])
def test_one_query_gives_one_list(video, tmp_path, form):
    _, path = video
    everything = search.search([path], "colour_histogram", progress=False)
    asked = everything.queries[1]
    number = everything.tracklets[asked].tracklet_id
    query = {"number": str(number), "number of the video, too": f"1:{number}"}.get(form)
    if query is None:
        crop = everything.tracklets[asked].frames([10])[0].transpose(1, 2, 0)
        query = tmp_path / "somebody.png"
        Image.fromarray(crop).resize((64, 128) if form == "image" else (320, 640)).save(query)
    found = search.search([path], "gradient_histogram", query=query, progress=False)
    (only,) = found.queries
    ranking = search.ranking_table(found, top=20)
    assert len(ranking) == np.isfinite(found.distances[only]).sum()
    if found.image:
        assert len(found.tracklets) == len(everything.tracklets) + 1
        assert ranking["query video"].unique().tolist() == ["somebody.png"]
        assert ranking.iloc[0]["tracklet"] == number and len(ranking) == len(everything.queries)
    else:
        assert ranking["query tracklet"].unique().tolist() == [number]
        whole = search.search([path], "gradient_histogram", progress=False)
        all_lists = search.ranking_table(whole, top=20)
        theirs = all_lists[all_lists["query tracklet"] == number]
        assert ranking.values.tolist() == theirs.values.tolist()
    assert len(search.track_table(found.tracklets)) == len(search.track_table(everything.tracklets))


def test_a_flagged_tracklet_is_searched_for_if_it_is_the_query(video, monkeypatch):
    flagged = [made(1, 1, 0, 9, flags=("short",)), made(2, 1, 20, 40), made(3, 1, 50, 60, flags=("standing",))]
    monkeypatch.setattr(search, "follow", lambda *_, **__: iter(flagged))
    found = search.search([video[1]], "colour_histogram", query="3", progress=False)
    assert found.queries == (2,) and found.ranking(2).tolist() == [1]


def test_tracks_of_several_videos_are_taken_in_order(tmp_path, video):
    scene, path = video
    files = []
    for number, kept in enumerate(([1, 2, 3], [4, 5]), start=1):
        true = scene.boxes(150)
        true = true[np.isin(true[:, 1], kept)] + [1, 0, 0, 0, 0, 0]
        files.append(tmp_path / f"{number}.txt")
        np.savetxt(files[-1], true, delimiter=",", fmt="%g")
    tracklets = search.everybody([path, path], tracks=files, progress=False)
    assert sorted((t.camera_id, t.tracklet_id) for t in tracklets) == [(1, 1), (1, 2), (1, 3), (2, 4), (2, 5)]


@pytest.mark.parametrize("name", ["colour_histogram", "gradient_histogram", "efficientnet_lite0"])
def test_every_network_that_needs_no_download_describes(name, four):
    for masks in (False, True):
        features = search.describe(four, search.retrieval_network(name), masks, progress=False)
        assert len(features) == 4 and np.isfinite(features).all()


def test_the_command_writes_what_it_says(video, tmp_path, capsys):
    _, path = video
    out = tmp_path / "found"
    assert cli.main(["search", str(path), "--out", str(out), "--network", "colour_histogram", "--top", "3"]) == 0
    printed = capsys.readouterr().out.splitlines()
    written = {line.removeprefix("wrote ") for line in printed if line.startswith("wrote ")}
    assert {str(p) for p in out.iterdir()} == written
    assert {"tracks.csv", "ranking.csv", "overview-1.png", "ranked-1.png"} <= {p.name for p in out.iterdir()}
    tracklets = list(follow(path, progress=False))
    rows = list(csv.DictReader((out / "tracks.csv").open()))
    assert len(rows) == sum(len(t.boxes) for t in tracklets)
    assert [float(row["seconds"]) for row in rows[:3]] == pytest.approx(tracklets[0].times[:3], abs=1e-3)
    assert printed[0].startswith(f"{len(tracklets)} tracklets in 1 videos, ")
    assert max(int(row["rank"]) for row in csv.DictReader((out / "ranking.csv").open())) <= 3


def test_the_command_has_the_defaults_of_the_functions(monkeypatch, tmp_path):
    """What the benchmark measures, by the functions' defaults, is what the command does."""
    asked = {}

    def stop(path, camera, **options):
        asked.update(options)
        raise ValueError("enough")

    monkeypatch.setattr(search, "follow", stop)
    assert cli.main(["search", "x.avi", "--out", str(tmp_path / "o"), "--network", "colour_histogram"]) == 2
    defaults = {name: p.default for name, p in inspect.signature(follow).parameters.items()}
    assert asked and all(defaults[name] == value for name, value in asked.items())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["absent.avi", "--out", "{tmp}/o"], "absent.avi: there is no such file"),
        (["{tmp}", "--out", "{tmp}/o"], "is a folder"),
        (["{video}", "--out", str(cli.ROOT / "figures" / "found")], "lies in the repository"),
        (["{video}", "--out", "{video}"], "is a file; give a folder"),
        (["{video}", "--out", "{tmp}/o", "--network", "agv"], "'agv'; known: efficientnet_lite0"),
        (["{still}", "--out", "{tmp}/o"], "nobody was followed in .*still.avi.*fixed camera"),
        (["{video}", "--out", "{tmp}/o", "--min-height", "6"], "min_height=6: expected a share"),
        (["{video}", "--out", "{tmp}/o", "--query", "absent.png"], "absent.png: there is no such image"),
        (["{video}", "--out", "{tmp}/o", "--query", "{video}"], "plaza.avi cannot be decoded as an image"),
        (["{video}", "--out", "{tmp}/o", "--query", "99"], "--query 99: there is no such tracklet; known.*: 1:1, 1:2"),
        (["{video}", "--out", "{tmp}/o", "--query", "2:1"], "--query 2:1: there is no such tracklet"),
        (["{video}", "--out", "{tmp}/o", "--tracks", "{video}"], "plaza.avi, line 1: .*expected six numbers"),
        (["{video}", "--out", "{tmp}/o", "--tracks", "a", "b"], "2 files of tracks for 1 videos; give one for each"),
        (["{video}", "{video}", "--out", "{tmp}/o", "--tracks", "a"], "1 files of tracks for 2 videos"),
        (["{video}", "--out", "{tmp}/o", "--tracks", "{tracks}"], "frame 3001, but .*plaza.avi ends with frame 274"),
    ],
)
def test_mistakes_end_with_a_line_that_says_why(arguments, reason, video, tmp_path, capsys):
    still = write_video(tmp_path / "still.avi", np.full((20, 3, 48, 64), 100, np.uint8), 10)
    (tmp_path / "tracks.txt").write_text("3001,1,20,30,16,48\n")
    names = {"{tmp}": tmp_path, "{video}": video[1], "{still}": still, "{tracks}": tmp_path / "tracks.txt"}
    for name, path in names.items():
        arguments = [argument.replace(name, str(path)) for argument in arguments]
    assert cli.main(["search", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == "" and "Traceback" not in output.err
    assert re.search(reason, output.err)
