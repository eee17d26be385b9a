"""The sandbox's side of writing: an order is checked strictly, field by field, as the contract has it."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from connectors.journal_rest.results import Fault

Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T2[23]:00:00Z\Z")]
Moment = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?Z\Z")]
Key = Annotated[str, Meta(min_length=1, max_length=50)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Cpr = Annotated[str, Meta(pattern=r"^[0-9]{6}([0-9]{4}|[0-9][A-Z]{2}[0-9])\Z")]
TARGET_GROUPS = {f"6.{number}" for number in range(1, 12)}


class _Strict(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    pass


class SubGoal(_Strict, kw_only=True):
    sub_goal_id: Key
    title: Title
    deadline: Day | UnsetType | None = UNSET


class Goal(_Strict, kw_only=True):
    goal_id: Key
    title: Title
    deadline: Day | UnsetType | None = UNSET
    sub_goals: Annotated[list[SubGoal], Meta(max_length=50)]


class Address(_Strict, kw_only=True):
    street: Title
    postal_code: Annotated[str, Meta(pattern=r"^[0-9]{4}\Z")]
    city: Title


class Citizen(_Strict, kw_only=True):
    cpr_number: Cpr
    full_name: Title | UnsetType | None = UNSET
    address_protected: bool
    address: Address | UnsetType | None = UNSET


class CourseOrder(_Strict, kw_only=True):
    external_id: Key
    case_number: Key | UnsetType | None = UNSET
    citizen: Citizen
    target_group: str
    production_unit: Annotated[str, Meta(pattern=r"^[0-9]{10}\Z")]
    offer_title: Title
    start_date: Day
    end_date: Day | UnsetType | None = UNSET
    weekly_hours: Annotated[float, Meta(ge=0, le=59)]
    granted_amount: Annotated[float, Meta(ge=0)] | UnsetType | None = UNSET
    rate_package: Name | UnsetType | None = UNSET
    consent_given: bool
    case_worker: Name | UnsetType | None = UNSET
    case_worker_phone: Annotated[str, Meta(max_length=20)] | UnsetType | None = UNSET
    ordered_at: Moment
    source_system: str
    goals: Annotated[list[Goal], Meta(max_length=50)]


def faults(order: Any) -> list[Fault]:
    """What is wrong with an order as it came, first of all; nothing if it is right."""
    try:
        checked = msgspec.convert(order, CourseOrder)
    except msgspec.ValidationError as error:
        return [_fault(str(error))]
    if checked.target_group not in TARGET_GROUPS:
        return [Fault("code", "targetGroup")]
    if checked.source_system != "samspil":
        return [Fault("code", "sourceSystem")]
    if isinstance(checked.end_date, str) and checked.end_date < checked.start_date:
        return [Fault("range", "endDate")]
    return []


def _fault(message: str) -> Fault:
    """Msgspec's message as a code and a field; it says ``Expected …`` or ``Object missing/contains …``."""
    text, _, at = message.partition(" - at ")
    path = at.strip("`").removeprefix("$").removeprefix(".")
    named = re.search(r"field `([^`]*)`", text)
    if named:
        path = f"{path}.{named[1]}" if path else named[1]
    if "missing" in text:
        code = "required"
    elif "unknown field" in text:
        code = "unknown"
    elif "regex" in text:
        code = "cpr" if path.endswith("cprNumber") else "date"
    elif "length" in text:
        code = "length"
    else:
        code = "range" if "`float`" in text and "=" in text else "type"
    return Fault(code, path)
