"""Tables and paragraphs as text that is not wider than a terminal."""

import textwrap

import pandas as pd

WIDTH = 120
LABEL = 56  # the widest that a row's label may be; a longer one goes on in the next line
GAP = "  "


def paragraph(text: str, hanging: int = 0, width: int = WIDTH) -> str:
    """A text in lines of `width`, all but the first indented by `hanging`."""
    return textwrap.fill(text, width, subsequent_indent=" " * hanging, break_on_hyphens=False)


def text_table(table: pd.DataFrame) -> str:
    """A frame of texts as lines of `WIDTH`, its rows' labels in front; empty columns are left out.

    Columns of one name in the first of two levels stay together. A frame that is too wide is cut into blocks, each with
    all labels.
    """
    labels = [textwrap.wrap(str(label), LABEL, break_on_hyphens=False) or [""] for label in table.index]
    width = max((len(line) for lines in labels for line in lines), default=0)
    blocks: list[list[list[str]]] = []
    room = 0
    for group in _groups(table):
        needed = len(GAP) + len(group[0])
        if needed > room:
            blocks.append([])
            room = WIDTH - width
        blocks[-1].append(group)
        room -= needed
    return "\n\n".join(_block(labels, width, groups) for groups in blocks)


def _groups(table: pd.DataFrame) -> list[list[str]]:
    """Columns as lines of equal length, the name first: those of one name as one."""
    found: dict[str, list[list[str]]] = {}
    for column, values in table.items():
        values = ["" if value != value else str(value) for value in values]
        if any(values):
            names = column if isinstance(column, tuple) else (column,)
            lines = [*names[1:], *values]
            width = max(map(len, lines + list(names[:1]) * (table.columns.nlevels == 1)))
            found.setdefault(names[0], []).append([line.rjust(width) for line in lines])
    groups = []
    for name, columns in found.items():
        lines = [GAP.join(cells) for cells in zip(*columns)]
        width = max(len(name), len(lines[0]))
        groups.append([name.rjust(width), *(line.rjust(width) for line in lines)])
    return groups


def _block(labels: list[list[str]], width: int, groups: list[list[str]]) -> str:
    """Labels and some columns beside each other; a label's further lines stand below its row."""
    lines = [GAP.join(cells) for cells in zip(*groups)]
    heads = len(lines) - len(labels)
    out = [" " * width + GAP + line for line in lines[:heads]]
    for label, line in zip(labels, lines[heads:]):
        out.append(label[0].ljust(width) + GAP + line)
        out.extend(label[1:])
    return "\n".join(line.rstrip() for line in out)
