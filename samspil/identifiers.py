"""Rules for the numbers of persons and companies: CPR numbers, CVR numbers and P-numbers. All are text, never numbers.

Sources: the CPR office's "Personnummeret i CPR-systemet" (structure, centuries, modulus 11 since 2007) and its advice
on replacement numbers in other systems (60 added to the day); MedCom and Sundhedsdatastyrelsen on the health service's
replacement numbers (D-eCPR and X-eCPR: letters in places 8 and 9); the act on the central business register for CVR
numbers and P-numbers.

``python-stdnum`` does the check digits. Its ``stdnum.dk.cpr.validate`` is not used: it refuses replacement numbers,
takes separators that a key must not have, compares with today's date, so that one record would be judged differently
on two nights, and does about 200,000 a second where a night wants 300,000. The property tests hold it beside these
rules as an oracle.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from stdnum.dk import cpr as _cpr
from stdnum.dk import cvr as _cvr

from samspil.errors import Refused

CprKind = Literal["ordinary", "municipal-replacement", "health-replacement", "unknown-person"]

UNKNOWN_PERSON = "0000000000"  # how STAR's contract writes that the number is not known
_DIGITS = re.compile(r"[0-9]{10}")
_HEALTH = re.compile(r"[0-9]{6}[015-7][A-Z]{2}[0-9]")
_HEALTH_CENTURY = {"5": 1800, "0": 1900, "6": 2000, "1": 1900, "7": 2000}  # 0, 5, 6 regional; 1, 7 national
_P_NUMBER = re.compile(r"[1-9][0-9]{9}")


def _kinds_by_day() -> dict[str, CprKind]:
    """The first four digits (day and month) that exist in every year, with what they tell: 730 entries."""
    found: dict[str, CprKind] = {}
    for month in range(1, 13):
        for day in range(1, 32):
            try:
                date(2001, month, day)  # 2001 is no leap year: 29 February is looked at by itself
            except ValueError:
                continue
            found[f"{day:02}{month:02}"] = "ordinary"
            found[f"{day + 60:02}{month:02}"] = "municipal-replacement"
    return found


_KINDS = _kinds_by_day()


def cpr_kind(text: str) -> CprKind:
    """What kind of CPR number ten characters are.

    Raises Refused with reason ``cpr-lost-zero`` for nine digits (a spreadsheet ate the leading zero; it is not put
    back, because a tenth digit may be missing anywhere) and ``bad-cpr`` for everything else that is no CPR number.
    Modulus 11 is not looked at (see :func:`cpr_checksum_ok`), nor whether the person is born yet.
    """
    if _DIGITS.fullmatch(text):
        kind = _KINDS.get(text[:4])
        if kind is not None:
            return kind
        if text == UNKNOWN_PERSON:
            return "unknown-person"
        if text[:4] in {"2902", "8902"} and _leap(_year(text)):
            return "ordinary" if text[0] == "2" else "municipal-replacement"
    elif _HEALTH.fullmatch(text):
        if _KINDS.get(text[:4]) == "ordinary" or (text[:4] == "2902" and _leap(_year(text))):
            return "health-replacement"
    elif len(text) == 9 and text.isascii() and text.isdigit():
        raise Refused("cpr-lost-zero", hint="nine digits: the sending system must treat the number as text")
    raise Refused("bad-cpr")


def cpr_birth_date(text: str) -> date | None:
    """The birth date a number carries; None for the unknown person.

    A health service's number of somebody unknown carries the day it was made. A date may lie ahead: the rule must
    say the same on every night. Raises Refused as :func:`cpr_kind` does.
    """
    if cpr_kind(text) == "unknown-person":
        return None
    return date(_year(text), int(text[2:4]), int(text[:2]) % 60)


def cpr_checksum_ok(text: str) -> bool:
    """Whether modulus 11 fits. A warning at most: since 2007 numbers are given that fail it, and they are valid.

    True for a number with letters, which has no check digit. Takes what :func:`cpr_kind` accepts.
    """
    return not text.isdigit() or _cpr.checksum(text) == 0


def cvr(text: str) -> str:
    """A company number as it is: eight digits, the first not 0, modulus 11. Nothing is padded, trimmed or repaired.

    Raises Refused with reason ``bad-cvr``.
    """
    if not (len(text) == 8 and text.isascii() and text.isdigit() and _cvr.is_valid(text)):
        raise Refused("bad-cvr")
    return text


def p_number(text: str) -> str:
    """A production unit's number as it is: ten digits, the first not 0; it has no check digit.

    Raises Refused with reason ``bad-p-number``.
    """
    if not _P_NUMBER.fullmatch(text):
        raise Refused("bad-p-number")
    return text


def _year(text: str) -> int:
    """The birth year: digits 5 and 6 with the century that digit 7 tells, in its own way in a health number."""
    year, century = int(text[4:6]), text[6]
    if not text.isdigit():
        return _HEALTH_CENTURY[century] + year
    if century < "4":
        return 1900 + year
    if century in "49":
        return (2000 if year <= 36 else 1900) + year
    return (2000 if year <= 57 else 1800) + year


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
