"""Whether a record that is held is the one that was sent, however numbers and days are written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*|[0-9]+\.[0-9]+)\Z")  # 010203 is none, nor is a phone number with its plus


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in a record with its dotted path; lists add nothing to it."""
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from leaves(below, f"{at}.{name}" if at else str(name))
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below, at)
    else:
        yield at, value


def differing(sent: Mapping[str, Any], held: Mapping[str, Any]) -> list[str]:
    """Paths of fields that were sent with a value and are held with another, or not at all."""
    mine, theirs = _by_path(sent), _by_path(held)
    return sorted(path for path, values in mine.items() if values != theirs.get(path))


def identical(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records say the same, nothing more and nothing less."""
    return _by_path(one) == _by_path(other)


def _by_path(record: Mapping[str, Any]) -> dict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for path, value in leaves(record):
        if value is not None and value != "":
            found[path].append(_comparable(value))
    return dict(found)


def _comparable(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    if _NUMBER.match(text) or not isinstance(value, str):
        return Decimal(text).normalize()
    return text.replace("\r\n", "\n")  # which of the two it is, no format promises
