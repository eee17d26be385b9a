"""The fields of a system's record as its contract describes them, for proposals; and ours beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from samspil.connector import Field
from samspil.mapping.tree import Node, theirs
from samspil.scaffold.terms import meanings, spellings

Kind = Literal["text", "date", "moment", "integer", "number", "boolean", "binary", "object"]


class Described(NamedTuple):
    """What the contract says of one field. ``kind`` is how it comes to a mapping, ``about`` how a sample has it."""

    required: bool = False
    kind: Kind = "text"
    codes: tuple[str | int, ...] = ()
    about: str = ""


class Record(NamedTuple):
    """A record: its name, and every field of it as ``Connector.fields`` has them, with its description."""

    name: str
    fields: Mapping[str, Described]

    @property
    def tree(self) -> Node:
        return theirs({path: Field(one.required) for path, one in self.fields.items()})

    def described(self, node: Node) -> Described:
        return self.fields.get(node.path, Described())


class Proposal(NamedTuple):
    """A field or list of theirs that is obviously one of ours, or only one of the two."""

    theirs: Node | None
    ours: Node | None


def paired(record: str, left: Node, right: Node) -> list[Proposal]:
    """Every field and list of both sides once, theirs in the contract's order, then what is left of ours."""
    free = {node: meanings(_short(node, right), str(node.extra.get("da") or "")) for node in _ends(right)}
    found: dict[Node, Node] = {}
    named = [(node, list(spellings(node.path[len(left.path) :].lstrip("."), record=record))) for node in _ends(left)]
    for rank in range(max((len(names) for _, names in named), default=0)):
        for node, names in named:
            if node in found or rank >= len(names):
                continue
            for other, words in free.items():
                if names[rank] in words and _alike(node, other):
                    found[node] = other
                    del free[other]
                    break
    return [*(Proposal(node, found.get(node)) for node, _ in named), *(Proposal(None, node) for node in free)]


def converter(described: Described, node: Node) -> str:
    """What ``as:`` would be in a row for one of our fields; empty for text. A code needs values, see ``codes``."""
    about = described.about
    name, danish = node.path.rpartition(".")[2], str(node.extra.get("da") or "")
    if name.endswith("cpr"):
        return "cpr"
    if name.endswith("cvr"):
        return "cvr"
    if name.endswith("p_number") or "P-nummer" in danish:
        return "p_number"
    kinds: dict[object, str] = {
        date: about if "date" in about else "date",
        datetime: "timestamp",
        Decimal: "number" if described.kind == "number" else about if "decimal" in about else "decimal_point",
        float: "number",
        int: "integer" if described.kind == "integer" else "{integer: {text: true}}",
        bool: "boolean",
        bytes: "base64",
    }
    return "code" if node.extra.get("code_list") else kinds.get(node.base, "")


def _ends(scope: Node) -> Iterator[Node]:
    """What a mapping must take: fields that hold a value, and lists; the records of a list are a scope of their own."""
    for node in scope.children.values():
        if node.many or not node.children:
            yield node
        else:
            yield from _ends(node)


def _short(node: Node, scope: Node) -> str:
    return "".join(node.parts(scope)[-1:])


def _alike(node: Node, other: Node) -> bool:
    return node.many == other.many and bool(node.children) == bool(other.children)
