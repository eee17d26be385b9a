"""A citizen's placement at a company (virksomhedspraktik, løntilskud, ordinære timer)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Struct

from schemas.types import (
    CPR_OFFICE,
    CVR_REGISTER,
    EMPLOYMENT_ACT,
    STAR_ACTIVITY,
    WEEK,
    Code,
    Cpr,
    Cvr,
    Hours,
    Key,
    PNumber,
    Title,
    about,
    check_hours,
    check_period,
)


class Placement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One agreement between a citizen, a company and the jobcenter; several may run side by side."""

    id: Annotated[Key, about("The centre's key of the placement.", da="placeringens nøgle", sensitivity="identifier")]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    order_id: Annotated[
        Key, about("The jobcenter's order of the course.", da="bestillingsnummer", sensitivity="identifier")
    ]
    company_cvr: Annotated[Cvr, about("The company's number.", da="CVR-nummer", source=CVR_REGISTER)]
    company_p_number: Annotated[
        PNumber | None, about("The company's production unit.", da="P-nummer", source=CVR_REGISTER)
    ] = None
    company_name: Annotated[Title, about("The company's name.", da="virksomhedens navn", source=CVR_REGISTER)]
    kind: Annotated[
        Code,
        about(
            "What kind of placement it is.",
            da="placeringstype",
            source="Lov om en aktiv beskæftigelsesindsats; words agreed between the parties",
            code_list="placement_kind",
            valid_on="start",
        ),
    ]
    start: Annotated[date, about("First day.", da="startdato", unit="day")]
    end: Annotated[date | None, about("Last day, if it is known.", da="slutdato", unit="day")] = None
    hours_per_week: Annotated[
        Hours, about("Hours a week, 0 to 59.", da="timer pr. uge", unit="hours/week", source=STAR_ACTIVITY)
    ]
    wage_subsidy: Annotated[bool, about("The wage is subsidised.", da="løntilskud", source=EMPLOYMENT_ACT)]

    def __post_init__(self) -> None:
        check_period(self.start, self.end)
        check_hours(self.hours_per_week, WEEK)
