"""Rows resolved: each with the fields of both sides that it pairs, and everything about a mapping that is checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from samspil.codes import CodeList
from samspil.mapping import converters
from samspil.mapping.converter import Converter
from samspil.mapping.rows import Layers, Place, Placed, Row, paths
from samspil.mapping.tree import Node

TO_OURS, TO_THEIRS = "to_ours", "to_theirs"


@dataclass(eq=False)
class Pair:
    """One row. A row of a list has ``pairs``; a constant has no ``ours``; all others have a ``converter``."""

    theirs: tuple[Node, ...]
    ours: tuple[Node, ...]
    place: Place
    converter: Converter | None = None
    constant: Any = None
    pairs: list[Pair] = field(default_factory=list)

    @property
    def nested(self) -> bool:
        """Whether it pairs two lists of records."""
        return self.converter is None and bool(self.ours)

    @property
    def names(self) -> str:
        """The fields as an error names them."""
        return ", ".join(node.path for node in self.theirs)


@dataclass
class Resolution:
    """A mapping file against both sides. ``lost`` has the node and the reason of each lost field, theirs then ours."""

    theirs: Node
    ours: Node
    pairs: list[Pair]
    lost: list[tuple[str, Node, str]]

    def every(self) -> Iterator[Pair]:
        """Every pair, those of lists' records too."""
        waiting = list(self.pairs)
        while waiting:
            pair = waiting.pop(0)
            yield pair
            waiting[:0] = pair.pairs


class _Lookup:
    """Resolves the paths of one side and counts what is taken."""

    def __init__(self, side: str, root: Node) -> None:
        self.side, self.root = side, root
        self.taken: dict[Node, str] = {}

    def find(self, path: str, scope: Node, place: Place) -> Node:
        node = scope.find(path)
        if node is None:
            known = "the contract" if self.side == "theirs" else "the shared schema"
            raise place.error(f"{self.side}: {known} has no {_join(scope.path, path)}")
        relative = node.path[len(scope.path) :].lstrip(".")
        if relative != path:
            raise place.error(f"{self.side}: {path} is written {relative}")
        return node

    def take(self, path: str, scope: Node, place: Place, *, how: str = "mapped") -> Node:
        node = self.find(path, scope, place)
        if how == "mapped" and "[]" in path.removesuffix("[]"):
            raise place.error(f"{self.side}: fields of a list's records go into `rows` of a row for the list")
        for other in node.walk() if how == "lost" else [node]:
            if other in self.taken:
                raise place.error(f"{self.side}: {other.path} is {self.taken[other]} already")
            self.taken[other] = how
        return node

    def check(self, place: Place, *, needed: bool) -> None:
        """Every field is mapped or lost, and none is lost that is required in a direction wanted."""
        for node in self._whole(self.root):
            if node not in self.taken:
                raise place.error(f"{self.side}: {node.path} is neither mapped nor declared lost")
        if needed:
            self._check_required(self.root, place)

    def _whole(self, scope: Node) -> Iterator[Node]:
        """What must be taken: fields, and lists (whose records' fields only matter if the list is mapped)."""
        for node in scope.children.values():
            if node.many or not node.children:
                yield node
            if node.children and (not node.many or node in self.taken):
                yield from self._whole(node)

    def _check_required(self, scope: Node, place: Place) -> None:
        for node in scope.children.values():
            mapped = any(self.taken.get(below) == "mapped" for below in node.walk())
            if node.required and not mapped:
                direction = "to write" if self.side == "theirs" else "to read"
                raise place.error(f"{self.side}: {node.path} is required {direction}, so it cannot be lost")
            if mapped:
                self._check_required(node, place)


def resolve(
    layers: Layers, theirs: Node, ours: Node, lists: Mapping[str, CodeList], directions: Collection[str]
) -> Resolution:
    """Pair the fields. Raises SettingsError at the line that is wrong, in the file it is in."""
    left, right = _Lookup("theirs", theirs), _Lookup("ours", ours)
    pairs = [_pair(placed, theirs, ours, left, right, lists) for placed in layers.rows]
    lost: list[tuple[str, Node, str]] = []
    for item, place in layers.lost:
        lookup, path = (left, item.theirs) if item.theirs else (right, item.ours)
        lost.append((lookup.side, lookup.take(path, lookup.root, place, how="lost"), item.why))
    rows = layers.base.below("rows")
    left.check(rows, needed=TO_THEIRS in directions)
    right.check(rows, needed=TO_OURS in directions)
    return Resolution(theirs, ours, pairs, lost)


def _pair(
    placed: Placed, theirs: Node, ours: Node, left: _Lookup, right: _Lookup, lists: Mapping[str, CodeList]
) -> Pair:
    row: Row = placed.item
    place = placed.place
    mine = tuple(left.take(path, theirs, place) for path in paths(row.theirs))
    if not mine:
        raise place.error("`theirs` names no field")
    if row.constant is not None:
        if row.ours or row.rows or row.convert != "text" or len(mine) > 1:
            raise place.error("a constant has one `theirs` and nothing else")
        return Pair(mine, (), place, constant=row.constant)
    yours = tuple(right.take(path, ours, place) for path in paths(row.ours))
    if not yours:
        raise place.error("`ours` is missing (or `constant`)")
    pair = Pair(mine, yours, place)
    if row.rows is not None:
        _check_lists(pair, place)
        pair.pairs = [
            _pair(Placed(inner, place.below(f"rows[{index}]")), mine[0], yours[0], left, right, lists)
            for index, inner in enumerate(row.rows)
        ]
        return pair
    for node in (*mine, *yours):
        if node.children:
            raise place.error(f"{node.path} has fields of its own; map those" + (" in `rows`" if node.many else ""))
        if node.many and (len(mine) > 1 or len(yours) > 1):
            raise place.error("a list is mapped alone")
    if mine[0].many != yours[0].many:
        raise place.error("a list can only be mapped to a list")
    pair.converter = _converter(row, pair, lists)
    return pair


def _check_lists(pair: Pair, place: Place) -> None:
    if len(pair.theirs) > 1 or len(pair.ours) > 1:
        raise place.error("`rows` belong to one list of theirs and one of ours")
    for side, node in (("theirs", pair.theirs[0]), ("ours", pair.ours[0])):
        if not (node.many and node.children):
            raise place.error(f"{side}: {node.path} is no list of records, so it has no `rows`")


def _converter(row: Row, pair: Pair, lists: Mapping[str, CodeList]) -> Converter:
    first = pair.ours[0]
    try:
        made = converters.make(row.convert, first, lists)
    except ValueError as error:
        raise pair.place.below("as").error(str(error)) from None
    if made.symmetric and made.arity == (len(pair.ours), len(pair.theirs)):
        made = made.turned()
    if made.arity != (len(pair.theirs), len(pair.ours)):
        raise pair.place.error(f"{made.name} maps {made.arity[0]} of theirs to {made.arity[1]} of ours")
    if made.code_list is None and first.extra.get("code_list"):
        raise pair.place.error(f"{first.path} is a code of the list {first.extra['code_list']}; write `as: code`")
    return made


def _join(at: str, path: str) -> str:
    return f"{at}.{path}" if at else path
