"""The page on networks of one's own: its file and its commands, as they are printed there."""

import json
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

import reidlib.experiments
from reidlib.cli import main
from reidlib.experiments import papers, trainings
from reidlib.models import registry

PAGE = (Path(reidlib.experiments.__file__).parent / "YOUR_OWN.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the page's file and all that its commands wrote, but for those on pictures of one's own; and what
    was printed, by command."""
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("REIDLIB_CACHE", str(folder / "cache"))
        [code] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
        Path("my_network.py").write_text(code)
        yield folder
    papers._ROWS.clear()
    del registry._NETWORKS["stripes"], trainings._TRAININGS["stripes"]


def called(capsys, command):
    python, module, name, *arguments = shlex.split(command)
    assert (python, module, name) == ("python", "-m", "reidlib")
    status, (out, error) = main(arguments), capsys.readouterr()
    assert status == 0, error
    return out


def test_the_page_ends_with_a_row_in_a_table_and_scores_of_features(place, capsys):
    reproduce, tables, embed, evaluate = COMMANDS[:4]
    assert "2 runs measured" in called(capsys, reproduce)
    shown = called(capsys, tables).splitlines()
    [row] = [line for line in shown if line.startswith("stripes")]
    assert re.fullmatch(r"stripes( +\d+\.\d){5} +2 +\d+\.\d", row)
    cells = [json.loads(line) for line in called(capsys, f"{tables} --json").splitlines()]
    assert {cell["row"] for cell in cells} == {"stripes"} and all(cell["seeds"] == 2 for cell in cells)
    assert "0 runs measured" in called(capsys, reproduce)
    assert "wrote street.npz" in called(capsys, embed)
    assert json.loads(called(capsys, evaluate))["valid"] > 0


def test_it_goes_on_with_pictures_of_your_own(place, capsys):
    colours = {"Anna": (200, 40, 40), "Bert": (40, 40, 200)}
    for person, colour in colours.items():
        for camera in ("door", "yard"):
            folder = place / "my_pictures" / person / camera / "1"
            folder.mkdir(parents=True)
            Image.new("RGB", (32, 64), colour).save(folder / "1.jpg")
    called(capsys, COMMANDS[0])  # where this test is run alone
    embed, evaluate = COMMANDS[4:]
    assert "4 queries and 4 gallery tracklets" in called(capsys, embed)
    assert json.loads(called(capsys, evaluate))["rank-1"] == 100
