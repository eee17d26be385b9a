"""A CPR number as somebody typed it, and finding it in what could not be read."""

from __future__ import annotations

import re

from samspil.errors import Refused, SettingsError
from samspil.identifiers import cpr_kind


def parse(text: str) -> str:
    """Ten characters, from a number with or without hyphen. Raises SettingsError, which does not show it."""
    number = re.sub(r"[\s-]", "", text).upper()
    try:
        kind = cpr_kind(number)
    except Refused as refused:
        raise SettingsError(f"is not a CPR number ({refused.reason})", field="the number given") from None
    if kind == "unknown-person":
        raise SettingsError("is what systems write when they know no number: it is nobody's", field="the number given")
    return number


def numbers_in(raw: bytes) -> set[str]:
    """What looks like CPR numbers in a record that could not be read, with a leading zero put back."""
    found = _NUMBER.findall(raw.replace(b"\0", b""))
    return {f"{date.decode().zfill(6)}{rest.decode()}" for date, rest in found}


def mentions(number: str) -> re.Pattern[bytes]:
    """Finds the number in a raw record: with any separator, and without a leading zero that a spreadsheet ate."""
    date, rest = re.escape(number[:6].encode()), re.escape(number[6:].encode())
    whole = rb"%s[^0-9A-Za-z]{0,6}%s" % (date, rest)
    if not number.startswith("0"):
        return re.compile(whole)
    return re.compile(rb"%s|(?<![0-9])%s[^0-9A-Za-z]{0,6}%s(?![0-9])" % (whole, date.removeprefix(b"0"), rest))


_NUMBER = re.compile(rb"(?<![0-9])([0-9]{5,6})[^0-9A-Za-z]{0,6}([0-9]{4})(?![0-9])")
