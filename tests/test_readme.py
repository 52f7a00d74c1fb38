"""The README's code runs, its links lead somewhere, and its commands are known."""

import functools
import re
from pathlib import Path

import pytest

from reidlib.cli import main
from reidlib.data import walkers

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_code_gives_a_score(tmp_path, monkeypatch, capsys):
    """As it stands there, but for ten people and three iterations."""
    [code] = re.findall(r"```python\n(.*?)```", README, re.S)
    assert "**APPEARANCE.fields()" in code
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path))
    monkeypatch.setattr(walkers, "street", functools.partial(walkers.street, num_ids=10, workers=1))
    brief = "**(APPEARANCE.fields() | {'iterations': 3, 'ids_per_batch': 2})"
    exec(code.replace("**APPEARANCE.fields()", brief), {})
    assert re.fullmatch(r"rank-1 \d+%, mAP \d+%, mINP \d+%\n", capsys.readouterr().out)


PAGES = [ROOT / "README.md", *sorted((ROOT / "figures").glob("*/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_of_the_repository(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    missing = [link for link in links if not link.startswith("http") and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("verb", sorted({*re.findall(r"^python -m reidlib (\w+)", README, re.M)}))
def test_verbs_are_known(verb, capsys):
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0 and verb in capsys.readouterr().out
