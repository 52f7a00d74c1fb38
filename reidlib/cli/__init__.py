"""The command line: `python -m reidlib VERB …`. Heavy imports wait until a verb needs them.

Every file here but `options` and `text` holds verbs of one theme: their options, and what they do.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from reidlib.cli import measure, notebooks, own, results, search, worlds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status: 2, after a line that says what is wrong, for mistakes in the input."""
    chosen = _parser().parse_args(arguments)
    try:
        return chosen.command(chosen) or 0
    except BrokenPipeError:  # the reader of our output, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"reidlib {chosen.verb}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; finished runs have their records, and the one at work its checkpoint", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reidlib", description="Video person re-identification and gait recognition.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, command, description: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=description, description=description)
        added.set_defaults(command=command)
        return added

    for theme in (measure, results, worlds, own, search, notebooks):
        theme.add_verbs(verb)
    return parser
