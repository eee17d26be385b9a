"""What becomes of one field of a system's record, from its mapping and from what the shared schema says of ours.

An *identifier* or *sensitive* field is always replaced. An *ordinary* one is kept only where its type leaves no room for
a person: a date, a number, a flag, a code of a list, a short patterned text. Texts that anybody can write into are
replaced whatever the schema calls them, for ``ordinary`` fields hold the names of case workers.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from samspil.mapping.converter import Converter
from samspil.mapping.pairs import Pair
from samspil.mapping.tree import Node
from samspil.testing.recording.rules import Kind

SHORT = 8  # digits; a patterned text with so many may be anybody's number
_NUMBER = re.compile(r"[+-]?[0-9.,:]+")
_CONVERTED: Mapping[str, Kind] = {"cpr": "cpr", "cvr": "cvr", "p_number": "p_number", "base64": "content"}
_NAMED: Mapping[str, Kind] = {"phone": "phone", "contact_phone": "phone", "email": "email", "sha256": "digest"}


class Treatment(NamedTuple):
    """``accepts`` tells whether the mapping takes a value: a replacement passes it if, and only if, the value did.

    ``alike`` has a code's values, in the system's words, each with those that are valid on the same days; ``bounds``
    are a number's.
    """

    kind: Kind
    accepts: Callable[[Any], bool] | None = None
    alike: Mapping[Any, Sequence[Any]] = MappingProxyType({})
    bounds: tuple[int, int] | None = None
    sensitive: bool = False

    def keeps(self, value: Any) -> bool:
        """Whether the value may stay as it is."""
        if self.kind == "code":
            return not self.sensitive and value in self.alike
        if self.kind != "keep" or self.accepts is None:
            return self.kind == "keep"
        return self.accepts(value)

    def fitting(self, value: Any) -> Treatment:
        """The treatment of a value that is not what the field should hold: by what it looks like."""
        wrong = self.kind == "keep" or (self.kind == "code" and value not in self.alike)
        if wrong or (self.kind == "number" and isinstance(value, str) and not _NUMBER.fullmatch(value)):
            return Treatment("any", self.accepts)
        return self


def of(pair: Pair) -> Iterator[tuple[Node, Treatment]]:
    """Each of their fields in a row, with its treatment."""
    for node in pair.theirs:
        if pair.constant is not None:
            yield node, Treatment("code", alike={one: (one,) for one in (pair.constant, str(pair.constant))})
        elif not pair.nested:
            yield node, _of(pair)


def _of(pair: Pair) -> Treatment:
    converter, ours = pair.converter, pair.ours[0]
    if converter is None or len(pair.ours) > 1 or len(pair.theirs) > 1:
        return Treatment("words")
    sensitivity = ours.extra.get("sensitivity", "sensitive")
    name = ours.path.removesuffix("[]").rpartition(".")[2]
    accepts = _accepting(converter.to_ours)
    if converter.values:
        return Treatment("code", accepts, _alike(converter), sensitive=sensitivity != "ordinary")
    if kind := _CONVERTED.get(converter.name) or _NAMED.get(name):
        return Treatment(kind, accepts)
    if ours.base is str:
        if sensitivity == "sensitive":
            return Treatment("text", accepts)
        return Treatment("words", accepts) if sensitivity == "identifier" or not _short(ours) else Treatment("keep")
    if sensitivity == "ordinary" and ours.base in (int, float, bool, Decimal, date, datetime):
        return Treatment("keep", accepts)
    return Treatment("number", accepts, bounds=_bounds(ours.annotation))


def _alike(converter: Converter) -> Mapping[Any, Sequence[Any]]:
    """Each of the system's codes, and each as a text, with the codes that may stand for it."""

    def periods(code: str) -> list[object]:
        codes = converter.code_list.codes if converter.code_list else ()
        return [(one.valid_from, one.valid_to) for one in codes if one.code == code]

    found: dict[Any, Sequence[Any]] = {}
    for value, code in converter.values.items():
        same = [other for other, its in converter.values.items() if periods(its) == periods(code)]
        found[str(value)] = [str(other) for other in same]
        found[value] = [other for other in same if type(other) is type(value)]
    return found


def _accepting(convert: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def passes(value: Any) -> bool:
        try:
            convert(value)
        except Exception:  # noqa: BLE001 - a converter may raise anything for a value that does not pass
            return False
        return True

    def accepts(value: Any) -> bool:
        return any(map(passes, _readings(value)))

    return accepts


def _readings(value: Any) -> list[Any]:
    """The value and what a connector may read it as: in XML and CSV, numbers and flags are texts."""
    if not isinstance(value, str):
        return [value]
    flag = {"true": True, "false": False, "1": True, "0": False}.get(value)
    whole = [int(value)] if value.isascii() and value.isdigit() else []
    return [value, *whole, *([] if flag is None else [flag])]


def _metas(annotation: Any) -> Iterator[msgspec.Meta]:
    for part in typing.get_args(annotation):
        if isinstance(part, msgspec.Meta):
            yield part
        else:
            yield from _metas(part)


def _short(node: Node) -> bool:
    """Whether the type has a pattern into which no number of a person or telephone fits (a municipality's code)."""
    if all(meta.pattern is None for meta in _metas(node.annotation)):
        return False
    try:
        msgspec.convert("1" * SHORT, node.annotation)
    except msgspec.ValidationError:
        return True
    return False


def _bounds(annotation: Any) -> tuple[int, int] | None:
    low = [meta.ge for meta in _metas(annotation) if meta.ge is not None]
    high = [meta.le for meta in _metas(annotation) if meta.le is not None]
    return (int(low[0]), int(high[0])) if low and high else None
