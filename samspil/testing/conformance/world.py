"""The kit's world: facts that stand still from night to night, except where a promise moves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from samspil.testing.changes import CHANGED
from samspil.testing.facts import Fact
from samspil.testing.world import World

_LACKING = {  # damages that a schema has no field for
    "bad-date": {"person", "company"},
    "unknown-code": {"status_note", "document", "company", "person", "case"},
    "bad-cpr": {"company"},
}

Dress = Callable[[Fact], Fact]


def damages(schema: str) -> list[str]:
    """The kinds of damage within a record of good syntax that a schema has a field for; see ``World.broken``."""
    kinds = ("bad-date", "unknown-code", "missing-field", "bad-cpr", "unknown-field")
    return [kind for kind in kinds if schema not in _LACKING.get(kind, ())]


class SteadyWorld(World):
    """Every night is as the first, undamaged. ``change``, ``hide``, ``show`` and ``damage`` count from a night on.

    ``dressed`` has a function for a schema that every fact of it goes through; ``emptied`` names schemas without facts.
    ``spoken`` has for a schema what says facts in the codes that the system has.
    """

    def __init__(self, municipality: str, *, citizens: int) -> None:
        super().__init__(municipality, citizens=citizens)
        self.dressed: dict[str, Dress] = {}
        self.spoken: Mapping[str, Dress] = {}
        self.emptied: set[str] = set()
        self.backwards = False
        self._moved: dict[tuple[str, str], list[tuple[int, Fact | None]]] = {}
        self._damaged: dict[tuple[str, str], tuple[int, str]] = {}

    def records(self, schema: str, night: int = 1) -> list[Fact]:
        if schema in self.emptied:
            return []
        facts = (self._on(schema, self._said(schema, fact), night) for fact in super().records(schema, 1))
        found = [fact for fact in facts if fact is not None]
        return found[::-1] if self.backwards else found

    def broken(self, schema: str, night: int = 1) -> dict[str, str]:
        return {key: kind for (name, key), (since, kind) in self._damaged.items() if name == schema and night >= since}

    def change(self, schema: str, key: str, night: int, **fields: Any) -> None:
        """From a night on, a fact has other values; without ``fields`` those of an ordinary night's change."""
        (fact,) = [fact for fact in self.records(schema, night) if fact["id"] == key]
        moved = {**fact, **(fields or CHANGED[schema](fact))}
        self._move(schema, key, night, self.spoken.get(schema, _as_it_is)(moved))

    def hide(self, schema: str, key: str, night: int) -> None:
        """From a night on, a fact is not there."""
        self._move(schema, key, night, None)

    def show(self, schema: str, key: str, night: int) -> None:
        """From a night on, a fact that was hidden is there."""
        (fact,) = [fact for fact in super().records(schema, 1) if fact["id"] == key]
        self._move(schema, key, night, self._said(schema, fact))

    def damage(self, schema: str, key: str, kind: str, night: int) -> None:
        """From a night on, a fact is shown damaged; for the kinds see ``World.broken``."""
        self._damaged[schema, key] = night, kind

    def _move(self, schema: str, key: str, night: int, fact: Fact | None) -> None:
        self._moved.setdefault((schema, key), []).append((night, fact))

    def _said(self, schema: str, fact: Fact) -> Fact:
        return self.dressed.get(schema, _as_it_is)(self.spoken.get(schema, _as_it_is)(fact))

    def _on(self, schema: str, fact: Fact, night: int) -> Fact | None:
        moves = [moved for since, moved in self._moved.get((schema, fact["id"]), ()) if since <= night]
        return moves[-1] if moves else fact


def _as_it_is(fact: Fact) -> Fact:
    return fact
