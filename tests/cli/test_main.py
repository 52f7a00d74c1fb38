"""What all verbs have in common."""

import re
import subprocess
import sys

from reidlib.cli.options import ROOT


def test_unknown_words_are_refused(refused):
    assert "invalid choice: 'sing'" in refused("sing")
    assert "invalid choice: 'town'" in refused("render", "town")


def test_interruption_is_no_traceback(run, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("reidlib.data.walkers.street", interrupt)
    status, _, error = run("render", "street")
    assert status == 130 and error.startswith("\nstopped")


def test_help_needs_no_heavy_import():
    code = (
        "import sys\nfrom reidlib.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    for verb in (
        "reproduce",
        "tables",
        "claims",
        "render",
        "export",
        "embed",
        "evaluate",
        "search",
        "notebooks",
        "report",
    ):
        assert re.search(rf"^    {verb}\s", done.stdout, re.MULTILINE)
    module = subprocess.run([sys.executable, "-m", "reidlib", "sing"], cwd=ROOT, capture_output=True, text=True)
    assert module.returncode == 2 and "invalid choice: 'sing'" in module.stderr
