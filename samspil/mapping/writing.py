"""What may be written, and the slow way to write it, which finds the field that does not pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from samspil.errors import Refused, SettingsError
from samspil.mapping.pairs import Pair, Resolution
from samspil.mapping.tree import Node


def selected(resolution: Resolution, allowed: frozenset[str], *, protected: bool, name: str) -> list[Pair]:
    """The pairs whose fields of ours may all leave, and the constants.

    Raises SettingsError if a field that the system requires is left without a value.
    """
    unknown = allowed - resolution.ours.children.keys()
    if unknown:
        raise SettingsError(f"the shared schema has no field {min(unknown)}", field=name)
    hidden = set(_hidden(resolution.ours, False)) if protected else set()

    def choose(pairs: Sequence[Pair]) -> list[Pair]:
        return [
            replace(pair, pairs=choose(pair.pairs))
            for pair in pairs
            if all(_top(node) in allowed and node not in hidden for node in pair.ours)
        ]

    chosen = choose(resolution.pairs)
    filled = {node for pair in _every(chosen) for node in pair.theirs}
    sources = {node: pair for pair in resolution.every() for node in pair.theirs}

    def check(scope: Node) -> None:
        for node in scope.children.values():
            has = any(below in filled for below in node.walk())
            if node.required and not has:
                lacking = [pair for below in node.walk() if (pair := sources.get(below)) is not None]
                ours = sorted({_top(field) for pair in lacking for field in pair.ours})
                why = "address protection hides" if set(ours) <= allowed else "the agreement does not carry"
                raise SettingsError(f"{node.path} is required, and {why} {', '.join(ours)}", field=name)
            if has:
                check(node)

    check(resolution.theirs)
    return chosen


class Tracing:
    """Writes a struct pair by pair. Called after the generated function gave up; always ends in Refused."""

    def __init__(self, resolution: Resolution, pairs: Sequence[Pair]) -> None:
        self._all, self._pairs = resolution, pairs

    def __call__(self, ours: Any) -> NoReturn:
        self._scope(ours, self._all.theirs, self._all.ours, self._pairs)
        raise Refused("not-valid")

    def _scope(self, value: Any, theirs: Node, ours: Node, pairs: Sequence[Pair]) -> None:
        filled: set[Node] = set()
        for pair in pairs:
            if not pair.ours:
                continue
            values = [_value(value, node, ours) for node in pair.ours]
            if all(item is None for item in values):
                continue
            filled.update(pair.theirs)
            if pair.ours[0].many and not isinstance(values[0], list):
                raise Refused("wrong-type", field=pair.names)
            if pair.nested:
                for item in values[0]:
                    self._scope(item, pair.theirs[0], pair.ours[0], pair.pairs)
            elif pair.converter is not None:
                for arguments in [(item,) for item in values[0]] if pair.ours[0].many else [tuple(values)]:
                    _try(pair.converter.to_theirs, arguments, pair.converter.reason, pair.names)
        self._required(theirs, filled, sure=True)

    def _required(self, scope: Node, filled: set[Node], *, sure: bool) -> None:
        for node in scope.children.values():
            there = any(below in filled for below in node.walk())
            if node.required and sure and not there and (node.many or not node.children):
                raise Refused("missing-field", field=node.path)
            if node.children and not node.many:
                self._required(node, filled, sure=there or (sure and node.required))


def _try(function: Callable[..., Any], arguments: tuple[Any, ...], reason: str, field: str) -> None:
    try:
        function(*arguments)
    except Refused as refused:
        found = refused.reason
    except Exception:  # noqa: BLE001  # a converter may raise anything, and what it raises may hold the value
        found = reason
    else:
        return
    raise Refused(found, field=field)


def _value(value: Any, node: Node, scope: Node) -> Any:
    for part in node.parts(scope):
        value = None if value is None else getattr(value, part)
    return value


def _every(pairs: Sequence[Pair]) -> list[Pair]:
    return [below for pair in pairs for below in (pair, *_every(pair.pairs))]


def _hidden(node: Node, hidden: bool) -> list[Node]:
    hidden = hidden or bool(node.extra.get("protected"))
    below = [other for child in node.children.values() for other in _hidden(child, hidden)]
    return [node, *below] if hidden else below


def _top(node: Node) -> str:
    return node.path.partition(".")[0].removesuffix("[]")
