"""The jobcenter's order of a course at an education centre or provider (bestilling)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from schemas.address import Address
from schemas.types import (
    CPR_OFFICE,
    CPR_PROTECTION,
    CVR_REGISTER,
    DATA_PROTECTION,
    EMPLOYMENT_ACT,
    STAR_ACTIVITY,
    WEEK,
    Code,
    Cpr,
    Hours,
    Key,
    Kroner,
    Moment,
    Name,
    Phone,
    PNumber,
    Title,
    about,
    check_hours,
    check_kroner,
    check_period,
)


class SubGoal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step towards a goal (delmål)."""

    id: Annotated[Key, about("The jobcenter's key of the sub-goal.", da="delmålets nøgle", sensitivity="identifier")]
    title: Annotated[Title, about("What is to be reached.", da="delmål", sensitivity="sensitive")]
    due: Annotated[date | None, about("When it should be reached.", da="frist", unit="day")] = None


class Goal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A goal of the citizen's plan (mål)."""

    id: Annotated[Key, about("The jobcenter's key of the goal.", da="målets nøgle", sensitivity="identifier")]
    title: Annotated[Title, about("What is to be reached.", da="mål", sensitivity="sensitive")]
    due: Annotated[date | None, about("When it should be reached.", da="frist", unit="day")] = None
    sub_goals: Annotated[
        list[SubGoal], Meta(max_length=50), about("Steps on the way.", da="delmål", sensitivity="sensitive")
    ] = []


class CourseOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the jobcenter orders and grants: the jobcenter owns these fields (BUM-modellen)."""

    id: Annotated[Key, about("The jobcenter's key of the order.", da="bestillingsnummer", sensitivity="identifier")]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    given_names: Annotated[
        Name,
        about(
            "First and middle names.", da="fornavne", sensitivity="identifier", source=CPR_PROTECTION, protected=True
        ),
    ]
    family_name: Annotated[
        Name,
        about("Family name.", da="efternavn", sensitivity="identifier", source=CPR_PROTECTION, protected=True),
    ]
    address_protected: Annotated[
        bool,
        about("Name and address go only where an agreement says so.", da="adressebeskyttelse", source=CPR_PROTECTION),
    ]
    address: Annotated[
        Address | None,
        about(
            "Where the citizen lives.", da="adresse", sensitivity="identifier", source=CPR_PROTECTION, protected=True
        ),
    ] = None
    case_id: Annotated[
        Key | None, about("The jobcenter's case the order belongs to.", da="sagsnummer", sensitivity="identifier")
    ] = None
    target_group: Annotated[
        Code,
        about(
            "Target group of the employment act; some tell of illness.",
            da="målgruppe",
            sensitivity="sensitive",
            source=f"BEK 2636/2021 § 1; {DATA_PROTECTION}",
            code_list="target_group",
            valid_on="start",
        ),
    ]
    provider: Annotated[
        PNumber,
        about("Production unit that gives the course.", da="leverandørens P-nummer", source=CVR_REGISTER),
    ]
    offer: Annotated[Title, about("Title of the offer ordered.", da="tilbud", source=EMPLOYMENT_ACT)]
    start: Annotated[date, about("First day.", da="startdato", unit="day")]
    end: Annotated[date | None, about("Last day, if it is known.", da="slutdato", unit="day")] = None
    hours_per_week: Annotated[
        Hours, about("Hours a week, 0 to 59.", da="timer pr. uge", unit="hours/week", source=STAR_ACTIVITY)
    ]
    price: Annotated[Kroner | None, about("Price granted.", da="bevilget pris", unit="DKK")] = None
    price_package: Annotated[Name | None, about("Package the price belongs to.", da="takstpakke")] = None
    consent: Annotated[
        bool,
        about(
            "The citizen agrees that the order is passed on.",
            da="samtykke",
            source="Databeskyttelsesforordningen art. 7; a listed exception may apply instead",
        ),
    ]
    case_worker: Annotated[Name | None, about("Name of the case worker.", da="sagsbehandler")] = None
    contact_phone: Annotated[
        Phone | None, about("Telephone at which the case worker is reached.", da="kontakttelefon")
    ] = None
    ordered_at: Annotated[Moment, about("When it was ordered.", da="bestilt", unit="moment with UTC offset")]
    goals: Annotated[
        list[Goal], Meta(max_length=50), about("Goals the course works for.", da="mål", sensitivity="sensitive")
    ] = []

    def __post_init__(self) -> None:
        check_period(self.start, self.end)
        check_hours(self.hours_per_week, WEEK)
        check_kroner(self.price)
