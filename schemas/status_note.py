"""The centre's report to the jobcenter, every third month (statusnotat)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Struct

from schemas.types import CPR_OFFICE, DATA_PROTECTION, Cpr, Key, LongText, Name, about, check_period


class StatusNote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened in a period and what the centre recommends."""

    id: Annotated[
        Key, about("The centre's key of the status note.", da="statusnotatets nøgle", sensitivity="identifier")
    ]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    order_id: Annotated[
        Key, about("The jobcenter's order of the course.", da="bestillingsnummer", sensitivity="identifier")
    ]
    period_start: Annotated[date, about("First day reported on.", da="periodens start", unit="day")]
    period_end: Annotated[date, about("Last day reported on.", da="periodens slut", unit="day")]
    written: Annotated[date, about("Day it was written.", da="skrevet", unit="day")]
    author: Annotated[Name, about("Who wrote it.", da="forfatter")]
    summary: Annotated[
        LongText,
        about(
            "What happened, 1 to 8,000 characters.", da="sammenfatning", sensitivity="sensitive", source=DATA_PROTECTION
        ),
    ]
    recommendation: Annotated[
        LongText | None,
        about("What the centre recommends.", da="anbefaling", sensitivity="sensitive", source=DATA_PROTECTION),
    ] = None

    def __post_init__(self) -> None:
        check_period(self.period_start, self.period_end, "period_end")
