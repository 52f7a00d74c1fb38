"""The repository as a whole: which room may import which, what lies at the top, what `import` costs."""

import ast
import subprocess
import sys
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


def test_nothing_but_notebooks_and_command_line_sees_papers():
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] not in ("papers", "cli.py", "__main__.py"):
            assert "papers" not in imported_rooms(path), path


def test_top_level_holds_what_was_agreed():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = {line.split("/")[0] for line in listed.stdout.splitlines()}
    agreed = {"README.md", "requirements.txt", "pyproject.toml", "Makefile", "conftest.py", "LICENSE", "CITATION.cff"}
    assert {name for name in names if not name.startswith(".")} <= agreed | {"notebooks", "reidlib", "figures", "tests"}


def test_requirements_are_pinned_without_local_versions():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    for line in lines:
        name, _, version = line.partition("==")
        assert name and version and "+" not in version, line


@pytest.mark.parametrize(("module", "absent"), [("reidlib.evaluation", "torchvision"), ("reidlib.data", "sklearn")])
def test_importing_one_room_does_not_load_the_others(module, absent):
    code = f"import sys, {module}; sys.exit({absent!r} in sys.modules or 'reidlib.papers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
