"""A rate is the account's, however many processes call."""

from __future__ import annotations

import pytest

from samspil import pace
from samspil.account import Account, Settings
from samspil.breaker import Breaker
from samspil.connector import Connector, Page
from samspil.pace import Pace
from samspil.store import paces

NOW = 1_800_000_000.0


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now, self.slept = NOW, []

    def time(self) -> float:
        return self.now

    monotonic = time

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("samspil.pace.time", made)
    monkeypatch.setattr("samspil.breaker.time", made)
    return made


class Polite(Connector):
    """Calls its system once per write and once per page."""

    title, Settings = "Polite", Settings

    def __init__(self, rate: float) -> None:
        super().__init__(Account(id="t_polite"))
        self.pace = Pace(rate)

    @classmethod
    def fields(cls, schema):
        return {}

    def check(self):
        self.pace.wait()

    def read(self, schema, since=None):
        for _ in range(2):
            self.pace.wait()
            yield Page([], [])


@pytest.fixture
def process(store):
    """Makes what another process would have."""
    return lambda rate: Breaker(store, "760", "t_polite", "polite").guard(Polite(rate))


def test_two_processes_keep_the_rate_together(process, clock):
    first, second = process(2), process(2)
    for each in (first, second, first, second):
        each.check()
    assert clock.slept == [0, 0.5, 1.0, 1.5]


def test_pages_count_as_calls_and_what_is_done_between_them_does_not(process, clock):
    first, second = process(2), process(2)
    pages = first.read("x")
    next(pages)
    assert pace.turns.get() is None
    second.check()
    assert len(list(pages)) == 1
    assert clock.slept == [0, 0.5, 1.0]


def test_at_a_high_rate_several_turns_are_asked_for_at_once(process, clock, monkeypatch):
    asked = []
    real = paces.reserve
    monkeypatch.setattr(paces, "reserve", lambda *args: asked.append(round(args[3], 3)) or real(*args))
    first, second = process(100), process(100)
    for _ in range(6):
        first.check()
    second.check()
    assert asked == [0.05, 0.05, 0.05]
    assert clock.slept == [0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1]


def test_turns_that_were_not_taken_in_time_are_not_taken_later(process, clock):
    first, second = process(100), process(100)
    first.check()
    clock.now += 10
    second.check()
    first.check()
    assert clock.slept == [0, 0, 0.05]


def test_turns_taken_late_do_not_reach_into_another_s_time(process, clock):
    first, second = process(100), process(100)
    first.check()  # has reserved five turns, the last at 0.04
    second.check()
    clock.now += 0.03
    for _ in range(3):
        first.check()
    assert clock.slept == [0, 0.05, 0, 0.01, 0.07]


def test_without_a_rate_nobody_waits(process, clock, store):
    process(0).check()
    assert clock.slept == []


def test_time_that_is_over_is_free_again_and_a_clock_set_back_harms_nobody(store):
    with store.transaction() as connection:
        ask = lambda now: paces.reserve(connection, "760", "t", 1.0, now)  # noqa: E731
        assert [ask(NOW), ask(NOW), ask(NOW + 0.5), ask(NOW + 60)] == [0, 1, 1.5, 0]
        assert ask(NOW - 86_400) == 0
        assert paces.reserve(connection, "760", "another", 1.0, NOW) == 0


def test_alone_a_process_keeps_it_by_itself(clock):
    alone = Pace(4)
    for _ in range(3):
        alone.wait()
    assert clock.slept == [0, 0.25, 0.5]
