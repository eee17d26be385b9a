"""What a declared system shows of one schema, night by night: its world's records and those it was sent."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any, NamedTuple

from samspil.declared.soap.values import put
from samspil.testing.clock import Clock, spread
from samspil.testing.soap.words import Record, Words
from samspil.testing.world import PREFIX, World


class Shown(NamedTuple):
    """One record in a list, with the moment it last changed."""

    raw: bytes
    changed: datetime


class History:
    """One schema. ``clocks`` has the time of each night; ``stamp`` is the record's element that holds the moment of its last change, empty if none does."""

    def __init__(self, world: World, schema: str, words: Words, stamp: str, clocks: Mapping[int, Clock]) -> None:
        self._world, self._schema, self._words, self._stamp, self._clocks = world, schema, words, stamp, clocks
        self._nights: dict[int, tuple[dict[str, Shown], dict[str, datetime]]] = {}
        self._sent: dict[str, Shown | datetime] = {}  # by key; a moment for one that was withdrawn

    def take(self, key: str, record: Record, night: int) -> None:
        """Show a record that was sent, in place of what was there."""
        self._sent[key] = Shown(self._raw(record, "", self._clocks[night].now), self._clocks[night].now)

    def withdraw(self, key: str, night: int) -> None:
        """Show it no more."""
        self._sent[key] = self._clocks[night].now

    def shown(self, night: int) -> dict[str, Shown]:
        """Every record by key, sorted."""
        found = dict(self._night(night)[0])
        for key, sent in self._sent.items():
            if isinstance(sent, Shown):
                found[key] = sent
            else:
                found.pop(key, None)
        return dict(sorted(found.items()))

    def gone(self, night: int) -> dict[str, datetime]:
        """Keys of those that were shown once and are no more, with the moment they went."""
        sent = {key: moment for key, moment in self._sent.items() if isinstance(moment, datetime)}
        return {key: at for key, at in {**self._night(night)[1], **sent}.items() if key not in self.shown(night)}

    def _night(self, night: int) -> tuple[dict[str, Shown], dict[str, datetime]]:
        if night not in self._nights:
            before, gone = self._night(night - 1) if night > 1 else ({}, {})
            moment = self._clocks[night].changed
            now = {
                key: self._same(key, made, before, spread(moment, number, night))
                for number, (key, made) in enumerate(self._made(night).items())
            }
            gone = {**gone, **{key: moment for key in before if key not in now}}
            self._nights[night] = now, {key: at for key, at in gone.items() if key not in now}
        return self._nights[night]

    def _same(self, key: str, made: tuple[Record, str], before: dict[str, Shown], moment: datetime) -> Shown:
        if key in before:
            at = before[key].changed
            raw = self._raw(*made, at)
            if raw == before[key].raw:
                return before[key]
        return Shown(self._raw(*made, moment), moment)

    def _made(self, night: int) -> dict[str, tuple[Record, str]]:
        """Each record with its damage."""
        if self._schema not in PREFIX:  # not of this world: a system that is only being scaffolded
            facts: list[dict[str, Any]] = [{"id": f"EKS{number:04}"} for number in range(1, 21)]
            broken: dict[str, str] = {}
        else:
            facts = self._world.records(self._schema, night)
            broken = self._world.broken(self._schema, night) if self._words.mapped else {}
        return {fact["id"]: (self._words.record(fact), broken.get(fact["id"], "")) for fact in facts}

    def _raw(self, record: Record, damage: str, moment: datetime) -> bytes:
        if self._stamp:
            record = put(deepcopy(record), {self._stamp: moment.isoformat()})
        return self._words.damaged(record, damage) if damage else self._words.raw(record)
