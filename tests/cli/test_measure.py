"""Measuring the missing runs of a paper, and what is said when it cannot be done."""

from dataclasses import replace

import pytest
import torch

from reidlib.cli.options import ROOT
from reidlib.experiments import Measured, Part, Row, Run, papers, register_evaluation
from reidlib.experiments.records import read_records
from reidlib.models.backbones import resnet50
from reidlib.papers.reported import reported


def test_reproduce_measures_what_is_missing(run, figures, tmp_path):
    status, out, _ = run("reproduce", "baseline", "--seeds", 1, "--table", "street", "--figures", figures)
    assert status == 0
    first, second, last = out.splitlines()
    assert first.startswith("street · chance · seed 0: rank-1 ") and "%, mAP " in first
    assert second.startswith("street · colour · seed 0: ")
    assert last == "2 runs measured; everything asked for has a record"
    [record] = [r for r in read_records("baseline", figures) if r.config["model"] == "chance"]
    assert f"mAP {100 * record.scores['usual']['mAP']:.1f} %" in first

    status, out, _ = run("reproduce", "baseline", "--pictures", tmp_path / "pictures", "--figures", figures)
    assert status == 0
    left_out, *_, last = out.splitlines()
    assert left_out == (
        "left out 1 of 3 rows, whose recorded data are not at hand: say where they lie with --data mars_edges=DIR"
    )
    assert last == "1 runs measured; everything that is not left out has a record"
    assert len(list((tmp_path / "pictures").rglob("query-*.png"))) == 4
    records = {(r.config["model"], r.seed) for r in read_records("baseline", figures)}
    assert records == {("chance", 0), ("chance", 1), ("colour_histogram", 0)}


def test_fresh_and_rows_choose_what_is_measured(run, figures):
    command = ("reproduce", "baseline", "--rows", "colour", "--figures", figures)
    assert run(*command)[0] == 0
    [path] = figures.glob("baseline/records/*.json")
    written = path.stat().st_mtime_ns
    assert "0 runs measured" in run(*command)[1]
    assert path.stat().st_mtime_ns == written
    assert "1 runs measured" in run(*command, "--fresh")[1]
    assert path.stat().st_mtime_ns > written
    command = ("reproduce", "baseline", "--table", "edges", "--figures", figures)
    assert run(*command)[1].endswith("nothing to measure\n")


def test_scores_of_any_evaluation_are_printed_in_their_units(run, baseline, tmp_path):
    class Pictures:
        def measure(self, network, benchmark, run, progress=True):
            return Measured({"next": {"PSNR": 21.25, "SSIM": 0.5, "counts": {"pictures": 3}}}, units={"PSNR": "dB"})

        def columns(self, run):
            return {name: ("next", name) for name in ("PSNR", "SSIM", "never there")}

    register_evaluation("pictures", Pictures())
    street = {"data_options": {"num_ids": 10, "workers": 1}, "num_frames": 2}
    baseline([Row("next", "chance", Run("chance", "street", evaluation="pictures", **street), seeds=1)])
    out = run("reproduce", "baseline", "--figures", tmp_path)[1]
    assert "next · chance · seed 0: PSNR 21.2 dB, SSIM 50.0 %; " in out
    shown = run("tables", "baseline", "--figures", tmp_path)[1]
    assert "baseline, next; PSNR in dB" in shown and "21.2" in shown and "never there" in shown


def test_data_of_parts_and_test_data_count(run, refused, baseline, tmp_path):
    first, other = Run("agw", "mars"), Run("agw", "duke_video", test_data="market1501")
    parted = replace(Run("agw", "street"), parts=(Part(replace(other, parts=(first,))),))
    baseline([Row("I", "parted", parted), Row("I", "alone", first), Row("I", "also alone", first)])
    for scale in ("mini", "paper"):
        out = run("reproduce", "baseline", "--scale", scale)[1]
        assert out.splitlines() == [
            "left out 1 of 3 rows, whose recorded data are not at hand: say where they lie with "
            "--data duke_video=DIR --data market1501=DIR --data mars=DIR",
            "left out 2 of 3 rows, whose recorded data are not at hand: say where they lie with --data mars=DIR",
            "nothing to measure",
        ]
    out = run("reproduce", "baseline", "--rows", "parted", f"--data=mars={tmp_path}", f"--data=market1501={tmp_path}")[
        1
    ]
    assert "left out 1 of 1 rows" in out and out.splitlines()[0].endswith("with --data duke_video=DIR")
    reason = refused("reproduce", "baseline", "--data", "casia_b=.")
    assert reason.endswith("baseline has no data ['casia_b']; known: ['duke_video', 'market1501', 'mars']")


def test_data_of_parts_are_accepted_at_paper_scale(run, tmp_path):
    out = run("reproduce", "gaitmask", "--scale", "paper", "--data", f"oumvlp={tmp_path}")[1]
    assert "--data oumvlp=DIR" not in out and "--data hid=DIR" in out


def test_a_planned_paper_has_its_reported_tables(run, monkeypatch):
    monkeypatch.setitem(papers._ADDED, "planned", papers.Paper("planned", reported=reported("amem")))
    status, out, error = run("reproduce", "planned", "--table", "2")
    assert (status, error) == (0, "")
    assert out.startswith("planned is planned, not written yet")
    assert "`python -m reidlib tables planned` (2, 3, 4, 5, Model Size)" in out


def test_weights_of_a_file_take_the_place_of_a_download(run, refused, baseline, figures, tmp_path, monkeypatch):
    def no_network(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", no_network)
    street = {"data_options": {"num_ids": 10, "workers": 1}, "num_frames": 1, "precision": "no"}
    pretrained = Run("agw", "street", scale="paper", model_options={"weights": "imagenet"}, **street)
    baseline([Row("I", "pretrained", pretrained, seeds=1), Row("I", "chance", Run("chance", "street"))])
    command = ("reproduce", "baseline", "--figures", figures)
    status, _, error = run(*command, "--rows", "pretrained")
    assert status == 2 and "no network" in error and error.rstrip().endswith("or to `reproduce` as --weights FILE")
    weights = tmp_path / "resnet50.pth"
    torch.save(resnet50().state_dict(), weights)
    assert "1 runs measured" in run(*command, "--rows", "pretrained", "--weights", weights)[1]
    reason = refused(*command, "--rows", "chance", "--weights", weights)
    assert reason.endswith("none of these rows starts from ImageNet weights; leave it out")
    assert f"there is no file {tmp_path}/absent.pth" in refused(*command, "--weights", tmp_path / "absent.pth")


def test_names_that_are_unknown_list_the_known_ones(refused, figures):
    assert "no paper is called 'x'; known: baseline" in refused("reproduce", "x")
    reason = refused("reproduce", "baseline", "--table", "V")
    assert reason == "reidlib reproduce: baseline has no table ['V']; known: ['edges', 'street']"
    reason = refused("reproduce", "baseline", "--rows", "colour", "x")
    assert reason == "reidlib reproduce: baseline has no row ['x']; known: ['chance', 'colour']"
    reason = refused("reproduce", "baseline", "--table", "edges", "--rows", "colour")
    assert reason == "reidlib reproduce: baseline has no row ['colour']; known: ['chance']"
    reason = refused("reproduce", "baseline", "--data", "street=.")
    assert reason == "reidlib reproduce: baseline has no data ['street']; known: ['mars_edges']"


def test_data_must_be_a_folder_that_holds_them(run, refused, figures, tmp_path):
    command = ("reproduce", "baseline", "--table", "edges", "--figures", figures, "--data")
    assert "there is no folder /no/such" in refused(*command, "mars_edges=/no/such")
    assert "expected NAME=DIR" in refused(*command, "mars_edges")
    status, _, error = run(*command, f"mars_edges={tmp_path}")
    reason = error.splitlines()[-1]
    assert status == 2 and reason.startswith("reidlib reproduce:") and "bbox_train: expected images" in reason


def test_pictures_of_people_stay_out_of_the_repository(refused, figures):
    for folder in (ROOT / "figures" / "lists", ROOT / "notebooks" / ".." / "lists"):
        assert "lies in the repository" in refused("reproduce", "baseline", "--pictures", folder)
        assert not folder.exists()


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_numbers_start_at_one(refused, number):
    assert "expected a whole number from 1 on" in refused("reproduce", "baseline", f"--seeds={number}")
    assert "expected a whole number from 1 on" in refused("render", "street", f"--num-ids={number}")
