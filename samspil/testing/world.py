"""One municipality's synthetic facts: what every sandbox shows, each in its own words.

Two sandboxes with a world of the same municipality, size and seed agree with each other, as two systems that know the
same citizens do. Night 2 and later differ from the night before by one per cent changed, a few gone and a few new.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cached_property

from samspil.testing import changes, facts, persons, texts
from samspil.testing.facts import Fact

PREFIX = {
    "person": "C",
    "case": "SAG",
    "course_order": "BST",
    "activity": "AKT",
    "attendance": "FM",
    "journal_note": "NOT",
    "status_note": "STA",
    "action_plan": "HPL",
    "assessment": "VUR",
    "placement": "PRA",
    "meeting": "MDE",
    "document": "DOK",
    "company": "VIR",
}

_NO_CODES = {"status_note", "document", "company"}
_NO_DATES = {"person", "company"}


# the municipalities' own, public
_CVR = {"730": "29189668", "751": "55133018", "760": "29189609", "813": "29189498"}


def cvr(municipality: str) -> str:
    """A municipality's CVR number; a number that is none for one whose own is not known here."""
    return _CVR.get(municipality, f"99999{municipality}")


class World:
    """The facts of the municipality with the given code (``760``); the same arguments give the same facts.

    About as many orders as citizens, a third of them for this centre, the rest for other providers; two activities
    per order; at the centre 20 school days per citizen, notes, plans, assessments and placements.
    """

    def __init__(self, municipality: str, *, citizens: int = 200, seed: int = 1) -> None:
        self.municipality, self.citizens, self.seed = municipality, citizens, seed
        self.provider = persons.p_number(municipality, 1)
        self.cvr = cvr(municipality)
        self.canary = persons.canary(municipality)  # person 1, whom the search for leaks looks for
        self._nights: dict[tuple[str, int], dict[str, Fact]] = {}

    def records(self, schema: str, night: int = 1) -> list[Fact]:
        """The facts of a schema as they are on a night (1 and up), sorted by id. Do not change them."""
        found = self._facts(schema, night)
        return [found[key] for key in sorted(found)]

    def broken(self, schema: str, night: int = 1) -> dict[str, str]:
        """Key → the damage its sandbox shows on the wire that night.

        Night 1 has a bad date and an unknown code. Night 2 adds a missing field, a bad CPR number and an unknown
        field, night 3 broken syntax (which costs a whole page); from night 4 all is mended. A damage that a schema
        has no field for becomes a missing field. A schema with fewer than 20 facts has none.
        """
        kinds = ("bad-date", "unknown-code", "missing-field", "bad-cpr", "unknown-field", "broken-syntax")
        shown = kinds[: {1: 2, 2: 5, 3: 6}.get(night, 0)]
        lacking = {
            "bad-date": schema in _NO_DATES,
            "unknown-code": schema in _NO_CODES,
            "bad-cpr": schema == "company",
        }
        pairs = zip(self._fragile(schema), shown, strict=False)
        return {key: "missing-field" if lacking.get(kind) else kind for key, kind in pairs}

    @cached_property
    def _begun(self) -> list[Fact]:
        """This centre's orders that have begun: its records hang on them, so they never go away."""
        orders = self._facts("course_order", 1).values()
        return [order for order in orders if order["provider"] == self.provider and order["start"] <= facts.TODAY]

    def _facts(self, schema: str, night: int) -> dict[str, Fact]:
        known = self._nights.get((schema, night))
        if known is None:
            found = self._first(schema) if night == 1 else self._drifted(schema, night)
            known = self._nights[schema, night] = {fact["id"]: fact for fact in found}
        return known

    def _first(self, schema: str) -> Iterator[Fact]:
        return self._made(schema, 1, self._rng(schema, 1), 1)

    def _drifted(self, schema: str, night: int) -> Iterator[Fact]:
        before = self._facts(schema, night - 1)
        rng = self._rng(schema, night)
        fragile = set(self._fragile(schema))
        movable = [key for key in before if key not in fragile]
        changed = self._some(rng, [before[key] for key in movable], len(before) // 100)
        spare = [before[key] for key in movable if key not in changed and self._may_go(schema, before[key])]
        gone = self._some(rng, spare, len(before) // 200)
        for key, fact in before.items():
            if key not in gone:
                yield {**fact, **changes.CHANGED[schema](fact)} if key in changed else fact
        new = self._made(schema, night, rng, (len(before) + 1000) * night)
        yield from (fact for fact, _ in zip(new, range(max(1, len(before) // 200)), strict=False))

    def _some(self, rng: random.Random, among: list[Fact], count: int) -> set[str]:
        """Keys of ``count`` (at least one) of the facts; one of them is an order that this centre may see, if any is."""
        seen = [fact["id"] for fact in among if fact.get("provider") == self.provider and fact.get("consent")]
        first = {rng.choice(seen)} if seen else set()
        rest = [fact["id"] for fact in among if fact["id"] not in first]
        return first | set(rng.sample(rest, min(len(rest), max(1, count) - len(first))))

    def _fragile(self, schema: str) -> list[str]:
        """Keys that are damaged some night; they neither change nor go, so that a night's counts are plain."""
        first = list(self._facts(schema, 1))
        return self._rng(schema, 0).sample(first, 6) if len(first) >= 20 else []

    def _may_go(self, schema: str, fact: Fact) -> bool:
        """Whether nothing of this world hangs on the fact."""
        if schema == "course_order":
            return bool(fact["provider"] != self.provider or fact["start"] > facts.TODAY)
        return schema not in ("person", "case") and (schema != "activity" or fact["kind"] != "stu")

    def _made(self, schema: str, night: int, rng: random.Random, number: int) -> Iterator[Fact]:
        """New facts of a schema, numbered from ``number``: all there are on night 1, without end later."""
        makers: dict[str, Callable[[int, random.Random, int], Iterator[Fact]]] = {
            "person": self._persons,
            "case": self._cases,
            "course_order": self._orders,
            "activity": self._activities,
            "attendance": self._attendance,
            "company": self._companies,
        }
        if schema in makers:
            return makers[schema](night, rng, number)
        return self._reports(schema, rng, number)

    def _persons(self, night: int, rng: random.Random, number: int) -> Iterator[Fact]:
        taken = {fact["cpr"] for fact in self._facts("person", night - 1).values()} if night > 1 else set()
        for index in range(number, number + self.citizens):
            yield persons.person(rng, self.municipality, index, taken)

    def _cases(self, _night: int, rng: random.Random, number: int) -> Iterator[Fact]:
        for index, person in enumerate(self._facts("person", 1).values(), number):
            yield facts.make_case(rng, self._key("case", index), person)

    def _orders(self, night: int, rng: random.Random, number: int) -> Iterator[Fact]:
        pairs = list(zip(self._facts("person", 1).values(), self._facts("case", 1).values(), strict=True))
        if night > 1:
            rng.shuffle(pairs)
        for index, (person, case) in enumerate(pairs):
            order = facts.make_course_order(
                rng,
                self._key("course_order", number + index),
                person,
                case=case,
                provider=persons.p_number(self.municipality, 2 + index % 5 if index % 3 else 1),
                future=night > 1 or index % 30 == 3,
            )
            yield order if night == 1 else {**order, "consent": True}

    def _activities(self, night: int, rng: random.Random, number: int) -> Iterator[Fact]:
        for index, order in enumerate(self._facts("course_order", 1).values()):
            key = number + 2 * index
            if night == 1:
                yield facts.make_activity(rng, self._key("activity", key), order, at_centre=True)
            yield facts.make_activity(rng, self._key("activity", key + 1), order, at_centre=False)

    def _attendance(self, night: int, rng: random.Random, number: int) -> Iterator[Fact]:
        activity = {(fact["cpr"], fact["title"]): key for key, fact in self._facts("activity", 1).items()}
        today = facts.TODAY + timedelta(days=night - 1)
        for order in self._begun:
            for day in facts.school_days(today) if night == 1 else [today]:
                at = activity[order["cpr"], order["offer"]]
                yield facts.make_attendance(rng, self._key("attendance", number), order, activity=at, day=day)
                number += 1

    def _companies(self, _night: int, rng: random.Random, number: int) -> Iterator[Fact]:
        for index in range(number, number + max(1, self.citizens // 4)):
            yield facts.make_company(rng, self._key("company", index), self.municipality, index)

    def _reports(self, schema: str, rng: random.Random, number: int) -> Iterator[Fact]:
        """What the centre writes: a few per order, fewer of the rarer kinds."""
        per_order = {"journal_note": (6, 1), "placement": (1, 2), "document": (1, 3)}
        many, every = per_order.get(schema, (1, 1))
        for index, order in enumerate(self._begun):
            for round_number in range(1, many + 1 if schema != "assessment" else 2 + (index % 2)):
                if index % every == 0:
                    yield self._report(schema, rng, number, order, round_number)
                    number += 1

    def _report(self, schema: str, rng: random.Random, number: int, order: Fact, round_number: int) -> Fact:
        key = self._key(schema, number)
        if schema == "assessment":
            return facts.make_assessment(rng, key, order, number=round_number)
        make: dict[str, Callable[[random.Random, str, Fact], Fact]] = {
            "journal_note": facts.make_journal_note,
            "status_note": facts.make_status_note,
            "action_plan": facts.make_action_plan,
            "placement": facts.make_placement,
            "meeting": facts.make_meeting,
            "document": facts.make_document,
        }
        fact = make[schema](rng, key, order)
        if order["cpr"] == self.canary["cpr"]:
            fact |= {name: text for name, text in texts.CANARY_TEXTS.items() if fact.get(name)}
        return fact

    def _key(self, schema: str, number: int) -> str:
        return f"{PREFIX[schema]}{self.municipality}{number:07d}"

    def _rng(self, schema: str, night: int) -> random.Random:
        """A generator of its own per schema and night, so that reading one never disturbs another."""
        return random.Random(f"{self.municipality}/{self.citizens}/{self.seed}/{schema}/{night}")  # noqa: S311 - a repeatable world, no secret
