"""What one night changes in a synthetic fact of each shared schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal

from samspil.testing.facts import TODAY, Fact


def _plan_moved(fact: Fact) -> Fact:
    first, *others = fact["goals"]
    moved = {**first, "progress": ((first["progress"] or 0) + 95) % 101, "status": "setback"}
    return {"updated_at": fact["updated_at"] + timedelta(days=1), "goals": [moved, *others]}


def _person_moved(fact: Fact) -> Fact:
    """Married or divorced, with a new telephone: not every system that has persons has telephones."""
    name = fact["family_name"]
    return {
        "phone": f"0{(int(fact['phone'] or '0') + 7) % 10_000_000:07d}",
        "family_name": name.removesuffix("-Lund") if name.endswith("-Lund") else f"{name}-Lund",
    }


CHANGED: Mapping[str, Callable[[Fact], Fact]] = {  # by schema: the fact → its fields that are other the night after
    "person": _person_moved,
    "case": lambda fact: {"closed": None if fact["closed"] else TODAY},
    "course_order": lambda fact: {"hours_per_week": (fact["hours_per_week"] + Decimal("1.25")) % 37},
    "activity": lambda fact: {"hours_per_week": (fact["hours_per_week"] + Decimal("1.25")) % 37},
    "action_plan": _plan_moved,
    "attendance": lambda fact: {"hours": (fact["hours"] + Decimal("0.25")) % 7, "status": "partly-present"},
    "journal_note": lambda fact: {"text": fact["text"] + " Rettet dagen efter."},
    "status_note": lambda fact: {"summary": fact["summary"] + " Tilføjet efter møde."},
    "assessment": lambda fact: {"distance": (fact["distance"] + 3) % 101},
    "placement": lambda fact: {"hours_per_week": (fact["hours_per_week"] + Decimal("1.25")) % 37},
    "meeting": lambda fact: {"minutes": (fact["minutes"] or "Referat:") + " Godkendt."},
    "document": lambda fact: {"title": fact["title"] + ", ny udgave"},
    "company": lambda fact: {"free_places": (fact["free_places"] + 1) % (fact["places"] + 1)},
}
