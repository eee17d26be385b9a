"""Random histories of edits at both sides: whichever direction runs first, both end alike, and then all is quiet."""

import contextlib
import math
import random

import msgspec
import pytest

from samspil.errors import Unavailable
from samspil.flow.merger import values_of

PEOPLE = [["A. B."], ["C. D."], ["E. F."]]
EDITS = {  # by word of the calendar: values; the centre owns attendees and minutes, the office the others
    "attendees": PEOPLE,
    "minutes": ["said", "agreed", None],
    "meetingType": ["STATUS", "NETWORK", "START"],
    "courseOrder": ["one", "two", None],
}
REFERENCES = ["c1", "c2", "c3", "o4", "o5"]


def batches(rng):
    """What the two sides' users do between two nights; the same for the same seed."""
    for _ in range(rng.randint(2, 5)):
        yield [one_edit(rng) for _ in range(rng.choice((1, 2, 3, 5)))]


def one_edit(rng):
    word = rng.choice(list(EDITS))
    what = rng.choice(["edit"] * 6 + ["cancel", "book"])
    return what, rng.choice(["centre", "office"]), rng.choice(REFERENCES), word, rng.choice(EDITS[word])


def carry_out(sides, edit):
    what, where, reference, word, value = edit
    side = getattr(sides, where)
    number = side.number(reference)
    maker = reference[0] == where[0]
    if number is None:
        elsewhere = sides.office if where == "centre" else sides.centre
        if maker and what != "cancel" and elsewhere.number(reference) is None:
            side.book(reference)
    elif what == "cancel":
        side.cancel(number)
    else:
        side.edit(number, **{word: value})


def conflicts_of(sides):
    with sides.hub() as hub:
        way = hub.flow(sides.OUT).both
        return sorted(
            (one.flow, one.field, one.reason, msgspec.json.encode(values_of(way, one.key, one.payload)))
            for one in sides.open()
        )


def state(sides):
    return sides.centre.shows(), sides.office.shows(), conflicts_of(sides)


def started(sides, mode):
    for side in (sides.centre, sides.office):
        side.mode = mode
    sides.kept = sides.hub()
    return sides


def reference(one):
    return one["reference"]


def look(sides):
    """Each meeting once at each side, and alike but for what is in conflict."""
    for side in (sides.centre, sides.office):
        references = [one["reference"] for one in side.held.values()]
        assert len(references) == len(set(references))
    if not sides.open():
        shared = [
            [{k: v for k, v in one.items() if k != "minutes"} for one in side.shows()]
            for side in (sides.centre, sides.office)
        ]
        assert sorted(shared[0], key=reference) == sorted(shared[1], key=reference)


@pytest.mark.parametrize("mode", ["snapshot", "incremental"])
@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_the_two_directions_makes_no_difference(new_sides, seed, mode):
    one, other = started(new_sides(), mode), started(new_sides(), mode)
    for edits in batches(random.Random(seed)):
        for edit in edits:
            carry_out(one, edit)
            carry_out(other, edit)
        one.until_quiet(one.OUT, one.BACK)
        other.until_quiet(other.BACK, other.OUT)
        assert state(one) == state(other)
        look(one)
        before = one.calls()
        one.both()
        assert one.calls() == before
    one.kept.close()
    other.kept.close()


@pytest.mark.parametrize("seed", range(6))
def test_killed_or_unanswered_anywhere_both_sides_end_as_if_nothing_had_happened(new_sides, seed):
    rng = random.Random(seed)
    calm, rough = started(new_sides(), "snapshot"), new_sides()
    for edits in batches(random.Random(100 + seed)):
        for edit in edits:
            carry_out(calm, edit)
            carry_out(rough, edit)
        calm.until_quiet()
        for _ in range(rng.randint(1, 4)):
            rough.kill_in = rng.choice([math.inf, rng.randint(1, 90), rng.randint(1, 90)])
            for side in (rough.centre, rough.office):
                side.lose = [rng.random() < 0.3 for _ in range(3)]
            with contextlib.suppress(rough.Killed, Unavailable):
                rough.run(rng.choice([rough.OUT, rough.BACK]))
        rough.kill_in, rough.centre.lose, rough.office.lose = math.inf, [], []
        rough.until_quiet(*rng.sample([rough.OUT, rough.BACK], 2))
        assert state(rough) == state(calm)
        look(rough)
    calm.kept.close()


@pytest.mark.parametrize("seed", range(6))
def test_edits_between_any_two_runs_end_in_agreement_or_in_conflicts(new_sides, seed):
    rng = random.Random(200 + seed)
    sides = started(new_sides(), rng.choice(["snapshot", "incremental"]))
    for edits in batches(rng):
        for edit in edits:
            carry_out(sides, edit)
            if rng.random() < 0.5:
                sides.run(rng.choice([sides.OUT, sides.BACK]))
            elif rng.random() < 0.3:
                run = sides.step("plan", flow := rng.choice([sides.OUT, sides.BACK]), str(rng.random()))
                carry_out(sides, one_edit(rng))
                for name in ("guard", "deliver", "reconcile"):
                    sides.step(name, run)
                assert flow
    sides.until_quiet()
    look(sides)
    sides.kept.close()
