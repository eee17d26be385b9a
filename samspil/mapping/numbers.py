"""Converters of numbers. A decimal keeps the places it was written with; nothing passes through a float on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from samspil.codes import CodeList
from samspil.mapping.converter import SAME, Converter, Fast, Options, converter, exactly
from samspil.mapping.tree import Node

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_POINT = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_COMMA = re.compile(r"-?[0-9]{1,18}(?:,[0-9]{1,18})?")
_CLOCK = re.compile(r"([0-9]{2,4}):([0-5][0-9])")
_KEPT = 4096  # numbers kept in a converter's cache: hours and prices are the same few over and over
_CENT = Decimal("0.01")


@converter("integer", "text")
def _integer(options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    text = options.get("text", False)
    if text not in (True, False):
        raise ValueError("integer has text: true or false")
    whole = exactly(int)
    if not text:
        return Converter(
            name="integer",
            to_ours=whole,
            to_theirs=whole,
            theirs=(int,),
            ours=(int,),
            reason="bad-number",
            fast_theirs=SAME,
        )

    def read(value: str) -> int:
        if _INTEGER.fullmatch(value) is None:
            raise ValueError
        return int(value)

    return Converter(
        name="integer", to_ours=read, to_theirs=str, ours=(int,), reason="bad-number", fast_theirs=Fast("{f}({0})", str)
    )


@converter("number")
def _number(_options: Options, node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    def read(value: float) -> Decimal | float:
        if type(value) not in (int, float):
            raise TypeError
        number = Decimal(repr(value))
        if not number.is_finite():
            raise ValueError
        return number if node.base is Decimal else float(value)

    def write(value: Decimal | float) -> int | float:
        wire = int(value) if value == int(value) else float(value)
        if Decimal(repr(wire)) != value and node.base is Decimal:
            raise ValueError  # more digits than a JSON number carries
        return wire

    return Converter(
        name="number", to_ours=read, to_theirs=write, theirs=(int, float), ours=(Decimal, float), reason="bad-number"
    )


def _decimal(name: str, shape: re.Pattern[str], separator: str) -> None:
    @converter(name, "places")
    def _made(options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
        places = options.get("places")
        if places is not None and (type(places) is not int or not 0 <= places <= 18):
            raise ValueError(f"{name} has places: 0 to 18")
        return Converter(
            name=name,
            to_ours=_reader(shape, separator),
            to_theirs=_writer(separator, places),
            ours=(Decimal,),
            reason="bad-number",
        )


def _reader(shape: re.Pattern[str], separator: str) -> Callable[[Any], Decimal]:
    fits = shape.fullmatch

    @lru_cache(_KEPT)
    def read(value: str) -> Decimal:
        if fits(value) is None:
            raise ValueError
        return Decimal(value if separator == "." else value.replace(separator, "."))

    return read


def _writer(separator: str, places: int | None) -> Callable[[Decimal], str]:
    def write(value: Decimal) -> str:
        if not value.is_finite():
            raise ValueError
        if places is not None:
            exact = round(value, places)
            if exact != value:
                raise ValueError
            value = exact
        text = f"{value:f}"
        return text if separator == "." else text.replace(".", separator)

    return write


_decimal("decimal_point", _POINT, ".")
_decimal("decimal_comma", _COMMA, ",")


@converter("hours_minutes")
def _hours_minutes(_options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    """Hours with two places. Every minute has its own, and a decimal that is no whole minute's is refused."""

    def read(value: str) -> Decimal:
        fits = _CLOCK.fullmatch(value)
        if fits is None or (len(fits[1]) > 2 and fits[1][0] == "0"):
            raise ValueError
        return _hours(int(fits[1]) * 60 + int(fits[2]))

    def write(value: Decimal) -> str:
        minutes = int((value * 60).to_integral_value())
        if minutes < 0 or _hours(minutes) != value:
            raise ValueError
        return f"{minutes // 60:02}:{minutes % 60:02}"

    return Converter(name="hours_minutes", to_ours=read, to_theirs=write, ours=(Decimal,), reason="bad-number")


def _hours(minutes: int) -> Decimal:
    return (Decimal(minutes) / 60).quantize(_CENT)
