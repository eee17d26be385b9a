"""Types that the shared schemas have in common, and :func:`about`, which says what a field is.

Patterns here are the cheap half of a rule (shape only); ``samspil.identifiers`` has the other half (does the date
exist, does the check digit fit). A rule that msgspec cannot express, such as a bound on a Decimal, is a ``check_*``
function called in ``__post_init__``; msgspec turns its ValueError into a ValidationError. Its message starts with
the field and never contains the value.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta

AGREED = "agreed between the parties"
CPR_OFFICE = "CPR office: Personnummeret i CPR-systemet"
CPR_PROTECTION = "Lov om Det Centrale Personregister § 28"
CVR_REGISTER = "Lov om Det Centrale Virksomhedsregister"
DATA_PROTECTION = "Databeskyttelsesforordningen art. 9"
EMPLOYMENT_ACT = "Lov om en aktiv beskæftigelsesindsats"
KLE = "KL: KL Emnesystematik (KLE)"
STAR_ACTIVITY = "STAR: DFDG CreateActivity"
STATISTICS_DENMARK = "Danmarks Statistik: kommunekoder"

Sensitivity = Literal["identifier", "ordinary", "sensitive"]

_DAY = "(?:0[1-9]|[12][0-9]|3[01]|6[1-9]|[78][0-9]|9[01])"  # a municipality's replacement number has day + 60
_MONTH = "(?:0[1-9]|1[0-2])"


def _whole(pattern: str, max_length: int | None = None) -> Meta:
    """A pattern for the whole text. In Python ``$`` alone would let a final newline pass."""
    return Meta(pattern=rf"^{pattern}$(?!\n)", max_length=max_length)


# identifiers
Key = Annotated[str, Meta(min_length=1, max_length=100)]
Cpr = Annotated[str, _whole(f"{_DAY}{_MONTH}[0-9]{{2}}(?:[0-9]{{4}}|[015-7][A-Z]{{2}}[0-9])")]
Cvr = Annotated[str, _whole("[1-9][0-9]{7}")]
PNumber = Annotated[str, _whole("[1-9][0-9]{9}")]
MunicipalityCode = Annotated[str, _whole("[0-9]{3}")]
PostalCode = Annotated[str, _whole("[0-9]{4}")]
Kle = Annotated[str, _whole(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}")]
Code = Annotated[str, Meta(min_length=1, max_length=40)]
Sha256 = Annotated[str, _whole("[0-9a-f]{64}")]
MediaType = Annotated[str, _whole(r"[a-z]+/[a-z0-9][a-z0-9.+-]*", max_length=100)]
Phone = Annotated[str, _whole(r"\+?[0-9][0-9 ]{6,18}[0-9]")]
Email = Annotated[str, _whole(r"[^@\s]+@[^@\s]+\.[^@\s]+", max_length=254)]

# texts, by the room a form gives them
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=4000)]
LongText = Annotated[str, Meta(min_length=1, max_length=8000)]

# numbers and moments
Percent = Annotated[int, Meta(ge=0, le=100)]
Score = Annotated[int, Meta(ge=1, le=5)]
Count = Annotated[int, Meta(ge=0, le=100_000)]
Ordinal = Annotated[int, Meta(ge=1, le=1000)]
Hours = Decimal  # bounded by check_hours
Kroner = Decimal  # bounded by check_kroner
Moment = Annotated[datetime, Meta(tz=True)]
Content = Annotated[bytes, Meta(min_length=1, max_length=10_000_000)]

WEEK = 59  # hours a week at most, as STAR's CreateActivity has it
DAY = 24
DEAREST = 10_000_000  # kroner; a dearer course is a misplaced decimal comma


def about(
    english: str,
    *,
    da: str,
    sensitivity: Sensitivity = "ordinary",
    source: str = AGREED,
    unit: str | None = None,
    code_list: str | None = None,
    valid_on: str | None = None,
    protected: bool = False,
) -> Meta:
    """What a field is.

    ``da`` is the users' Danish term, ``source`` where the rule comes from, ``code_list`` a file in ``codes/``,
    ``valid_on`` the top-level field with the date on which a code must be valid (none: today), ``protected`` whether
    address protection hides the field. An *identifier* points at a person or a record; *sensitive* tells of health
    or social circumstances, also by inference.
    """
    extra: dict[str, Any] = {"da": da, "unit": unit, "sensitivity": sensitivity, "source": source}
    if code_list:
        extra |= {"code_list": code_list, "valid_on": valid_on}
    if protected:
        extra["protected"] = True
    return Meta(description=f"{english} Dansk: {da}.", extra=extra)


def check_period(start: date, end: date | None, field: str = "end") -> None:
    """Raise ValueError if a period ends before it starts; the day it starts may be the day it ends."""
    if end is not None and end < start:
        raise ValueError(f"{field}: is before the start")


def check_hours(hours: Decimal, most: int, field: str = "hours_per_week") -> None:
    """Raise ValueError unless 0 ≤ hours ≤ most."""
    if not (hours.is_finite() and 0 <= hours <= most):
        raise ValueError(f"{field}: is not between 0 and {most} hours")


def check_kroner(amount: Decimal | None, field: str = "price") -> None:
    """Raise ValueError unless the amount is a price in whole øre, 0 to ``DEAREST`` kroner."""
    if amount is not None and not (
        amount.is_finite() and 0 <= amount <= DEAREST and amount == amount.quantize(Decimal("0.01"))
    ):
        raise ValueError(f"{field}: is not an amount in kroner with at most two decimals")
