"""Converters of texts, flags, identifiers, codes and content."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from samspil import identifiers
from samspil.codes import CodeList
from samspil.mapping.converter import SAME, Converter, Fast, Options, converter, exactly
from samspil.mapping.tree import Node


@converter("text")
def _text(_options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    text = exactly(str)
    return Converter(name="text", to_ours=text, to_theirs=text, fast_ours=SAME, fast_theirs=SAME, pseudonym=True)


@converter("boolean", "true", "false")
def _boolean(options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    if not options:
        flag = exactly(bool)
        return Converter(
            name="boolean", to_ours=flag, to_theirs=flag, theirs=(bool,), ours=(bool,), fast_ours=SAME, fast_theirs=SAME
        )
    true, false = options.get("true"), options.get("false")
    if type(true) is not type(false) or type(true) not in (str, int) or true == false:
        raise ValueError("boolean takes two different spellings, both text or both integers: true and false")
    read, write = {true: True, false: False}, {True: true, False: false}
    kind = exactly(type(true))
    return Converter(
        name="boolean",
        to_ours=lambda value: read[kind(value)],
        to_theirs=write.__getitem__,
        theirs=(type(true),),
        ours=(bool,),
        fast_ours=Fast("{f}[{0}]", read) if type(true) is str else None,
        fast_theirs=Fast("{f}[{0}]", write),
    )


@converter("cpr", "separator", "pseudonym")
def _cpr(options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    separator = options.get("separator")
    if separator not in (None, "-", " "):
        raise ValueError('cpr has the separator "-" or " ", or none')
    pseudonym = options.get("pseudonym", False)
    if pseudonym not in (True, False) or (pseudonym and separator):
        raise ValueError("pseudonym is true where the system takes one in the place of a CPR number without separator")

    def read(value: Any) -> str:
        identifiers.cpr_kind(value)
        return str(value)

    def read_parts(value: str) -> str:
        day, between, number = value[:6], value[6:7], value[7:]
        if between != separator:
            raise ValueError
        return read(day + number)

    if separator is None:
        return Converter(
            name="cpr",
            to_ours=read,
            to_theirs=exactly(str),
            reason="bad-cpr",
            fast_theirs=SAME,
            pseudonym=pseudonym,
        )
    return Converter(
        name="cpr", to_ours=read_parts, to_theirs=lambda value: f"{value[:6]}{separator}{value[6:]}", reason="bad-cpr"
    )


@converter("cvr")
def _cvr(_options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    return Converter(name="cvr", to_ours=identifiers.cvr, to_theirs=exactly(str), reason="bad-cvr", fast_theirs=SAME)


@converter("p_number")
def _p_number(_options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    return Converter(
        name="p_number", to_ours=identifiers.p_number, to_theirs=exactly(str), reason="bad-p-number", fast_theirs=SAME
    )


@converter("base64")
def _base64(_options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    def read(value: str) -> bytes:
        return base64.b64decode(exactly(str)(value), validate=True)

    def write(value: bytes) -> str:
        return base64.b64encode(value).decode("ascii")

    return Converter(name="base64", to_ours=read, to_theirs=write, ours=(bytes,))


@converter("name_parts", "order")
def _name_parts(options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    """Split at the last space, so a family name of several words is written whole but reads back otherwise.

    With ``order: family_first`` ("Family, Given") nothing is guessed. One name alone cannot be split: ``bad-name``.
    """
    order = options.get("order", "given_first")
    if order not in ("given_first", "family_first"):
        raise ValueError("name_parts has order given_first or family_first")
    last_first = order == "family_first"

    def read(value: str) -> tuple[str, str]:
        given, _, family = value.rpartition(" ")
        if last_first:
            family, _, given = value.partition(", ")
        if not given or not family or " ".join(value.split()) != value:
            raise ValueError
        return given, family

    def write(given: str, family: str) -> str:
        if not given or not family or (last_first and ", " in family):
            raise ValueError
        return f"{family}, {given}" if last_first else f"{given} {family}"

    return Converter(name="name_parts", to_ours=read, to_theirs=write, arity=(1, 2), reason="bad-name", symmetric=True)


@converter("code", "list", "values")
def _code(options: Options, node: Node, lists: Mapping[str, CodeList]) -> Converter:
    """Without ``values`` the system has our codes; with them they are all it has, and others are refused."""
    name = options.get("list", node.extra.get("code_list"))
    if name not in lists:
        raise ValueError(f"there is no code list {name!r}")
    if name != node.extra.get("code_list", name):
        raise ValueError(f"{node.path} has the code list {node.extra['code_list']}, not {name}")
    codes = lists[name]
    own = {code.code for code in codes.codes}
    values: Mapping[Any, Any] = options.get("values", {code: code for code in sorted(own)})
    if not isinstance(values, Mapping) or not values:
        raise ValueError("values is a table, theirs: ours")
    for key, value in values.items():
        if type(key) not in (str, int) or type(value) is not str:
            raise ValueError(f"{key!s}: {value!s} must be text: write it in quotes")
        if value not in own:
            raise ValueError(f"{value!r} is not in the code list {name}")
    back = {value: key for key, value in values.items()}
    if len(back) != len(values):
        raise ValueError("two of their codes are the same code of ours; it could not be written back")
    kinds = tuple({type(key): None for key in values})

    def read(value: Any) -> Any:
        if type(value) not in kinds:
            raise TypeError
        return values[value]

    return Converter(
        name="code",
        to_ours=read,
        to_theirs=back.__getitem__,
        theirs=kinds,
        reason="unknown-code",
        fast_theirs=Fast("{f}[{0}]", back),
        code_list=codes,
        values=values,
    )
