"""Any number of synthetic records as they lie on the wire, a file per page, for two nights.

Each is a fact of the world with a key and a CPR number of its own; the numbers are replacement numbers of people born
in 2037 to 2057, who do not exist (docs/decisions/0002). One in a hundred differs on the second night; one in a
thousand has an unknown code, so that the quarantine works too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from connectors.jobcenter import pages, words
from connectors.journal_rest import rendering
from samspil.testing.facts import Fact
from samspil.testing.world import World

PAGE = 1_000
CHANGED, BROKEN = 100, 1_000  # one in so many
_KEY, _CPR, _WHEN = "KEY-PLACE", "3999405550", datetime(2026, 10, 5, 8, tzinfo=UTC)

Record = Callable[[int], bytes]


def cpr(number: int) -> str:
    """The ``number``-th replacement number: day + 60, born 2037 to 2057; 28 million of them differ."""
    rest, day = divmod(number, 28)
    rest, month = divmod(rest, 12)
    rest, year = divmod(rest, 21)
    serial, century = divmod(rest, 4)
    return f"{day + 61}{month + 1:02}{year + 37}{century + 5}{serial:03}"


def write(protocol: str, folder: Path, count: int, night: int) -> int:
    """Write a night's pages; the mean size of a record in bytes."""
    folder.mkdir(parents=True)
    record = (_rest if protocol == "REST" else _soap)(night)
    if protocol == "REST":
        for page, start in enumerate(range(0, count, PAGE)):
            end = min(start + PAGE, count)
            more = b"true" if end < count else b"false"
            body = b",".join(map(record, range(start, end)))
            (folder / f"{page:06}.json").write_bytes(b'{"data":[' + body + b'],"hasMore":' + more + b"}")
    else:
        pages.write_bulk(folder, "course_order", record, count, size=PAGE)
    return sum(len(record(number)) for number in range(100)) // 100


def write_answer(folder: Path, count: int) -> None:
    """Write course orders as one single SOAP answer."""
    pages.write_bulk(folder, "course_order", _soap(1), count, size=count)


def _rest(night: int) -> Record:
    """An action plan as the journal gives it, with at most two goals of two sub-goals each: about a kilobyte."""

    def encoded(fact: Fact) -> bytes:
        plan = {"id": _KEY, "cprNumber": _CPR, "courseOrderId": fact["order_id"]}
        goals = [{**goal, "sub_goals": goal["sub_goals"][:2]} for goal in fact["goals"][:2]]
        return msgspec.json.encode(plan | rendering.action_plan({**fact, "updated_at": _WHEN, "goals": goals}))

    facts = [fact for fact in World("760").records("action_plan") if fact["goals"]]
    broken = encoded(facts[0]).replace(facts[0]["goals"][0]["status"].upper().encode(), b"ZZ")
    return _record([encoded(fact) for fact in facts], broken, rendering.moment, night)


def _soap(night: int) -> Record:
    """A course order as the jobcenter gives it."""

    def told(fact: Fact) -> dict[str, Any]:
        return words.order({**fact, "id": _KEY, "cpr": _CPR, "ordered_at": _WHEN})

    facts = World("760").records("course_order")
    broken = words.damaged("course_order", told(facts[0]), "unknown-code")
    return _record([words.rendered("Bestilling", told(fact)) for fact in facts], broken, words.moment, night)


def _record(templates: Sequence[bytes], broken: bytes, moment: Callable[[datetime], str], night: int) -> Record:
    key, place, many = _KEY.encode(), _CPR.encode(), len(templates)
    before, after = moment(_WHEN).encode(), moment(_WHEN + timedelta(days=1)).encode()
    assert all(before in template for template in templates)  # noqa: S101  # else nothing would change on night 2

    def record(number: int) -> bytes:
        raw = broken if number % BROKEN == 500 else templates[number % many]
        raw = raw.replace(key, b"K%08d" % number).replace(place, cpr(number).encode())
        if night > 1 and number % CHANGED == 7:
            raw = raw.replace(before, after)
        return raw

    return record
