"""A mapping as a table that two organisations can read, and sign: on the terminal, or in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Column, Table
from rich.text import Text

from samspil.mapping.mapping import Mapping
from samspil.mapping.pairs import Pair
from samspil.mapping.tree import Node


class Line(NamedTuple):
    """One line. ``ours`` is empty for what is not received, ``theirs`` for what is not sent; ``note`` says why."""

    theirs: str
    required: bool
    ours: str
    danish: str
    conversion: str = ""
    code_list: str = ""
    note: str = ""


HEADINGS = ("Their field", "Required", "Our field", "Dansk", "Conversion", "Code list", "Note")


def lines(mapping: Mapping) -> list[Line]:
    """Every field of both sides: rows in the file's order, then the lost fields."""
    return [*map(_row, mapping.resolution.every()), *_lost(mapping)]


def table(mapping: Mapping) -> Table:
    """For a terminal: the code list stands with the conversion, and so does the note. Nothing is cut off."""
    result = Table(
        *(
            Column(heading, overflow="fold")
            for heading in ("Their field", "Required", "Our field", "Dansk", "Conversion")
        ),
        title=Text(_title(mapping)),
        title_justify="left",
        caption=_version(mapping),
        caption_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for line in lines(mapping):  # cells are Text: a path's brackets are no markup
        conversion = ", ".join(part for part in (line.code_list, line.conversion, line.note) if part)
        cells = _cells(line._replace(conversion=conversion))
        result.add_row(*map(Text, cells[: len(result.columns)]), style="dim" if line.note else "")
    return result


def markdown(mapping: Mapping) -> str:
    """For a document: the table, the version it shows, and room for two signatures."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *map(_cells, lines(mapping))]
    body = "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows)
    signatures = "\n".join(f"{who}: ________________  Date: ____________\n" for who in ("For the one", "For the other"))
    return f"# {_title(mapping)}\n\n{_version(mapping)}\n\n{body}\n\n{signatures}"


def _row(pair: Pair) -> Line:
    return Line(
        theirs=" + ".join(node.path for node in pair.theirs),
        required=any(node.required for node in pair.theirs),
        ours=" + ".join(node.path for node in pair.ours),
        danish=" + ".join(_danish(node) for node in pair.ours),
        conversion=_conversion(pair),
        code_list=pair.converter.code_list.name if pair.converter and pair.converter.code_list else "",
        note="" if pair.ours else "always this value",
    )


def _conversion(pair: Pair) -> str:
    if pair.converter is None:
        return "list" if pair.ours else f"constant {pair.constant}"
    if pair.converter.code_list:
        changed = "; ".join(f"{key} → {code}" for key, code in pair.converter.values.items() if key != code)
        return f"code: {changed}" if changed else "code"
    return f"{pair.converter.name} ({pair.converter.options})" if pair.converter.options else pair.converter.name


def _lost(mapping: Mapping) -> Iterator[Line]:
    for side, node, why in mapping.resolution.lost:
        if side == "theirs":
            yield Line(node.path, node.required, "", "", note=f"not exchanged: {why}")
        else:
            yield Line("", False, node.path, _danish(node), note=f"not exchanged: {why}")


def _danish(node: Node) -> str:
    return str(node.extra.get("da", ""))


def _cells(line: Line) -> tuple[str, ...]:
    return tuple({True: "yes", False: ""}[cell] if isinstance(cell, bool) else cell for cell in line)


def _title(mapping: Mapping) -> str:
    return f"{mapping.system}: {mapping.record} ↔ {mapping.schema}"


def _version(mapping: Mapping) -> str:
    return f"Version {mapping.digest.hex()}"
