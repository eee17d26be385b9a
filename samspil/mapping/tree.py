"""Both sides of a mapping as trees of nodes: the system's record from its contract, ours from its struct.

Paths are dotted and have ``[]`` after a list: ``Maal.Element[].Titel``.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Union

import msgspec

from samspil.connector import Field


@dataclass(eq=False)
class Node:
    """A field, a container of fields (``children``), or a list of either (``many``).

    ``required`` is meant within the nearest container: a required field of an optional container may be absent
    together with it. ``annotation``, ``base``, ``nullable`` and ``extra`` are known of our side only: the type with
    all its constraints, the plain type (of a list: of one element), whether None is a value, and ``Meta(extra=…)``.
    """

    path: str = ""
    required: bool = True
    many: bool = False
    children: dict[str, Node] = field(default_factory=dict)
    annotation: Any = Any
    base: Any = None
    nullable: bool = False
    default: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def parts(self, scope: Node) -> tuple[str, ...]:
        """The names from ``scope`` down to this node, without brackets."""
        below = self.path[len(scope.path) :].lstrip(".")
        return tuple(part.removesuffix("[]") for part in below.split("."))

    def find(self, path: str) -> Node | None:
        """The node at a path relative to this one. The path's brackets may be missing: ``many`` tells."""
        node: Node | None = self
        for part in path.split("."):
            node = node.children.get(part.removesuffix("[]")) if node else None
        return node

    def between(self, scope: Node) -> list[Node]:
        """The containers from ``scope`` (not included) down to this node (not included)."""
        nodes, node = [], scope
        for part in self.parts(scope)[:-1]:
            node = node.children[part]
            nodes.append(node)
        return nodes

    def walk(self) -> Iterator[Node]:
        """This node and everything below it."""
        yield self
        for child in self.children.values():
            yield from child.walk()


def theirs(fields: Mapping[str, Field]) -> Node:
    """The tree of a connector's ``fields``, in the contract's order.

    A container may be listed itself to say whether it is required; one that is not listed is required if one of its
    fields is (a list that is not listed is not).
    """
    root = Node()
    implied: list[Node] = []
    for path, contract in fields.items():
        node, at = root, ""
        for part in path.split("."):
            at = f"{at}.{part}" if at else part
            name = part.removesuffix("[]")
            if name not in node.children:
                node.children[name] = Node(at, required=False, many=part.endswith("[]"))
                if at not in fields:
                    implied.append(node.children[name])
            node = node.children[name]
        node.required = contract.required
    for node in reversed(implied):
        node.required = not node.many and any(child.required for child in node.children.values())
    return root


@cache
def ours(struct: type) -> Node:
    """The tree of a struct of the shared schemas; one for all, to be read only."""
    return Node(children=_fields(struct, ""), annotation=struct, base=struct)


def _fields(struct: type, at: str) -> dict[str, Node]:
    hints = typing.get_type_hints(struct, include_extras=True)
    nodes = {}
    for item in msgspec.structs.fields(struct):
        node = Node(f"{at}.{item.name}" if at else item.name, item.required, annotation=hints[item.name])
        if not item.required:
            factory = item.default_factory
            node.default = item.default if factory is msgspec.NODEFAULT else factory()
        _describe(node, hints[item.name])
        nodes[item.name] = node
    return nodes


def _describe(node: Node, hint: Any) -> None:
    """Look through Annotated, ``| None`` and ``list`` for what is below."""
    if typing.get_origin(hint) is Annotated:
        hint, *metas = typing.get_args(hint)
        for meta in metas:
            if isinstance(meta, msgspec.Meta):
                node.extra = {**node.extra, **(meta.extra or {})}
        _describe(node, hint)
    elif typing.get_origin(hint) in (Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(hint) if kind is not types.NoneType]
        node.nullable = len(kinds) < len(typing.get_args(hint))
        if len(kinds) == 1:
            _describe(node, kinds[0])
    elif typing.get_origin(hint) is list:
        node.many = True
        node.path += "[]"
        _describe(node, typing.get_args(hint)[0])
    else:
        node.base = hint
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            node.children = _fields(hint, node.path)
