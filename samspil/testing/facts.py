"""How one synthetic fact of each shared schema is made.

A fact is a dict in the shared schema's field names with plain Python values; every field is there, None included.
``make_<schema>`` takes the random generator, the fact's key and the fact it hangs on (a person or an order).
"""

from __future__ import annotations

import hashlib
import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from samspil.testing import persons, texts

Fact = dict[str, Any]

TODAY = date(2026, 10, 30)  # night 1 is the night after this day; the 20 school days before it span the clock change
DENMARK = ZoneInfo("Europe/Copenhagen")

_GOAL_STATUS = ("planned", "ongoing", "ongoing", "paused", "setback", "reached")
_ATTENDANCE = (("present", "6.00"),) * 12 + (
    ("partly-present", "3.50"),
    ("partly-present", "2.25"),
    ("ill", "0.00"),
    ("absent-lawful", "0.00"),
    ("absent-unlawful", "0.00"),
    ("holiday", "0.00"),
)


def school_days(last: date, count: int = 20) -> list[date]:
    """The ``count`` weekdays up to and including ``last``, oldest first."""
    days = (last - timedelta(days=back) for back in range(count * 2))
    return sorted([day for day in days if day.weekday() < 5][:count])


def make_case(rng: random.Random, key: str, person: Fact) -> Fact:
    return {
        "id": key,
        "cpr": person["cpr"],
        "opened": _day(rng, 400, 900),
        "closed": None,
        "kle": rng.choice(("15.20.00", "15.20.21", "32.45.04", "27.69.40")),
        "target_group": str(rng.randint(2, 9)),
        "case_worker": persons.worker(rng),
    }


def make_course_order(rng: random.Random, key: str, person: Fact, *, case: Fact, provider: str, future: bool) -> Fact:
    start = TODAY + timedelta(days=rng.randint(5, 40)) if future else _day(rng, 40, 300)
    end = None if rng.random() < 0.2 else start + timedelta(weeks=rng.choice((13, 26, 52, 156)))
    whose = ("cpr", "given_names", "family_name", "address_protected", "address")
    return {
        "id": key,
        **{name: person[name] for name in whose},
        "case_id": case["id"],
        "target_group": case["target_group"],
        "provider": provider,
        "offer": rng.choice(texts.OFFERS),
        "start": start,
        "end": end,
        "hours_per_week": Decimal(rng.choice(("37.00", "25.00", "20.50", "12.25"))),
        "price": Decimal(rng.randint(20_000_00, 180_000_00)).scaleb(-2) if rng.random() < 0.9 else None,
        "price_package": rng.choice((None, "Takst 1", "Takst 2, tung støtte")),
        "consent": rng.random() < 0.9,
        "case_worker": case["case_worker"],
        "contact_phone": persons.phone(rng),
        "ordered_at": _moment(rng, start - timedelta(days=rng.randint(10, 60))),
        "goals": [_goal(rng, f"{key}-{number}", start) for number in range(1, rng.randint(2, 4))],
    }


def make_activity(rng: random.Random, key: str, order: Fact, *, at_centre: bool) -> Fact:
    return {
        "id": key,
        "cpr": order["cpr"],
        "kind": "stu" if at_centre else rng.choice(("placement", "mentor", "guidance", "education")),
        "title": order["offer"] if at_centre else rng.choice(texts.ACTIVITIES),
        "provider": order["provider"],
        "start": order["start"],
        "end": order["end"],
        "hours_per_week": order["hours_per_week"] if at_centre else Decimal(rng.choice(("2.00", "5.50", "10.00"))),
        "case_worker": order["case_worker"],
    }


def make_attendance(rng: random.Random, key: str, order: Fact, *, activity: str, day: date) -> Fact:
    status, hours = rng.choice(_ATTENDANCE)
    return {**_on(order, key), "activity_id": activity, "date": day, "status": status, "hours": Decimal(hours)}


def make_journal_note(rng: random.Random, key: str, order: Fact) -> Fact:
    return {
        **_on(order, key),
        "written_at": _moment(rng, _day(rng, 0, 60)),
        "author": persons.worker(rng),
        "kind": rng.choice(("course", "contact", "agreement", "placement", "absence")),
        "text": rng.choice(texts.NOTES),
    }


def make_status_note(rng: random.Random, key: str, order: Fact) -> Fact:
    end = _day(rng, 5, 30)
    return {
        **_on(order, key),
        "period_start": end - timedelta(days=91),
        "period_end": end,
        "written": end + timedelta(days=rng.randint(1, 4)),
        "author": persons.worker(rng),
        "summary": rng.choice(texts.SUMMARIES),
        "recommendation": rng.choice((None, *texts.RECOMMENDATIONS)),
    }


def make_action_plan(rng: random.Random, key: str, order: Fact) -> Fact:
    goals = [
        {
            "id": goal["id"],
            "title": goal["title"],
            "status": rng.choice(_GOAL_STATUS),
            "progress": rng.choice((None, 0, 10, 25, 40, 60, 85, 100)),
            "due": goal["due"],
            "comment": rng.choice((None, *texts.NOTES)),
            "sub_goals": [
                {"id": sub["id"], "title": sub["title"], "status": rng.choice(_GOAL_STATUS)}
                for sub in goal["sub_goals"]
            ],
        }
        for goal in order["goals"]
    ]
    follow_up = TODAY + timedelta(days=rng.randint(3, 60))
    ended = order["end"] is not None and order["end"] < follow_up
    return {
        **_on(order, key),
        "title": rng.choice(texts.PLAN_TITLES),
        "author": persons.worker(rng),
        "updated_at": _moment(rng, _day(rng, 0, 30)),
        "start": order["start"] + timedelta(days=rng.randint(0, 21)),
        "end": order["end"],
        "next_follow_up": None if ended else follow_up,
        "purpose": rng.choice(texts.PURPOSES),
        "citizens_wish": rng.choice((None, *texts.WISHES)),
        "goals": goals,
    }


def make_assessment(rng: random.Random, key: str, order: Fact, *, number: int = 1) -> Fact:
    return {
        **_on(order, key),
        "answered": min(order["start"] + timedelta(days=182 * (number - 1) + rng.randint(1, 9)), TODAY),
        "round": number,
        "questionnaire": "labour-market-distance",
        "distance": rng.randint(15, 95),
        "answers": [{"question": question, "score": rng.randint(1, 5)} for question in texts.QUESTIONS],
    }


def make_placement(rng: random.Random, key: str, order: Fact) -> Fact:
    start = _day(rng, 5, 60)
    kind = rng.choice(("work-trial", "work-trial", "wage-subsidy", "ordinary-hours", "flex-job"))
    return {
        **_on(order, key),
        "company_cvr": persons.cvr(rng),
        "company_p_number": rng.choice((None, persons.p_number(order["provider"][4:7], rng.randint(100, 999)))),
        "company_name": persons.firm(rng),
        "kind": kind,
        "start": start,
        "end": rng.choice((None, start + timedelta(weeks=13))),
        "hours_per_week": Decimal(rng.choice(("4.00", "10.50", "15.00", "25.00"))),
        "wage_subsidy": kind == "wage-subsidy",
    }


def make_meeting(rng: random.Random, key: str, order: Fact) -> Fact:
    return {
        **_on(order, key),
        "kind": rng.choice(("start", "status", "network", "follow-up")),
        "held_at": _moment(rng, _day(rng, 0, 40)),
        "participants": [order["case_worker"], persons.worker(rng)],
        "minutes": rng.choice((None, *texts.MINUTES)),
    }


def make_document(rng: random.Random, key: str, order: Fact) -> Fact:
    content = f"%PDF-1.4\n% {rng.choice(texts.SUMMARIES)}\n%%EOF\n".encode()
    return {
        **_on(order, key),
        "title": rng.choice(("Handleplan", "Praktikaftale", "Samtykkeerklæring")),
        "media_type": "application/pdf",
        "created_at": _moment(rng, _day(rng, 0, 60)),
        "sha256": hashlib.sha256(content).hexdigest(),
        "content": content,
    }


def make_company(rng: random.Random, key: str, municipality: str, number: int) -> Fact:
    places = rng.randint(1, 8)
    return {
        "id": key,
        "cvr": persons.cvr(rng),
        "p_number": persons.p_number(municipality, 100 + number % 900),
        "name": persons.firm(rng),
        "address": persons.address(rng, municipality),
        "places": places,
        "free_places": rng.randint(0, places),
    }


def _on(order: Fact, key: str) -> Fact:
    return {"id": key, "cpr": order["cpr"], "order_id": order["id"]}


def _goal(rng: random.Random, key: str, start: date) -> Fact:
    return {
        "id": key,
        "title": rng.choice(texts.GOALS),
        "due": rng.choice((None, start + timedelta(weeks=26))),
        "sub_goals": [
            {
                "id": f"{key}-{number}",
                "title": rng.choice(texts.SUB_GOALS),
                "due": rng.choice((None, start + timedelta(weeks=8))),
            }
            for number in range(1, rng.randint(1, 4))
        ],
    }


def _day(rng: random.Random, earliest: int, latest: int) -> date:
    return TODAY - timedelta(days=rng.randint(earliest, latest))


def _moment(rng: random.Random, day: date) -> datetime:
    return datetime.combine(day, time(rng.randint(7, 16), rng.randint(0, 59), rng.randint(0, 59)), DENMARK)
