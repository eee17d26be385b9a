"""Dates of a spreadsheet: numbers of days, which only their number format tells from other numbers."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Literal

DATE_FORMATS = frozenset(map(str, (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))))
"""The built-in number formats that show a date or a time (ISO/IEC 29500-1, 18.8.30)."""

_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]')  # quoted, escaped, colours and conditions
_LAST = 2_958_465  # 31-12-9999


def is_date(form: str) -> bool:
    """Whether a number format of a workbook's own shows a date or a time."""
    shown = _NOT_SHOWN.sub("", form.partition(";")[0]).lower()
    return "general" not in shown and re.search("[dmyhs]", shown) is not None


def moment(days: float, *, from_1904: bool) -> tuple[Literal["date", "time"], str]:
    """A number of days as ``2026-10-30`` (date), or with a time of day as ``2026-10-30T08:15:00`` (time).

    Raises ValueError for what is no day: negative, beyond 9999, below one (a time without a day), or 29 February 1900,
    which spreadsheets count though it never was.
    """
    if not math.isfinite(days) or not (0 if from_1904 else 1) <= days <= _LAST or (not from_1904 and 60 <= days < 61):
        raise ValueError("no date")
    first = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 31 if days < 60 else 30)  # noqa: DTZ001 - a wall clock
    when = first + timedelta(seconds=round(days * 86_400))
    if when.hour == when.minute == when.second == 0:
        return "date", when.date().isoformat()
    return "time", when.isoformat(timespec="seconds")
