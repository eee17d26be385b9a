"""When a code is valid: on the day the schema names (``valid_on``, a top-level field), or else on the day of loading.

The generated function knows the codes valid on the day of loading. It compares the record's day with the stretch of
time in which all of them are valid, once for each day field; only outside that stretch are codes looked up singly.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, datetime, time
from typing import Any

from samspil.codes import CodeList
from samspil.mapping.converter import Converter, Fast
from samspil.mapping.dates import DENMARK
from samspil.mapping.pairs import Pair, Resolution
from samspil.mapping.source import Source
from samspil.mapping.tree import Node


def day_of(value: date | datetime | None, on: date) -> date:
    """The day in Denmark of a ``valid_on`` field; ``on`` if it has none."""
    if isinstance(value, datetime):
        return value.astimezone(DENMARK).date()
    return value or on


def windows(resolution: Resolution, on: date) -> Windows:
    """What a generated function needs to judge codes."""
    return Windows(resolution, on)


class Windows:
    """The codes of a mapping's pairs on one day, and the stretches of time in which they are valid."""

    def __init__(self, resolution: Resolution, on: date) -> None:
        self._root, self._on = resolution.ours, on
        self._groups: dict[str, list[Pair]] = {}
        for pair in resolution.every():
            if pair.converter and pair.converter.code_list and (day := pair.ours[0].extra.get("valid_on")):
                self._groups.setdefault(day, []).append(pair)

    def fast(self, pair: Pair) -> Fast:
        """Their code to ours, for the codes valid on the day of loading."""
        converter, codes = _of_code(pair)
        table = {key: code for key, code in converter.values.items() if codes.valid(code, self._on)}
        if converter.theirs == (str,):
            return Fast("{f}[{0}]", table)
        read = converter.to_ours  # tells 1 from True, which a table does not

        def checked(value: Any) -> str:
            read(value)
            return table[value]

        return Fast("{f}({0})", checked)

    def check(self, source: Source) -> None:
        """Lines that give up on the struct ``ours`` if a code of it is not valid on its day."""
        for field, pairs in self._groups.items():
            node = self._root.children[field]
            lists = {_of_code(pair)[1] for pair in pairs}
            current = [code for codes in lists for code in codes.on(self._on)]
            start = max((code.valid_from for code in current), default=date.max)
            ends = [code.valid_to for code in current if code.valid_to is not None]
            inside = f"{source.bind(_bound(start, node), 'from')} <= ours.{field}"
            if ends:
                inside += f" < {source.bind(_bound(min(ends), node), 'to')}"
            known = f"ours.{field} is not None and " if node.nullable else ""
            with source.block(f"if {known}not ({inside}):"):
                day = source.name("day")
                source.line(f"{day} = {source.bind(day_of, 'day_of')}(ours.{field}, None)")
                for pair in pairs:
                    self._single(source, pair.ours[0], _of_code(pair)[1], day)

    def _single(self, source: Source, leaf: Node, codes: CodeList, day: str) -> None:
        valid = source.bind(codes.valid, "valid")
        variable = "ours"
        with ExitStack() as blocks:
            for node in (*leaf.between(self._root), leaf):
                value = f"{variable}.{node.parts(self._root)[-1]}"
                variable = source.name("x")
                if node.many:
                    blocks.enter_context(source.block(f"for {variable} in {value} or ():"))
                else:
                    source.line(f"{variable} = {value}")
                    if node.nullable:
                        blocks.enter_context(source.block(f"if {variable} is not None:"))
            with source.block(f"if not {valid}({variable}, {day}):"):
                source.line("raise STOP")


def _of_code(pair: Pair) -> tuple[Converter, CodeList]:
    """The converter of a pair of codes, and its list."""
    if pair.converter is None or pair.converter.code_list is None:
        raise TypeError(f"{pair.names} is no code")
    return pair.converter, pair.converter.code_list


def _bound(day: date, node: Node) -> date | datetime:
    """The day, or for a field that is a moment, when the day begins in Denmark."""
    return datetime.combine(day, time(), DENMARK) if node.base is datetime else day
