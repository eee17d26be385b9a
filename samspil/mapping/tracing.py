"""The slow way to read a record: row by row, finding the field that does not pass. It defines what passes.

A generated function that gives up on a record hands it to here. Nearly always that ends in a Refused; a record whose
code was valid on its day but is not today comes out as a struct.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from samspil.errors import Refused
from samspil.mapping import validity
from samspil.mapping.converter import Converter
from samspil.mapping.pairs import Pair, Resolution
from samspil.mapping.tree import Node

_PLAIN_KEY = re.compile(r"[^\W\d][\w-]{0,60}")
_MANY_DIGITS = re.compile(r"\d.*\d.*\d.*\d")


class Reading:
    """Reads records of one mapping. Called with a record: our struct, or Refused with the path of their field."""

    def __init__(self, resolution: Resolution, on: date) -> None:
        self._all, self._on = resolution, on

    def __call__(self, record: Any) -> Any:
        found = self._scope(record, self._all.theirs, self._all.ours, self._all.pairs)
        ours, message = _struct(found, self._all.ours.base)
        if message:
            raise Refused("not-valid", field=self._field_of(message))
        for pair in self._all.every():
            if pair.converter and pair.converter.code_list:
                self._check_codes(pair, pair.converter, ours)
        return ours

    def _scope(self, record: Any, theirs: Node, ours: Node, pairs: list[Pair]) -> dict[str, Any]:
        """Our fields (nested dicts) of their record or of one record in a list of theirs."""
        _check_keys(record, theirs)
        results: dict[Node, tuple[Any, Pair]] = {}
        for pair in pairs:
            if pair.ours:
                values = self._pair(pair, record, theirs, ours)
                results |= {node: (value, pair) for node, value in zip(pair.ours, values, strict=True)}
        return _assembled(ours, results)

    def _pair(self, pair: Pair, record: Any, theirs: Node, ours: Node) -> tuple[Any, ...]:
        """The values of the pair's fields of ours; None for one that is absent and may be."""
        values = []
        for node in pair.theirs:
            value, there = _value(record, node, theirs)
            if value is None and node.required and there:
                raise Refused("missing-field", field=node.path)
            values.append(value)
        lacking = [node.path for node, value in zip(pair.theirs, values, strict=True) if value is None]
        if len(lacking) == len(values) and may_lack(pair, ours):
            return tuple(node.default for node in pair.ours)
        if lacking:
            raise Refused("missing-field", field=lacking[0])
        results = self._converted(pair, values)
        for node, result in zip(pair.ours, results, strict=True):
            _check_type(node, result, pair)
        return results

    def _converted(self, pair: Pair, values: list[Any]) -> tuple[Any, ...]:
        if not pair.ours[0].many:
            result = _convert(pair, tuple(values))
            return result if len(pair.ours) > 1 else (result,)
        (items,) = values
        if type(items) is not list:
            raise Refused("wrong-type", field=pair.names)
        if pair.nested:
            return ([self._scope(item, pair.theirs[0], pair.ours[0], pair.pairs) for item in items],)
        return ([_convert(pair, (item,)) for item in items],)

    def _check_codes(self, pair: Pair, converter: Converter, ours: Any) -> None:
        node = pair.ours[0]
        field = node.extra.get("valid_on")
        day = validity.day_of(getattr(ours, field) if field else None, self._on)
        codes = converter.code_list
        for code in _leaves(ours, node.parts(self._all.ours)):
            if codes is not None and not codes.valid(code, day):
                raise Refused("expired-code", field=pair.names)

    def _field_of(self, message: str) -> str:
        """Their field for a rule of the struct as a whole, whose message starts with our field."""
        name = message.partition(":")[0]
        for pair in self._all.every():
            if any(node.path.removesuffix("[]") == name for node in pair.ours):
                return pair.names
        return ""


def may_lack(pair: Pair, scope: Node) -> bool:
    """Whether our side takes it that their fields are absent, as far as the pair alone can tell."""
    return all(
        node.nullable or not node.required or node.many or any(above.nullable for above in node.between(scope))
        for node in pair.ours
    )


def _value(record: Any, node: Node, scope: Node) -> tuple[Any, bool]:
    """Their value (None: absent) and whether it ought to be there, as its containers are or must be."""
    there = True
    for container in node.between(scope):
        record = record.get(container.parts(scope)[-1]) or {}
        _check_keys(record, container)
        there = bool(record) or (there and container.required)
    return record.get(node.parts(scope)[-1]), there


def _check_keys(record: Any, node: Node) -> None:
    if not isinstance(record, dict):
        raise Refused("wrong-type", field=node.path)
    for key in record:
        if key not in node.children:
            raise Refused("unknown-field", field=".".join(part for part in (node.path, _shown(key)) if part))


def _shown(key: Any) -> str:
    """A key as it is, if it looks like a name: a key that is not in the contract may be anything, even a CPR number."""
    named = isinstance(key, str) and _PLAIN_KEY.fullmatch(key) and not _MANY_DIGITS.search(key)
    return key if named else "*"


def _assembled(scope: Node, results: dict[Node, tuple[Any, Pair]]) -> dict[str, Any]:
    """Our nested dict. A container that may be None is None unless something is in it."""
    found: dict[str, Any] = {}
    for name, node in scope.children.items():
        if node in results:
            found[name] = results[node][0]
        elif node.children and not node.many and any(below in results for below in node.walk()):
            there = [below for below in node.walk() if below in results and _filled(below, results[below][0])]
            found[name] = None if node.nullable and not there else _assembled(node, results)
            if found[name] is not None:
                _check_kept(node, results)
    return found


def _check_kept(container: Node, results: dict[Node, tuple[Any, Pair]]) -> None:
    for node in container.children.values():
        if node in results and results[node][0] is None and node.required and not node.nullable:
            raise Refused("missing-field", field=results[node][1].names)


def _filled(node: Node, value: Any) -> bool:
    return bool(value) if node.many else value is not None


def _leaves(value: Any, parts: tuple[str, ...]) -> Iterator[Any]:
    """Every value at a path of a struct, through lists."""
    if value is None:
        return
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item, parts)
    elif parts:
        yield from _leaves(getattr(value, parts[0]), parts[1:])
    else:
        yield value


def _convert(pair: Pair, values: tuple[Any, ...]) -> Any:
    converter = pair.converter
    assert converter is not None  # noqa: S101  # for the type checker: a list of records is not converted
    try:
        return converter.to_ours(*values)
    except Refused as refused:
        reason = refused.reason
    except Exception:  # noqa: BLE001  # a converter may raise anything, and what it raises may hold the value
        reason = converter.reason
    if not all(type(value) in converter.theirs for value in values):
        reason = "cpr-lost-zero" if converter.name == "cpr" and _nine_digits(values[0]) else "wrong-type"
    raise Refused(reason, field=pair.names)


def _nine_digits(value: Any) -> bool:
    return type(value) is int and 10**8 <= value < 10**9


def _struct(found: dict[str, Any], struct: type) -> tuple[Any, str]:
    """The struct, or what is wrong with it. (Errors that hold values end where they are caught.)"""
    try:
        return msgspec.convert(found, struct), ""
    except msgspec.ValidationError as error:
        return None, str(error)


def _check_type(node: Node, value: Any, pair: Pair) -> None:
    try:
        msgspec.convert(value, node.annotation)
    except msgspec.ValidationError as error:
        message = str(error)
    else:
        return
    reason = "not-valid"
    if message.startswith(
        ("Expected `str` of length <=", "Expected `array` of length <=", "Expected `bytes` of length <=")
    ):
        reason = "too-long"
    elif ", got `" in message:
        reason = "wrong-type"
    raise Refused(reason, field=pair.names)
