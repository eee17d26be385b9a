"""An activity the citizen takes part in (aktivitet); several may run at once."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Struct

from schemas.types import (
    CPR_OFFICE,
    CVR_REGISTER,
    STAR_ACTIVITY,
    WEEK,
    Code,
    Cpr,
    Hours,
    Key,
    Name,
    PNumber,
    Title,
    about,
    check_hours,
    check_period,
)


class Activity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One activity of one citizen, as the jobcenter reports it to the national data."""

    id: Annotated[Key, about("The jobcenter's key of the activity.", da="aktivitetens nøgle", sensitivity="identifier")]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    kind: Annotated[
        Code,
        about(
            "What kind of activity it is.",
            da="aktivitetstype",
            source="Lov om en aktiv beskæftigelsesindsats; words agreed between the parties",
            code_list="activity_kind",
            valid_on="start",
        ),
    ]
    title: Annotated[Title, about("Title of the offer.", da="tilbud")]
    provider: Annotated[
        PNumber, about("Production unit that gives it.", da="leverandørens P-nummer", source=CVR_REGISTER)
    ]
    start: Annotated[date, about("First day.", da="startdato", unit="day", source=STAR_ACTIVITY)]
    end: Annotated[date | None, about("Last day, if it is known.", da="slutdato", unit="day", source=STAR_ACTIVITY)] = (
        None
    )
    hours_per_week: Annotated[
        Hours, about("Hours a week, 0 to 59.", da="timer pr. uge", unit="hours/week", source=STAR_ACTIVITY)
    ]
    case_worker: Annotated[Name | None, about("Name of the case worker.", da="sagsbehandler", source=STAR_ACTIVITY)] = (
        None
    )

    def __post_init__(self) -> None:
        check_period(self.start, self.end)
        check_hours(self.hours_per_week, WEEK)
