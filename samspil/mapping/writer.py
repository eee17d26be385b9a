"""Generates ``to_theirs``: a function from our struct to a system's record, of the fields that may leave and no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from samspil.mapping import writing
from samspil.mapping.pairs import Pair, Resolution
from samspil.mapping.source import Source
from samspil.mapping.tree import Node


def compiled(
    resolution: Resolution, allowed: frozenset[str], *, protected: bool, name: str
) -> Callable[[Any], dict[str, Any]]:
    """The function. Raises SettingsError if a required field of theirs cannot be filled from ``allowed``."""
    pairs = writing.selected(resolution, allowed, protected=protected, name=name)
    source = Source()
    write = _Scope(source, resolution.theirs, resolution.ours, pairs).function()
    source.namespace["TRACE"] = writing.Tracing(resolution, pairs)
    with source.block("def to_theirs(ours):"):
        with source.block("try:"):
            source.line(f"return {write}(ours)")
        with source.block("except Exception:"):
            source.line("pass  # the error may hold a value: it ends here")
        source.line("return TRACE(ours)")
    return source.function("to_theirs", name)


class _Entry(NamedTuple):
    """One key of a dict of theirs: its value's expression, and the condition on which it is there ('' always)."""

    node: Node
    value: str
    condition: str = ""
    constant: bool = False


class _Scope:
    """One function: for the record as a whole, or for the records of one list."""

    def __init__(self, source: Source, theirs: Node, ours: Node, pairs: Sequence[Pair]) -> None:
        self.source, self.theirs, self.ours, self.pairs = source, theirs, ours, pairs
        self.entries: dict[Node, _Entry] = {}
        self.variables: dict[Node, str] = {ours: "s"}

    def function(self) -> str:
        """Generate it; the name."""
        inner = {
            pair: _Scope(self.source, pair.theirs[0], pair.ours[0], pair.pairs).function()
            for pair in self.pairs
            if pair.nested
        }
        name = self.source.name("write")
        with self.source.block(f"def {name}(s):"):
            for pair in self.pairs:
                if pair.converter is None and not pair.ours:
                    node = pair.theirs[0]
                    self.entries[node] = _Entry(node, self.source.bind(pair.constant, "constant"), constant=True)
                else:
                    self._pair(pair, inner.get(pair))
            value, _ = self._dict(self.theirs, sure=True)
            self.source.line(f"return {value}")
        return name

    def _pair(self, pair: Pair, element: str | None) -> None:
        values, conditions = [], []
        for node in pair.ours:
            value, condition = self._ours(node)
            values.append(value)
            conditions += [condition] * bool(condition)
        condition = " or ".join(dict.fromkeys(conditions)) if len(conditions) == len(values) else ""
        if pair.ours[0].many:
            item = f"{element}(item)" if element else self._convert(pair)("item")
            results = [f"[{item} for item in {values[0]}]"]
        else:
            results = [self._convert(pair)(*values)]
        if len(pair.theirs) > 1:
            results = [self.source.name("t") for _ in pair.theirs]
            together = f"{', '.join(results)} = {self._convert(pair)(*values)}"
            if condition:
                with self.source.block(f"if {condition}:"):
                    self.source.line(together)
            else:
                self.source.line(together)
        for node, result in zip(pair.theirs, results, strict=True):
            self.entries[node] = _Entry(node, result, condition)

    def _convert(self, pair: Pair) -> Callable[..., str]:
        assert pair.converter is not None  # noqa: S101  # for the type checker: lists of records and constants have none
        return self.source.expression(pair.converter.fast_theirs, pair.converter.to_theirs, pair.converter)

    def _ours(self, node: Node) -> tuple[str, str]:
        """The expression of our value, and the condition on which there is one ('' always)."""
        holder, condition = "s", ""
        for above in node.between(self.ours):
            holder, condition = self._held(above, holder, condition)
        value = f"{holder}.{node.parts(self.ours)[-1]}"
        if not node.nullable:
            return value, condition
        return self._held(node, holder, condition)

    def _held(self, node: Node, holder: str, condition: str) -> tuple[str, str]:
        value = f"{holder}.{node.parts(self.ours)[-1]}"
        if node not in self.variables:
            variable = self.variables[node] = self.source.name("o")
            self.source.line(f"{variable} = {value}" + (f" if {condition} else None" if condition else ""))
        variable = self.variables[node]
        return variable, f"{variable} is not None" if node.nullable or condition else ""

    def _dict(self, scope: Node, *, sure: bool) -> tuple[str, bool]:
        """The expression of a dict of theirs, in the contract's order, and whether there always is one.

        ``sure`` says that the dict must be there, so that a required field of it must be there too.
        """
        entries = list(self._entries(scope, sure=sure))
        always = sure or all(entry.constant for entry in entries)
        always = always or any(not entry.condition and not entry.constant for entry in entries)
        if always and not any(entry.condition for entry in entries):
            return "{" + ", ".join(f"{_key(entry.node)}: {entry.value}" for entry in entries) + "}", True
        variable = self.source.name("d")
        first = next(index for index, entry in enumerate(entries) if entry.condition or not always)
        started = ", ".join(f"{_key(entry.node)}: {entry.value}" for entry in entries[:first])
        self.source.line(f"{variable} = {{{started}}}")
        late = [] if always else [entry for entry in entries if entry.constant]
        for entry in entries[first:]:
            if entry not in late:
                self._set(variable, entry, must=always)
        if not always:
            required = [_key(entry.node) for entry in entries if entry.condition and entry.node.required]
            if required or late:
                with self.source.block(f"if {variable}:"):
                    for key in required:
                        with self.source.block(f"if {key} not in {variable}:"):
                            self.source.line("raise STOP")
                    for entry in late:
                        self._set(variable, entry, must=False)
        return variable, always

    def _entries(self, scope: Node, *, sure: bool) -> list[_Entry]:
        entries = []
        for node in scope.children.values():
            if node in self.entries:
                entries.append(self.entries[node])
            elif not node.many and any(below in self.entries for below in node.walk()):
                value, always = self._dict(node, sure=sure and node.required and self._has_required(node))
                constant = all(self.entries[below].constant for below in node.walk() if below in self.entries)
                entries.append(_Entry(node, value, "" if always else value, constant))
        return entries

    def _has_required(self, scope: Node) -> bool:
        return any(node.required for node in scope.children.values())

    def _set(self, variable: str, entry: _Entry, *, must: bool) -> None:
        line = f"{variable}[{_key(entry.node)}] = {entry.value}"
        if not entry.condition:
            self.source.line(line)
            return
        with self.source.block(f"if {entry.condition}:"):
            self.source.line(line)
        if must and entry.node.required:
            with self.source.block("else:"):
                self.source.line("raise STOP")


def _key(node: Node) -> str:
    return repr(node.path.rpartition(".")[2].removesuffix("[]"))
