"""The first mapping of a scaffold: every field of both sides as an open decision, with a proposal where one is obvious."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from samspil import codes
from samspil.mapping import tree
from samspil.mapping.tree import Node
from samspil.scaffold.fields import Described, Proposal, Record, converter, paired
from samspil.scaffold.text import WIDTH, asked, scalar

_HEAD = """\
# How {record} and {schema} become each other.
# Decide each TODO: write the field of ours in its place (a comment proposes one where the names agree), or move the
# field to `lost` below, as `- {{theirs: FIELD, why: the reason why it is not needed}}`.
record: {record}
rows:
"""
_CODES = 12  # a longer list is shown by `schemas/codes`


def mapping(schema: str, struct: type, record: Record) -> str:
    """The text of ``mappings/<name>/<schema>.yaml``; where no contract tells the fields, each of ours asks for theirs."""
    ours = tree.ours(struct)
    if not record.fields:
        asks = [(asked(f"which of their fields is {_called(node)}? or lost", ""), node.path) for node in _leaves(ours)]
        rows = [f"  - {{theirs: {question}, ours: {scalar(path)}}}\n" for question, path in asks]
        return _HEAD.format(record=record.name, schema=schema) + "".join(rows)
    left: list[Node] = []
    text = _HEAD.format(record=record.name, schema=schema)
    text += "".join(_rows(record, schema, record.name, record.tree, ours, 2, left))
    if left:
        text += "lost:  # of ours, as far as no name agrees; take a line away when its field has a row\n"
        text += "".join(f"  - {{ours: {scalar(node.path)}, why: {asked(_why(node), '')}}}\n" for node in left)
    return text


def _rows(
    record: Record, schema: str, name: str, theirs: Node, ours: Node, deep: int, left: list[Node]
) -> Iterator[str]:
    """A row for each of their fields below a scope called ``name``; ours that none is paired with are added to ``left``."""
    at = " " * deep
    for one in paired(name, theirs, ours):
        if one.theirs is None:
            left += [one.ours] if one.ours is not None else []
            continue
        described, path = record.described(one.theirs), _below(one.theirs, theirs)
        mine = "" if one.ours is None else _below(one.ours, ours)
        if one.theirs.children:
            yield f"{at}- theirs: {scalar(path)}\n{at}  ours: {asked(_which(one, schema), '')}{_note(described, mine)}\n"
            yield f"{at}  rows:\n"
            inner = path.removesuffix("[]").rpartition(".")[2]
            yield from _rows(record, schema, inner, one.theirs, one.ours or Node(), deep + 4, left)
            continue
        how = "" if one.ours is None else converter(described, one.ours)
        yield f"{at}- {{theirs: {scalar(path)}, ours: {asked(_which(one, schema), '')}}}{_note(described, mine, how)}\n"
        if one.ours is not None and how == "code":
            yield from _coded(path, mine, described, str(one.ours.extra["code_list"]), at)


def _which(one: Proposal, schema: str) -> str:
    theirs = one.theirs.path if one.theirs is not None else ""
    return f"{theirs}: is it {_called(one.ours)}?" if one.ours is not None else f"{theirs}: which of {schema}, or lost?"


def _why(node: Node) -> str:
    return f"{_called(node)}: which of theirs, or why is it lost?{' (required)' if node.required else ''}"


def _note(described: Described, mine: str, how: str = "") -> str:
    said = ["required"] if described.required else []
    said += [described.kind] if described.kind not in ("text", "object") else []
    if mine:
        said.append(f"perhaps ours: {scalar(mine)}" + (f", as: {how}" if how and how != "code" else ""))
    return f"  # {'; '.join(said)}" if said else ""


def _coded(path: str, mine: str, described: Described, name: str, at: str) -> Iterator[str]:
    """A row for a code as a comment: theirs from the contract, ours beside them."""
    there = list(dict.fromkeys(code.code for code in codes.load(name).codes))
    shown = ", ".join(there[:_CODES]) + (f" … (schemas/codes/{name}.csv)" if len(there) > _CODES else "")
    yield f"{at}# a code: {shown}; perhaps\n"
    known = {_coded_as(code): code for code in there}
    pairs = [f"{scalar(code)}: {known.get(_coded_as(code), 'TODO')}" for code in described.codes]
    if not pairs:
        yield f"{at}# - {{theirs: {scalar(path)}, ours: {scalar(mine)}, as: code}}\n"
        return
    rows = textwrap.wrap(", ".join(pair.replace(" ", "\0") for pair in pairs), WIDTH - len(at) - 10)
    values = [row.replace("\0", " ") for row in rows]
    yield f"{at}# - theirs: {scalar(path)}\n{at}#   ours: {scalar(mine)}\n{at}#   as: {{code: {{values: {{\n"
    yield "".join(f"{at}#     {line}\n" for line in values)
    yield f"{at}#   }}}}}}\n"


def _coded_as(code: object) -> str:
    return str(code).lower().replace("_", "-")


def _called(node: Node | None) -> str:
    danish = node.extra.get("da") if node is not None else ""
    path = node.path if node is not None else ""
    return f"{path} ({danish})" if danish else path


def _below(node: Node, scope: Node) -> str:
    return node.path[len(scope.path) :].lstrip(".")


def _leaves(scope: Node) -> Iterator[Node]:
    for node in scope.children.values():
        if node.children and not node.many:
            yield from _leaves(node)
        else:
            yield node
