"""Whether the citizen came, day by day (fremmøde)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from msgspec import Struct

from schemas.types import CPR_OFFICE, DATA_PROTECTION, DAY, Code, Cpr, Hours, Key, about, check_hours


class Attendance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One citizen, one day, one activity; two activities on one day are two records."""

    id: Annotated[
        Key, about("The centre's key of the registration.", da="registreringens nøgle", sensitivity="identifier")
    ]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    order_id: Annotated[
        Key, about("The jobcenter's order of the course.", da="bestillingsnummer", sensitivity="identifier")
    ]
    activity_id: Annotated[
        Key | None, about("The activity attended, if the course has several.", da="aktivitet", sensitivity="identifier")
    ] = None
    date: Annotated[dt.date, about("The day.", da="dato", unit="day")]
    status: Annotated[
        Code,
        about(
            "Whether the citizen came; may tell of illness.",
            da="fremmødestatus",
            sensitivity="sensitive",
            source=f"agreed between the parties; {DATA_PROTECTION}",
            code_list="attendance_status",
            valid_on="date",
        ),
    ]
    hours: Annotated[Hours, about("Hours attended that day, 0 to 24.", da="timer", unit="hours")]

    def __post_init__(self) -> None:
        check_hours(self.hours, DAY, "hours")
