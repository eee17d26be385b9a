"""Generates ``to_ours``: a function from a system's record to our struct, as one would write it by hand.

The function checks only what costs next to nothing and gives up on any doubt; :mod:`tracing` then reads the record
again, row by row, and either finds the field that is wrong or, for a rare but right record, gives the struct.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import msgspec

from samspil.mapping import tracing, validity
from samspil.mapping.converter import Converter
from samspil.mapping.pairs import Pair, Resolution
from samspil.mapping.source import Source
from samspil.mapping.tree import Node


def compiled(resolution: Resolution, on: date, *, name: str) -> Callable[[dict[str, Any]], Any]:
    """The function. It raises Refused, and nothing else, for a record that does not pass."""
    source = Source()
    windows = validity.windows(resolution, on)
    build = _Scope(source, windows, resolution.theirs, resolution.ours, resolution.pairs).function()
    trace = tracing.Reading(resolution, on)
    source.namespace |= {"convert": msgspec.convert, "STRUCT": resolution.ours.base, "TRACE": trace}
    with source.block("def to_ours(record):"):
        with source.block("try:"):
            source.line(f"ours = convert({build}(record), STRUCT)")
            windows.check(source)
            source.line("return ours")
        with source.block("except Exception:"):
            source.line("pass  # the error may hold a value: it ends here")
        source.line("return TRACE(record)")
    return source.function("to_ours", name)


class _Scope:
    """One function: for the record as a whole, or for the records of one list."""

    def __init__(
        self, source: Source, windows: validity.Windows, theirs: Node, ours: Node, pairs: Sequence[Pair]
    ) -> None:
        self.source, self.windows, self.theirs, self.ours, self.pairs = source, windows, theirs, ours, pairs
        self.variables = {theirs: "r"}
        self.values: dict[Node, str] = {}  # of ours: the expression

    def function(self) -> str:
        """Generate it; the name."""
        inner = {
            pair: _Scope(self.source, self.windows, pair.theirs[0], pair.ours[0], pair.pairs).function()
            for pair in self.pairs
            if pair.nested
        }
        name = self.source.name("read")
        with self.source.block(f"def {name}(r):"):
            self._known(self.theirs, "r")
            for node in _containers(self.theirs, self.pairs):
                self._container(node)
            for pair in self.pairs:
                if pair.nested or (pair.ours and pair.ours[0].many):
                    self._list(pair, inner.get(pair))
                elif pair.ours:
                    self._pair(pair)
            self.source.line(f"return {self._dict(self.ours)}")
        return name

    def _known(self, node: Node, variable: str) -> None:
        known = self.source.bind(frozenset(node.children), "known")
        with self.source.block(f"if not {known}.issuperset({variable}):"):
            self.source.line("raise STOP")

    def _container(self, node: Node) -> None:
        *above, key = node.parts(self.theirs)
        parent = self.variables[node.between(self.theirs)[-1] if above else self.theirs]
        variable = self.variables[node] = self.source.name("c")
        self.source.line(f"{variable} = {parent}.get({key!r}) or NOTHING")
        self._known(node, variable)

    def _raw(self, node: Node) -> tuple[str, str]:
        """The expression of their value, and of whether its container is there ('' if it must be)."""
        containers = node.between(self.theirs)
        variable = self.variables[containers[-1] if containers else self.theirs]
        sure = all(container.required for container in containers)
        key = node.parts(self.theirs)[-1]
        if node.required and sure:
            return f"{variable}[{key!r}]", ""
        return f"{variable}.get({key!r})", "" if sure else variable

    def _pair(self, pair: Pair) -> None:
        assert pair.converter is not None  # noqa: S101  # for the type checker: only lists and constants have none
        convert = self._expression(pair, pair.converter)
        raws = [self._raw(node) for node in pair.theirs]
        if not tracing.may_lack(pair, self.ours):
            self._assign(pair, convert(*(raw for raw, _ in raws)))
            return
        variables = []
        for node, (raw, container) in zip(pair.theirs, raws, strict=True):
            variable = self.source.name("v")
            variables.append(variable)
            self.source.line(f"{variable} = {raw}")
            if node.required:
                with self.source.block(f"if {variable} is None{f' and {container}' if container else ''}:"):
                    self.source.line("raise STOP")
        value, default = convert(*variables), self._default(pair)
        if value != variables[0] or default != "None":
            absent = " and ".join(f"{variable} is None" for variable in variables)
            value = f"{default} if {absent} else {value}"
        self._assign(pair, value)

    def _default(self, pair: Pair) -> str:
        """What the fields are without a value on their side."""
        defaults = ["None" if node.default is None else self.source.bind(node.default, "d") for node in pair.ours]
        return defaults[0] if len(defaults) == 1 else f"({', '.join(defaults)})"

    def _expression(self, pair: Pair, converter: Converter) -> Callable[..., str]:
        fast = self.windows.fast(pair) if converter.code_list else converter.fast_ours
        return self.source.expression(fast, converter.to_ours, converter)

    def _assign(self, pair: Pair, value: str) -> None:
        used_once = not any(above.nullable for above in pair.ours[0].between(self.ours))
        if len(pair.ours) == 1 and (used_once or value.isidentifier()):
            self.values[pair.ours[0]] = f"({value})" if " if " in value else value
            return
        variables = [self.source.name("o") for _ in pair.ours]
        self.source.line(f"{', '.join(variables)} = {value}")
        self.values |= zip(pair.ours, variables, strict=True)

    def _list(self, pair: Pair, element: str | None) -> None:
        (raw, container), node, mine = self._raw(pair.theirs[0]), pair.theirs[0], pair.ours[0]
        variable = self.source.name("v")
        self.source.line(f"{variable} = {raw}")
        with self.source.block(f"if {variable}.__class__ is not list:"):
            refused = f"{variable} is not None"
            if node.required:
                refused = f"{refused} or {container or 'True'}"
            with self.source.block(f"if {refused}:"):
                self.source.line("raise STOP")
            self.source.line(f"{variable} = {'None' if mine.nullable else '[]'}")
        with self.source.block("else:"):
            if element is None:
                assert pair.converter is not None  # noqa: S101  # for the type checker: a list of values has one
                item = self._expression(pair, pair.converter)("item")
            else:
                item = f"{element}(item)"
            if item != "item":
                self.source.line(f"{variable} = [{item} for item in {variable}]")
            else:
                self.source.line("pass")
        self.values[mine] = variable

    def _dict(self, scope: Node) -> str:
        """The expression of our record (a dict) at a node."""
        parts = []
        for name, node in scope.children.items():
            if node in self.values:
                parts.append(f"{name!r}: {self.values[node]}")
            elif node.children and not node.many:
                inner = self._dict(node)
                if inner != "{}":
                    parts.append(f"{name!r}: {self._if_any(node, inner)}")
        return "{" + ", ".join(parts) + "}"

    def _if_any(self, node: Node, inner: str) -> str:
        """A container that may be None is None unless something is in it."""
        if not node.nullable:
            return inner
        there = [
            value if below.many else f"{value} is not None"
            for below in node.walk()
            if (value := self.values.get(below)) is not None
        ]
        return f"({inner} if {' or '.join(there)} else None)"


def _containers(scope: Node, pairs: Sequence[Pair]) -> list[Node]:
    """The containers that are looked into, outer ones first."""
    found: dict[Node, None] = {}
    for pair in pairs:
        for node in pair.theirs if pair.ours else ():
            found |= dict.fromkeys(node.between(scope))
    return list(found)
