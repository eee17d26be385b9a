"""Random histories of edits, refusals, lost answers and crashes: the target ends with what it should, once each."""

import contextlib
import math
import random
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from samspil import flow as steps
from samspil.errors import Unavailable
from samspil.flow.replay import drop, replay

FLOW = "centre-action_plan-office"
KEYS = ("a1", "b1", "c1", "d2")  # the digit is the person


class Night(NamedTuple):
    """What happens before and in one night."""

    edits: dict[str, str | None]  # None: removed
    twice: str | None  # a key that the source gives a second time, with another word
    refuses: set[str]
    lost: list[bool]
    cut: bool  # one page cannot be cut
    kill_in: int | None
    after: str  # what a person does in the morning


def nights(rng: random.Random) -> Iterator[Night]:
    """A history; the same for the same seed."""
    words = ["x", "y", "x", "y", "x~noise", "broken", "x other", None, None]
    refused = ["a1", "b1", "a1", "b1", "d2", "delete a1", "delete b1", "a1=x", "b1=y"]
    for _ in range(rng.randint(3, 8)):
        yield Night(
            edits={key: rng.choice(words) for key in KEYS if rng.random() < 0.45},
            twice=rng.choice(KEYS) if rng.random() < 0.1 else None,
            refuses=set(rng.sample(refused, rng.choice((0, 0, 1, 2)))),
            lost=[rng.random() < 0.3 for _ in range(3)] if rng.random() < 0.3 else [],
            cut=rng.random() < 0.15,
            kill_in=rng.randint(1, 60) if rng.random() < 0.25 else None,
            after=rng.choice(["", "", "", "replay", "replay", "drop", "agree less", "agree more"]),
        )


def carried(word: str | None) -> str | None:
    """What the target should hold of a record; None if nothing."""
    return None if word is None or word.endswith("other") else word.partition("~")[0]


class History:
    """A pair, and what the centre has."""

    def __init__(self, pair):
        self.pair = pair
        pair.office.silent = True
        self.rows: dict[str, str] = {}
        self.number = 0
        self.dropped: set[str] = set()  # keys of which a version is never to be sent
        self.since: dict[str, set[str | None]] = {
            key: {None} for key in KEYS
        }  # had since the last night that succeeded
        self.looked = 0  # how much of the target's log was checked
        with pair.hub() as hub:
            self.names = {hub.flow(FLOW).key(key.encode()): key for key in KEYS}

    def night(self, night):
        pair = self.pair
        for key, word in night.edits.items():
            self.rows.pop(key, None)
            if word is not None:
                self.rows[key] = word
        twice = [night.twice] if night.twice in self.rows else []
        pair.has(*(f"{key} {word}" for key, word in self.rows.items()), *(f"{key} w" for key in twice))
        pair.centre.rejected = [b"cut"] if night.cut else []
        pair.office.refuses, pair.office.lose = night.refuses, list(night.lost)
        pair.kill_in = math.inf if night.kill_in is None else night.kill_in
        self.number += 1
        now = {key: {carried(self.rows.get(key)), *(["w"] if key in twice else [])} for key in KEYS}
        for key in KEYS:
            self.since[key] |= now[key]
        done = None
        with contextlib.suppress(type(pair).Killed, Unavailable):
            done = self.run(str(self.number))
        pair.kill_in = math.inf
        self.look()
        if done is not None:
            self.check(done, night, twice)
            self.since.update((key, now[key]) for key in KEYS if key in self.rows or not night.cut)
        # what is on its way when the agreement changes is planned anew, under another key (ADR 5): not tried here
        if done is not None or not night.after.startswith("agree"):
            self.morning(night.after)
        self.look()

    def look(self):
        """Nothing took effect that the source did not have since the last night that succeeded."""
        for action, key, word in self.pair.office.log[self.looked :]:
            if action == "delete":
                assert None in self.since[key], (action, key)
            else:
                assert word in self.since[key] or (word == "" and self.since[key] != {None}), (action, key, word)
        self.looked = len(self.pair.office.log)

    def run(self, key):
        with self.pair.hub() as hub:
            run = steps.plan(hub, FLOW, key)
            steps.guard(hub, run)
            steps.deliver(hub, run)
            return steps.reconcile(hub, run)

    def check(self, counts, night, twice):
        pair = self.pair
        assert 0 <= sum(counts.reasons.values()) - counts.held_back <= counts.deletions_held_back
        held, blocked = pair.office.words, {entry.person for entry in pair.open() if entry.stage == "deliver"}
        if not blocked:
            for key, word in self.rows.items():
                if key not in {*twice, *self.dropped} and word != "broken":
                    assert carried(word) == held.get(key) or (pair.less and held.get(key) == ""), key
            if not night.cut:
                assert held.keys() <= self.rows.keys() | self.dropped
        pair.office.lose = []
        before = list(pair.office.log)
        again = self.run(f"{self.number} again")
        assert before == pair.office.log
        assert again.receipts == 0

    def morning(self, what):
        pair = self.pair
        if what == "agree less":
            pair.less = True
            pair.agree(**{", goals]": "]"})
        elif what == "agree more":
            pair.less = False
            pair.agree()
        elif what == "replay":
            pair.office.refuses = set()
            with contextlib.suppress(Unavailable), pair.hub() as hub:
                replay(hub, FLOW, pair.open())
        elif what == "drop" and pair.open():
            entry = pair.open()[0]
            self.dropped.add(self.names.get(entry.key, ""))
            with pair.hub() as hub:
                drop(hub, FLOW, entry.id, who="it", why="test")

    def end(self):
        """The target is well again, everything is mended and sent: it holds what the centre has."""
        pair = self.pair
        new = {key: "new other" if word.endswith("other") else "new" for key, word in self.rows.items()}
        self.night(Night(new, *QUIET))
        self.morning("agree more")
        self.morning("replay")
        counts = self.run("last")
        assert counts.held_back == 0
        assert pair.open() == []
        wanted = {key: carried(word) for key, word in self.rows.items() if carried(word) is not None}
        assert wanted == pair.office.words


QUIET = (None, set(), [], False, None, "")


@pytest.mark.parametrize("seed", range(16))
def test_whatever_happens_the_target_ends_with_what_the_source_has_once_each(lite, seed):
    history = History(lite)
    for night in nights(random.Random(seed)):
        history.night(night)
    history.end()
