"""The notebooks, run in reading order, and what of a run is kept in the repository."""

import base64
import re
import time
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from reidlib.plots import same_picture

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS, EXECUTED = ROOT / "notebooks", ROOT / "build" / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
BAR = re.compile(r"\d+%\||\d\w* \[\d+:\d\d")  # of tqdm: "40%|████      | …" or, without a total, "12it [00:03, …"
STYLED = re.compile(r'<table id="T_(\w+)"')  # a styled table of pandas, whose name is drawn anew each time
ADDRESS = re.compile(r"0x[0-9a-f]{6,16}")  # of an object in memory


class NotebookError(Exception):
    """A notebook that did not run to its end."""


def run_notebooks(
    names: Sequence[str] = (), save: bool = False, folder: Path = NOTEBOOKS, executed: Path = EXECUTED
) -> None:
    """Run notebooks in reading order, that of their names, with a line for each and the seconds that it took.

    names: only these ("00_tour"). save: write what is to be committed, as `normalised` gives it, back into `folder`,
    where it differs from what is there; otherwise the copies go to `executed`, and `folder` is not touched. ValueError
    for unknown names; NotebookError, which names notebook, cell and error, for the first that fails, whose cells up to
    there are then in `executed`.
    """
    paths = sorted(folder.glob("*.ipynb"))
    if unknown := {*names} - {path.stem for path in paths}:
        known = ", ".join(path.stem for path in paths) or "none"
        raise ValueError(f"no notebook is called {', '.join(sorted(unknown))}; known: {known}")
    paths = [path for path in paths if not names or path.stem in names]
    for number, path in enumerate(paths, start=1):
        print(f"[{number}/{len(paths)}] {path.stem}", end="", flush=True)
        started, notebook = time.monotonic(), nbformat.read(path, as_version=4)
        try:
            execute(notebook, path)
        except NotebookError:
            write(normalised(notebook), executed / path.name)
            print(" failed", flush=True)
            raise
        changed = write(normalised(notebook), (folder if save else executed) / path.name)
        print(f": {time.monotonic() - started:.0f} s" + ", rewritten" * (save and changed), flush=True)


def execute(notebook: NotebookNode, path: Path) -> None:
    """Run all cells of a notebook that lies at `path`, in place and in a kernel of its own. NotebookError as above."""
    begun = []
    client = NotebookClient(
        notebook,
        timeout=None,
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=lambda cell, cell_index: begun.append(cell_index),
    )
    try:
        client.execute()
    except (CellExecutionError, DeadKernelError) as error:
        reason = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else str(error)
        raise NotebookError(f"{path.name}, cell {begun[-1] if begun else 0}: {reason}") from error


def normalised(notebook: NotebookNode) -> NotebookNode:
    """A copy that is the same whenever and wherever the notebook runs, as far as its results are.

    Left out are times, versions, widgets and progress bars; cells are named after their places, tags and outputs stay.
    """
    content = deepcopy(notebook)
    content.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    content.nbformat, content.nbformat_minor = 4, 5  # the first version in which cells have names
    for number, cell in enumerate(content.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata = {"tags": cell.metadata.tags} if cell.metadata.get("tags") else {}
        if cell.cell_type == "code":
            cell.outputs = _kept_outputs(cell.outputs, number)
    return nbformat.from_dict(content)


def _kept_outputs(outputs: Sequence[NotebookNode], cell: int) -> list[NotebookNode]:
    """Outputs without widgets and progress bars; what a cell prints in pieces is one text."""
    kept = _joined([output for output in outputs if WIDGET not in output.get("data", {})])
    for output in kept:
        data = output.get("data", {})
        if output.output_type == "stream":
            output.text = _without_bars(output.text)
        elif "metadata" in output:
            output.metadata = {}
        if "text/plain" in data:
            data["text/plain"] = ADDRESS.sub("0x000000000000", data["text/plain"])
        for place, name in enumerate(dict.fromkeys(STYLED.findall(data.get("text/html", "")))):
            data["text/html"] = data["text/html"].replace(f"T_{name}", f"T_{cell:02}_{place}")
    return _joined([output for output in kept if output.output_type != "stream" or output.text.strip()])


def _joined(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Neighbouring pieces of one stream as one."""
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and output.output_type == "stream" and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _without_bars(text: str) -> str:
    """Printed text as a terminal shows it in the end, without the lines that are progress bars."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(line for line in lines if not BAR.search(line))


def write(notebook: NotebookNode, path: Path) -> bool:
    """Write a notebook where it differs from the file; says whether it did. Pictures that show the same as those that
    stand in the same place of the file stay as they are there."""
    if path.exists():
        _keep_pictures(notebook, nbformat.read(path, as_version=4))
    text = nbformat.writes(notebook) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def _keep_pictures(notebook: NotebookNode, former: NotebookNode) -> None:
    for cell, old in zip(notebook.cells, former.cells):
        for output, other in zip(cell.get("outputs", ()), old.get("outputs", ())):
            pictures = [o.get("data", {}).get("image/png", "") for o in (output, other)]
            if all(pictures) and same_picture(*map(base64.b64decode, pictures)):
                output.data["image/png"] = pictures[1]
