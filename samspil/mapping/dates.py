"""Converters of dates and moments. A day is a day in Denmark."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from samspil.codes import CodeList
from samspil.mapping.converter import SAME, Converter, Fast, Options, converter
from samspil.mapping.tree import Node

DENMARK = ZoneInfo("Europe/Copenhagen")
_KEPT = 4096  # days kept in a converter's cache: eleven years, and records' days are mostly this year's

_TOKENS = {"yyyy": "(?P<year>[0-9]{4})", "mm": "(?P<month>[0-9]{2})", "dd": "(?P<day>[0-9]{2})"}
_FORMAT = re.compile(r"[-./ ]|yyyy|mm|dd")
_MIDNIGHT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:00:00)(?:\.0{1,7})?Z")
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


@converter("date", "format")
def _date(options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    shape = options.get("format", "yyyy-mm-dd")
    tokens = _FORMAT.findall(shape) if isinstance(shape, str) else []
    if "".join(tokens) != shape or sorted(token for token in tokens if token in _TOKENS) != ["dd", "mm", "yyyy"]:
        raise ValueError("date has a format of dd, mm, yyyy and - . / or space between them")
    iso = shape == "yyyy-mm-dd"
    pattern = re.compile("".join(_TOKENS.get(token, re.escape(token)) for token in tokens))
    layout = "".join(
        {"yyyy": "{0.year:04}", "mm": "{0.month:02}", "dd": "{0.day:02}"}.get(part, part) for part in tokens
    )

    @lru_cache(_KEPT)
    def read(value: str) -> date:
        fits = pattern.fullmatch(value)
        if fits is None:
            raise ValueError
        return date(int(fits["year"]), int(fits["month"]), int(fits["day"]))

    return Converter(
        name="date",
        to_ours=read,
        to_theirs=layout.format,
        ours=(date,),
        reason="bad-date",
        fast_ours=SAME if iso else None,  # the struct's validation reads the same form
        fast_theirs=Fast("{0}.isoformat()") if iso else Fast("{f}({0})", lru_cache(_KEPT)(layout.format)),
    )


@converter("local_midnight")
def _local_midnight(_options: Options, _node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    """A day as the moment it begins in Denmark, in UTC: 22:00 or 23:00 of the day before, by summer time."""

    @lru_cache(_KEPT)
    def read(value: str) -> date:
        fits = _MIDNIGHT.fullmatch(value)
        if fits is None:
            raise ValueError
        local = datetime.fromisoformat(fits[1]).replace(tzinfo=UTC).astimezone(DENMARK)
        if local.time() != time():
            raise ValueError
        return local.date()

    @lru_cache(_KEPT)
    def write(value: date) -> str:
        midnight = datetime.combine(value, time(), DENMARK).astimezone(UTC)
        return f"{midnight:%Y-%m-%dT%H:%M:%SZ}"

    return Converter(name="local_midnight", to_ours=read, to_theirs=write, ours=(date,), reason="bad-date")


@converter("timestamp", "zone", "digits")
def _timestamp(options: Options, node: Node, _lists: Mapping[str, CodeList]) -> Converter:
    """A moment with its offset. Read with any fraction (kept to a microsecond, rounded).

    Written in Danish time (``zone: danish``) or UTC (``Z``), with ``digits`` of a fraction, the rest cut off;
    without ``digits``, with a fraction of six if there is one.
    """
    zone, digits = options.get("zone", "danish"), options.get("digits")
    if zone not in ("danish", "utc"):
        raise ValueError("timestamp has zone: danish or utc")
    if digits is not None and (type(digits) is not int or not 0 <= digits <= 9):
        raise ValueError("timestamp has digits: 0 to 9")

    def read(value: Any) -> datetime:
        if not isinstance(value, str):
            raise TypeError
        return msgspec.convert(value, _Moment)

    return Converter(
        name="timestamp",
        to_ours=read,
        to_theirs=_moment_writer(zone == "utc", digits),
        ours=(datetime,),
        reason="bad-date",
        fast_ours=SAME if _has_zone(node) else None,
    )


def _moment_writer(utc: bool, digits: int | None) -> Callable[[datetime], str]:
    zone = UTC if utc else DENMARK

    def write(value: datetime) -> str:
        text = value.astimezone(zone).isoformat()
        if digits is None:
            return text if not utc else text[:-6] + "Z"
        fraction = f".{value.microsecond:06}000"[: digits + 1] if digits else ""
        return text[:19] + fraction + ("Z" if utc else text[-6:])

    return write


def _has_zone(node: Node) -> bool:
    """Whether the struct itself refuses a moment without offset."""
    return any(isinstance(meta, msgspec.Meta) and meta.tz for meta in getattr(node.annotation, "__metadata__", ()))
