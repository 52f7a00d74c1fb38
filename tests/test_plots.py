"""What the figures contain."""

from dataclasses import replace
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from reidlib import plots
from reidlib.data import ArrayFrames, Tracklet
from reidlib.data.tracklets import Rows


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def tracklet(person, camera, length=5, **truth):
    """Frames (8×4) of which number i is filled with 10 · i."""
    frames = np.arange(length, dtype=np.uint8)[:, None, None, None] * np.full((1, 3, 8, 4), 10, np.uint8)
    parts = truth.pop("parts", None)
    return Tracklet(person, camera, ArrayFrames(frames, parts, truth=truth))


def images(figure):
    """The picture of every pair of axes that shows one."""
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def edge(axes):
    """The colour of the frame, None without."""
    spines = axes.spines.values()
    if not axes.axison or not all(spine.get_visible() for spine in spines):
        return None
    [colour] = {to_hex(spine.get_edgecolor()) for spine in spines}
    return colour


def test_a_contact_sheet_shows_every_image_in_rows():
    pictures = [np.full((3, 8, 4), i, np.uint8) for i in range(5)]
    figure = plots.contact_sheet(pictures, columns=3, titles=list("abcde"))
    assert len(figure.axes) == 6
    assert titles(figure) == ["a", "b", "c", "d", "e", ""]
    assert [image.shape for image in images(figure)] == [(8, 4, 3)] * 5
    assert [image.max() for image in images(figure)] == [0, 1, 2, 3, 4]
    assert not figure.axes[5].axison
    assert all(not len(axes.get_xticks()) for axes in figure.axes[:5])
    assert [round(axes.get_subplotspec().rowspan.start) for axes in figure.axes] == [0, 0, 0, 1, 1, 1]


def test_tracklet_rows_are_evenly_spaced():
    figure = plots.tracklet_rows([tracklet(7, 2, 9), tracklet(8, 3, 3)], frames=3)
    assert [image.max() for image in images(figure)] == [0, 40, 80, 0, 10, 20]
    assert titles(figure) == ["id 7, cam 2", "frame 4", "frame 8", "id 8, cam 3", "frame 1", "frame 2"]


def test_walk_sheet_puts_the_silhouette_below_the_frame():
    silhouettes = np.zeros((5, 4, 2), np.uint8)  # half the frames' size
    silhouettes[:, :, 1] = 1
    walks = [
        replace(tracklet(1, 1), condition=condition, view=18, aligned=Rows(silhouettes, 0, 5))
        for condition in ("a", "b-c")
    ]
    figure = plots.walk_sheet(walks, columns=2, frame=3)
    assert titles(figure) == ["a\n18°", "b\nc\n18°"]
    for image in images(figure):
        assert image.shape == (16, 4, 3)
        assert (image[:8] == 30).all() and (image[8:, :2] == 0).all() and (image[8:, 2:] == 255).all()


def test_masked_frames_keep_the_person_alone():
    frames = np.full((2, 3, 8, 4), 200, np.uint8)
    masks = np.zeros((2, 1, 8, 4), np.uint8)
    masks[1, 0, :, :2] = 1
    figure = plots.masked_frames(frames, masks, ["a", "b"])
    assert titles(figure) == ["a", "b", "", ""]
    assert [sorted({*image.flat}) for image in images(figure)] == [[200], [200], [50], [50, 200]]
    assert (images(figure)[3][:, :2] == 200).all()


def test_truth_row_shows_each_kind():
    parts = np.zeros((5, 8, 4), np.uint8)
    parts[:, 2:6] = 3
    joints = np.zeros((5, 2, 3), np.float32)
    joints[:, 0] = 1, 2, 1  # the other one is hidden
    flow = np.zeros((5, 2, 8, 4), np.float32)
    figure = plots.truth_row(tracklet(1, 1, parts=parts, joints=joints, flow=flow), 3)
    assert titles(figure) == ["frame", "silhouette", "parts", "joints", "flow"]
    frame, silhouette, _, _, colours = images(figure)
    assert frame.max() == 30
    assert np.array_equal(silhouette, parts[3] > 0)
    overlay = figure.axes[2].images[1].get_array()
    assert np.array_equal(overlay.mask, parts[3] == 0) and set(overlay.compressed()) == {3}
    assert figure.axes[3].collections[0].get_offsets().tolist() == [[1, 2]]
    assert colours.min() == 255  # no motion


def test_flow_colours():
    flow = np.zeros((2, 1, 5), np.float32)
    flow[0, 0, :4] = 2, -2, 0, 1  # right, left, down, half as fast to the right, still
    flow[1, 0, 2] = 2
    colours = plots.flow_colours(flow)
    assert colours.shape == (3, 1, 5) and colours.dtype == np.uint8
    right, left, down, slow, still = colours[:, 0].T.tolist()
    assert right == [255, 0, 0]  # hue 0
    assert left == [0, 255, 255]  # hue 1/2
    assert down == [127, 255, 0]  # hue 1/4
    assert slow == [255, 127, 127]
    assert still == [255, 255, 255]
    assert (plots.flow_colours(np.zeros((2, 3, 3))) == 255).all()


def test_the_flow_wheel_is_the_key_to_flow_colours():
    wheel = plots.flow_wheel(33)
    assert wheel.shape == (3, 33, 33) and wheel.dtype == np.uint8
    assert wheel[:, 16, 16].tolist() == [255, 255, 255]  # what stands still is white
    assert wheel[:, 16, 32].tolist() == [255, 0, 0]  # right is red
    assert wheel[:, 0, 0].tolist() == [255, 255, 255]  # outside the disc
    fastest = np.array([[[3.0]], [[-3.0]]])  # right and up
    corner = round(16 + 16 * np.sqrt(0.5)), round(16 - 16 * np.sqrt(0.5))
    assert np.abs(wheel[:, corner[1], corner[0]] - plots.flow_colours(fastest)[:, 0, 0].astype(int)).max() < 20


def test_joint_angles_are_drawn_in_degrees_over_the_cycle():
    phase = np.linspace(0, 1, 5)
    angles = {name: {"hip": np.full(5, value), "knee": np.zeros(5)} for name, value in (("a", np.pi / 6), ("b", 0))}
    figure = plots.joint_angles(angles, phase)
    assert titles(figure) == ["hip", "knee"]
    a, _ = figure.axes[0].lines
    np.testing.assert_allclose(a.get_ydata(), 30)
    assert a.get_xdata().tolist() == [0, 25, 50, 75, 100]
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == ["a", "b"]


def test_a_ranked_list_frames_right_answers_green_and_wrong_ones_red():
    gallery = [tracklet(person, camera) for person, camera in ((7, 1), (8, 2), (0, 3), (7, 4))]
    figure = plots.ranked_list(tracklet(7, 5), gallery, np.array([3, 2, 0, 1]), length=3)
    assert titles(figure) == ["query\ncam 5", "1\ncam 4", "2\ncam 3", "3\ncam 1"]
    assert [edge(axes) for axes in figure.axes] == [plots.NEUTRAL, plots.RIGHT, plots.WRONG, plots.RIGHT]
    assert [image.max() for image in images(figure)] == [20] * 4  # the middle frames


def test_a_ranked_list_may_be_shorter_than_asked():
    figure = plots.ranked_list(tracklet(1, 1), [tracklet(2, 2)], np.array([0]), length=10)
    assert [edge(axes) for axes in figure.axes] == [plots.NEUTRAL, plots.WRONG]


def test_first_answers_stand_below_their_queries():
    queries = [tracklet(7, 5), tracklet(8, 1)]
    answers = {"plain": [tracklet(7, 2), tracklet(7, 3)], "better": [tracklet(7, 2), tracklet(8, 4)]}
    figure = plots.first_answers(queries, answers)
    assert [axes.get_ylabel() for axes in figure.axes] == ["query", "", "plain", "", "better", ""]
    assert titles(figure) == ["cam 5", "cam 1", "cam 2", "cam 3", "cam 2", "cam 4"]
    right, wrong = plots.RIGHT, plots.WRONG
    assert [edge(axes) for axes in figure.axes] == [plots.NEUTRAL, plots.NEUTRAL, right, wrong, right, right]


def test_an_embedding_map_has_a_colour_a_person():
    points = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])
    figure = plots.embedding_map(points, np.array([1, 1, 2, 3]), np.array([1, 2, 1, 2]))
    [drawn] = figure.axes[0].collections
    assert np.array_equal(drawn.get_offsets(), points)
    colours = [to_hex(colour) for colour in drawn.get_facecolors()]
    assert colours[0] == colours[1] and len(set(colours)) == 3
    markers = [path.vertices.tobytes() for path in drawn.get_paths()]
    assert markers[0] == markers[2] != markers[1] == markers[3]


def test_an_embedding_map_says_what_its_markers_are():
    figure = plots.embedding_map(np.eye(2), np.array([1, 2]), np.array(["nm", "cl"]), group="condition")
    assert figure.axes[0].get_title() == "one colour a person, one marker a condition"
    first, second = figure.axes[0].collections[0].get_paths()
    assert first.vertices.tobytes() != second.vertices.tobytes()


def test_cmc_curves_are_the_share_of_valid_queries():
    figure = plots.cmc_curves({"one": np.array([1, 2, 0, 5, 1]), "other": np.array([3])}, longest=4)
    one, other = figure.axes[0].get_lines()
    assert one.get_xdata().tolist() == [1, 2, 3, 4]
    assert one.get_ydata().tolist() == [50, 75, 75, 75]
    assert other.get_ydata().tolist() == [0, 0, 100, 100]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["one", "other"]


def test_loss_history_has_a_line_a_term():
    history = pd.DataFrame(
        {"iteration": [0, 1, 2], "network/identity": [3.0, 2.0, 1.0], "network/triplet": [1, 1, 0.5]}
    )
    axes = plots.loss_history(history).axes[0]
    assert {line.get_label(): line.get_ydata().tolist() for line in axes.get_lines()} == {
        "network/identity": [3, 2, 1],
        "network/triplet": [1, 1, 0.5],
    }
    assert axes.get_yscale() == "log"


def test_a_grid_of_scores_names_methods_and_worlds_and_leaves_out_what_is_missing():
    scores = pd.DataFrame({"street": [0.4, 56.9], "lab, NM": [np.nan, 94.1]}, index=["chance", "AGW"])
    axes = plots.score_grid(scores).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["chance", "AGW"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["street", "lab, NM"]
    assert [text.get_text() for text in axes.texts] == ["0", "57", "94"]


def test_score_intervals_are_drawn_from_low_to_high():
    rows = pd.DataFrame(
        [
            ("chance", "mAP", 1.0, 0.5, 1.5),
            ("chance", "rank-1", 9.0, 9.0, 9.0),
            ("one seed", "mAP", 40.0, np.nan, np.nan),
            ("unmeasured", "mAP", np.nan, np.nan, np.nan),
            ("baseline", "mAP", 50.0, 47.0, 53.0),
        ],
        columns=["row", "column", "measured", "low", "high"],
    )
    axes = plots.score_intervals(rows, "mAP").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["chance", "one seed", "baseline"]
    [container] = axes.containers
    line, _, (bars,) = container.lines
    assert line.get_xdata().tolist() == [1, 40, 50]
    assert [segment[:, 0].tolist() for segment in bars.get_segments()] == [[0.5, 1.5], [40, 40], [47, 53]]
    assert axes.yaxis_inverted() and "mAP" in axes.get_xlabel()


def test_sweep_lines_have_a_panel_a_column_and_a_line_a_system():
    cells = pd.DataFrame(
        [
            ("one, and more, severity 0", "mAP", 10.0, 8.0, 12.0),
            ("one, and more, severity 1", "mAP", 20.0, np.nan, np.nan),
            ("other, severity 0", "mAP", np.nan, np.nan, np.nan),
            ("other, severity 1", "mAP", 5.0, np.nan, np.nan),
            ("other, severity 1", "CL", 7.0, np.nan, np.nan),
        ],
        columns=["row", "column", "measured", "low", "high"],
    )
    figure = plots.sweep_lines(cells, ["CL", "mAP"])
    assert titles(figure) == ["CL", "mAP"]
    [only] = figure.axes[0].containers
    assert only.get_label() == "other" and only.lines[0].get_xydata().tolist() == [[1, 7]]
    one, other = figure.axes[1].containers
    assert (one.get_label(), other.get_label()) == ("one, and more", "other")
    assert one.lines[0].get_xydata().tolist() == [[0, 10], [1, 20]]
    [bars] = one.lines[2]
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [[8, 12], [20, 20]]
    drawn = other.lines[0].get_ydata()
    assert np.isnan(drawn[0]) and drawn[1] == 5
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["severity 0", "severity 1"]


def test_scores_show_no_more_percent_than_there_are():
    cells = pd.DataFrame(
        [("one, true", "mAP", 50.0, -40.0, 140.0)], columns=["row", "column", "measured", "low", "high"]
    )
    [axes] = plots.sweep_lines(cells, ["mAP"]).axes
    assert axes.get_ylim() == (-3, 103)
    [axes] = plots.score_intervals(cells, "mAP").axes
    assert axes.get_xlim() == (-3, 103)


def test_channel_attention_sorts_channels_by_the_first_condition():
    gates = {"gait": {"nm": np.array([[0.9, 0.1, 0.5], [0.7, 0.3, 0.5]]), "cl": np.array([[0.2, 0.4, 0.6]])}}
    figure = plots.channel_attention(gates)
    assert titles(figure) == ["gait"]
    lines = {line.get_label(): line.get_ydata().tolist() for line in figure.axes[0].get_lines()}
    assert lines == {"nm": pytest.approx([0.2, 0.5, 0.8]), "cl": pytest.approx([0.4, 0.6, 0.2])}


def test_claim_intervals_are_coloured_by_verdict():
    ledger = pd.DataFrame(
        [
            ("above", "replicates", 3.0, 1.0, 5.0, 0.5),
            ("below", "contradicted", -3.0, -4.0, -2.0, np.nan),
            ("who knows", "not yet measured", np.nan, np.nan, np.nan, 2.0),
        ],
        columns=["claim", "verdict", "difference", "low", "high", "reported"],
    )
    axes = plots.claim_intervals(ledger).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["above", "below", "who knows"]
    assert axes.yaxis_inverted()
    reported, difference, interval = (axes.get_lines()[i:9:3] for i in range(3))
    assert [line.get_xdata()[0] for line in reported] == pytest.approx([0.5, np.nan, 2.0], nan_ok=True)
    assert [line.get_xdata()[0] for line in difference] == pytest.approx([3, -3, np.nan], nan_ok=True)
    assert [line.get_xdata()[0] for line in interval[:2]] == [1, -4]
    assert [line.get_xdata()[1] for line in interval[:2]] == [5, -2]
    assert [line.get_color() for line in interval] == [plots.RIGHT, plots.WRONG, plots.NEUTRAL]
    assert [line.get_ydata()[0] for line in interval] == [0, 1, 2]


def test_primary_verdicts_before_and_after():
    comparison = pd.DataFrame(
        [
            ("better now", True, "inconclusive", "replicates", 1.0, -1.0, 3.0, 2.0, 1.0, 3.0),
            ("beside", False, "replicates", "replicates", 1.0, 0.5, 1.5, 1.0, 0.5, 1.5),
            ("new", True, None, "contradicted", np.nan, np.nan, np.nan, -2.0, -3.0, -1.0),
            ("later", True, "leaning", "not yet measured", 4.0, 3.0, 5.0, np.nan, np.nan, np.nan),
        ],
        columns=[
            *("claim", "primary", "before", "after", "difference_before", "low_before", "high_before"),
            *("difference_after", "low_after", "high_after"),
        ],
    )
    axes = plots.verdicts_before_and_after(comparison).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["better now", "new", "later"]
    dots_before, before, dots_after, after = (axes.get_lines()[i:12:4] for i in range(4))
    assert [line.get_xdata()[0] for line in dots_before] == pytest.approx([1, np.nan, 4], nan_ok=True)
    assert [line.get_xdata()[0] for line in dots_after] == pytest.approx([2, -2, np.nan], nan_ok=True)
    assert [tuple(line.get_xdata()) for line in (before[0], before[2])] == [(-1, 3), (3, 5)]
    assert [tuple(line.get_xdata()) for line in after[:2]] == [(1, 3), (-3, -1)]
    assert [line.get_color() for line in after] == [plots.RIGHT, plots.WRONG, plots.NEUTRAL]
    assert len({line.get_color() for line in before}) == 1 and before[0].get_color() not in plots.VERDICTS.values()
    for one, other, place in zip(before, after, range(3)):
        assert one.get_ydata()[0] < place < other.get_ydata()[0]  # the axis points down
    zero = axes.get_lines()[12]
    assert [*zero.get_xdata()] == [0, 0] and axes.yaxis_inverted()


def test_figures_are_saved_as_small_pictures_in_new_folders(tmp_path):
    path = plots.save(plots.contact_sheet([np.zeros((3, 8, 4), np.uint8)], columns=1), tmp_path / "new" / "sheet.png")
    assert path == tmp_path / "new" / "sheet.png"
    with Image.open(path) as image:
        assert image.format == "PNG" and max(image.size) <= 200
        assert image.info.keys() <= {"dpi"}  # neither a date nor a version


def bar(height):
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.bar([0, 1], [1, height])
    axes.set_title(f"{height:.1f}")
    return figure


def test_a_figure_is_written_again_only_if_it_shows_something_else(tmp_path):
    path = plots.save(bar(2), tmp_path / "bar.png")
    written = path.stat().st_mtime_ns
    assert plots.save(bar(2), path).stat().st_mtime_ns == written
    first = path.read_bytes()
    plots.save(bar(1.9), path)
    assert path.read_bytes() != first
    plots.save(bar(2), path)
    assert path.read_bytes() == first
    path.write_bytes(first[:200])  # as after a full disk
    plots.save(bar(2), path)
    assert path.read_bytes() == first


def png(pixels, mode="RGB"):
    file = BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "png")
    return file.getvalue()


def test_pictures_are_the_same_but_for_rounding():
    pixels = np.random.default_rng(0).integers(20, 200, (200, 300, 3), np.uint8)
    assert plots.same_picture(png(pixels), png(pixels + np.uint8(8)))
    assert not plots.same_picture(png(pixels), png(pixels + np.uint8(9)))
    assert plots.same_picture(png(pixels), png(pixels, "RGBA"))
    assert not plots.same_picture(png(pixels), png(pixels[:, :299]))
    assert not plots.same_picture(png(pixels), b"")
    for changed, same in ((1, True), (2, False)):  # of 60,000 pixels, in one channel
        other = pixels.copy()
        other[7, :changed, 1] += 50
        assert plots.same_picture(png(pixels), png(other)) is same


def test_a_gain_is_divided_between_control_and_mechanism():
    gains = pd.DataFrame({"claim": ["all its own", "less than the control"], "gain": [4.0, 1.0], "control": [0.0, 3.0]})
    axes = plots.gains_and_controls(gains).axes[0]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    assert ends == [(0, 0), (0, 3), (0, 4), (3, 1)]  # the controls' bars, then the mechanisms'
    assert [to_hex(bar.get_facecolor()) for bar in axes.patches[2:]] == [plots.RIGHT, plots.WRONG]
    assert [*axes.get_lines()[0].get_xdata()] == [4, 1]


def test_sizes_of_reported_differences():
    ledger = pd.DataFrame(
        {"paper": ["one", "one", "one", "two", "two"], "reported": [0.4, -2.0, 5.0, 0.0, np.nan]},
    )
    axes = plots.reported_gains(ledger, resolved=3).axes[0]
    first, second = (collection.get_offsets()[:, 0].tolist() for collection in axes.collections)
    assert first == pytest.approx([0.4, 2, 5]) and second == [0.05]
    colours = [to_hex(colour) for colour in axes.collections[0].get_facecolors()]
    assert colours[1] == plots.WRONG and plots.WRONG not in (colours[0], colours[2])
    assert [line.get_xdata()[0] for line in axes.get_lines()] == [2, 0.05, 3]


def test_single_trainings_beside_what_a_normal_distribution_says():
    shares = pd.DataFrame({"difference": [0.0, -2.0], "deviation": [2.0, 2.0], "opposite": [0.5, 0.2]})
    dots, line = plots.single_runs(shares).axes[0].get_lines()
    assert [*dots.get_xdata()] == [0, 2] and [*dots.get_ydata()] == [50, 20]
    assert line.get_ydata()[0] == pytest.approx(50) and line.get_ydata()[-1] == pytest.approx(15.87, abs=0.01)
