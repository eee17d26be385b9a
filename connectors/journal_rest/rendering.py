"""The sandbox's side of reading: shared facts in the journal's own words, and damage put on the wire faithfully."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from samspil.testing.facts import DENMARK, Fact
from samspil.testing.world import World

NOTE_TYPES = {"course": 1, "contact": 2, "agreement": 3, "placement": 4, "absence": 5, "telephone": 9}
STATUS = {
    "present": "PRESENT",
    "partly-present": "PARTLY",
    "absent-lawful": "ABSENT_LAWFUL",
    "absent-unlawful": "ABSENT_UNLAWFUL",
    "ill": "ILL",
    "holiday": "HOLIDAY",
    "cancelled": "CANCELLED",
}
PLACEMENTS = {
    "work-trial": "TRIAL",
    "wage-subsidy": "SUBSIDY",
    "ordinary-hours": "ORDINARY",
    "flex-job": "FLEX",
}
DAMAGE = {  # by schema: the field with the record's (first) date, with a code, and a required one
    "attendance": ("date", "status", "presentTime"),
    "journal_note": ("writtenAt", "noteType", "text"),
    "status_note": ("writtenOn", "", "summary"),
    "action_plan": ("lastChanged", "goals.0.state", "goals"),
    "assessment": ("answeredOn", "questionnaire", "distanceScore"),
    "placement": ("startDate", "placementType", "company"),
}


def day(value: date | None) -> str | None:
    """A day as the moment it begins in Denmark, in UTC."""
    return None if value is None else moment(datetime.combine(value, time(), DENMARK))


def moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)


def clock(hours: Decimal) -> str:
    minutes = int(hours * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def attendance(fact: Fact) -> dict[str, Any]:
    return {
        "activityId": fact["activity_id"],
        "date": day(fact["date"]),
        "status": STATUS[fact["status"]],
        "presentTime": clock(fact["hours"]),
        "registeredBy": "tablet ved indgangen",
    }


def journal_note(fact: Fact) -> dict[str, Any]:
    return {
        "writtenAt": moment(fact["written_at"]),
        "author": {"name": fact["author"], "employeeNumber": "M1042"},
        "noteType": NOTE_TYPES[fact["kind"]],
        "text": fact["text"],
    }


def status_note(fact: Fact) -> dict[str, Any]:
    return {
        "period": {"from": day(fact["period_start"]), "to": day(fact["period_end"])},
        "writtenOn": day(fact["written"]),
        "author": {"name": fact["author"], "employeeNumber": None},
        "summary": fact["summary"],
        "recommendation": fact["recommendation"],
    }


def action_plan(fact: Fact) -> dict[str, Any]:
    goals = [
        {
            "goalId": goal["id"],
            "title": goal["title"],
            "state": goal["status"].upper(),
            "progressPercent": goal["progress"],
            "deadline": day(goal["due"]),
            "comment": goal["comment"],
            "subGoals": [
                {"subGoalId": sub["id"], "title": sub["title"], "state": sub["status"].upper()}
                for sub in goal["sub_goals"]
            ],
        }
        for goal in fact["goals"]
    ]
    return {
        "title": fact["title"],
        "author": {"name": fact["author"], "employeeNumber": "M1042"},
        "lastChanged": moment(fact["updated_at"]),
        "startDate": day(fact["start"]),
        "endDate": day(fact["end"]),
        "nextFollowUp": day(fact["next_follow_up"]),
        "purpose": fact["purpose"],
        "citizensWish": fact["citizens_wish"],
        "goals": goals,
    }


def assessment(fact: Fact) -> dict[str, Any]:
    return {
        "answeredOn": day(fact["answered"]),
        "round": fact["round"],
        "questionnaire": "AFSTAND",
        "distanceScore": fact["distance"],
        "answeredWithHelp": fact["distance"] > 70,
        "answers": fact["answers"],
    }


def placement(fact: Fact) -> dict[str, Any]:
    return {
        "company": {
            "cvrNumber": fact["company_cvr"],
            "productionUnit": fact["company_p_number"],
            "name": fact["company_name"],
        },
        "placementType": PLACEMENTS[fact["kind"]],
        "startDate": day(fact["start"]),
        "endDate": day(fact["end"]),
        "weeklyHours": number(fact["hours_per_week"]),
        "wageSubsidy": fact["wage_subsidy"],
    }


RENDERERS: dict[str, Callable[[Fact], dict[str, Any]]] = {
    "attendance": attendance,
    "journal_note": journal_note,
    "status_note": status_note,
    "action_plan": action_plan,
    "assessment": assessment,
    "placement": placement,
}


def records(world: World, schema: str, night: int) -> Iterator[tuple[bytes, bool]]:
    """Each record as JSON, in order of id, and whether it is JSON at all."""
    damages = world.broken(schema, night)
    for fact in world.records(schema, night):
        record = {"id": fact["id"], "cprNumber": fact["cpr"], "courseOrderId": fact["order_id"]}
        record |= RENDERERS[schema](fact)
        damage = damages.get(fact["id"], "")
        _damage(record, schema, damage)
        raw = msgspec.json.encode(record)
        yield (raw[: len(raw) // 2], False) if damage == "broken-syntax" else (raw, True)


def _damage(record: dict[str, Any], schema: str, damage: str) -> None:
    when, code, required = DAMAGE[schema]
    if damage == "bad-date":
        record[when] = "2026-02-30T23:00:00Z"
    elif damage == "unknown-code":
        *above, last = code.split(".")
        target: Any = record
        for step in above:
            target = target[int(step)] if isinstance(target, list) else target[step]
        target[last] = 77 if isinstance(target[last], int) else "ZZ"
    elif damage == "missing-field":
        del record[required]
    elif damage == "bad-cpr":
        record["cprNumber"] = "3999405555"
    elif damage == "unknown-field":
        record["newInVersion9"] = True
