"""An activity as STAR gives it back, and whether it is what we sent."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from samspil.connector import Receipt


def plain(value: Any) -> Any:
    """A decoded answer as it was on the wire: text, dicts and lists, without what is absent."""
    if isinstance(value, Mapping):
        return {name: plain(below) for name, below in value.items() if below is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else value


def done(action: str, record: Mapping[str, Any], held: Mapping[str, Any]) -> Receipt | None:
    """The receipt of an earlier sending, if what STAR holds (``GetActivity``'s answer) shows that it took effect."""
    activity = held.get("Activity")
    if action == "delete":
        return None if activity else Receipt()
    if activity is None or _comparable(record) != _comparable(activity):
        return None
    registered = held["Registered"]
    return Receipt(registered["ActivityIdentifier"], registered["ServiceCallReferenceIdentifier"])


def _comparable(record: Mapping[str, Any]) -> dict[str, Any]:
    """So that two ways to write one number or one text are equal: ``7.40`` and ``7.4``, a line break and a space."""
    fields = plain(record)
    with suppress(KeyError, InvalidOperation):
        fields["HoursPerWeek"] = Decimal(fields["HoursPerWeek"])
    return {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in fields.items()}
