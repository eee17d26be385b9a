"""The education centre's action plan with progress on the ordered goals (handleplan)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from schemas.types import (
    CPR_OFFICE,
    DATA_PROTECTION,
    Code,
    Cpr,
    Key,
    Moment,
    Name,
    Percent,
    Text,
    Title,
    about,
    check_period,
)


class PlanSubGoal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a sub-goal stands (delmål)."""

    id: Annotated[Key, about("The jobcenter's key of the sub-goal.", da="delmålets nøgle", sensitivity="identifier")]
    title: Annotated[Title, about("What is to be reached.", da="delmål", sensitivity="sensitive")]
    status: Annotated[
        Code,
        about("Where the sub-goal stands.", da="delmålets status", code_list="goal_status", valid_on="updated_at"),
    ]


class PlanGoal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a goal stands (mål). Progress may fall as well as rise."""

    id: Annotated[Key, about("The jobcenter's key of the goal.", da="målets nøgle", sensitivity="identifier")]
    title: Annotated[Title, about("What is to be reached.", da="mål", sensitivity="sensitive")]
    status: Annotated[
        Code, about("Where the goal stands.", da="målets status", code_list="goal_status", valid_on="updated_at")
    ]
    progress: Annotated[Percent | None, about("How far the citizen is.", da="progression", unit="%")] = None
    due: Annotated[date | None, about("When it should be reached.", da="frist", unit="day")] = None
    comment: Annotated[
        Text | None,
        about("The centre's comment.", da="bemærkning", sensitivity="sensitive", source=DATA_PROTECTION),
    ] = None
    sub_goals: Annotated[
        list[PlanSubGoal], Meta(max_length=50), about("Steps on the way.", da="delmål", sensitivity="sensitive")
    ] = []


class ActionPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the centre plans with the citizen on one order and how far it is; the centre owns these fields."""

    id: Annotated[Key, about("The centre's key of the plan.", da="handleplanens nøgle", sensitivity="identifier")]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    order_id: Annotated[
        Key, about("The jobcenter's order the plan answers.", da="bestillingsnummer", sensitivity="identifier")
    ]
    title: Annotated[Title, about("The plan's title.", da="handleplanens titel", sensitivity="sensitive")]
    author: Annotated[Name, about("Who wrote it.", da="udarbejdet af")]
    updated_at: Annotated[Moment, about("When it was last changed.", da="opdateret", unit="moment with UTC offset")]
    start: Annotated[date, about("First day the plan is for.", da="startdato", unit="day")]
    end: Annotated[date | None, about("Last day the plan is for, if it is known.", da="slutdato", unit="day")] = None
    next_follow_up: Annotated[
        date | None, about("When the plan is next gone through.", da="næste opfølgning", unit="day")
    ] = None
    purpose: Annotated[
        Text, about("What the course is to lead to.", da="formål", sensitivity="sensitive", source=DATA_PROTECTION)
    ]
    citizens_wish: Annotated[
        Text | None,
        about(
            "What the citizen wishes, in his or her own words.",
            da="borgerens eget ønske",
            sensitivity="sensitive",
            source=DATA_PROTECTION,
        ),
    ] = None
    goals: Annotated[
        list[PlanGoal], Meta(max_length=50), about("The goals and how far they are.", da="mål", sensitivity="sensitive")
    ] = []

    def __post_init__(self) -> None:
        check_period(self.start, self.end)
