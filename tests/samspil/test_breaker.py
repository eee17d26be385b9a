"""The circuit breaker: its states, shared between processes through the store."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from samspil.account import Account, Settings
from samspil.breaker import FAILURES, LONGEST, PAUSE, Breaker
from samspil.connector import Connector, Page
from samspil.errors import AccessError, SamspilError, Unavailable
from samspil.store import breakers

TOWN, ACCOUNT = "760", "t_office"


class Office(Connector):
    """A system that does what it is told."""

    title, Settings = "Office", Settings

    def __init__(self, account: Account = Account(id=ACCOUNT)) -> None:  # noqa: B008  # it is immutable
        super().__init__(account)
        self.raises: SamspilError | None = None
        self.calls = 0

    @classmethod
    def fields(cls, schema):
        return {}

    def check(self):
        self.calls += 1
        if self.raises:
            raise self.raises

    def read(self, schema, since=None):
        yield Page([], [])
        self.check()
        yield Page([], [])

    def write(self, schema, batch):
        self.check()
        return []

    def settled(self, schema):
        self.check()


def away(retry_after: float | None = None) -> Unavailable:
    return Unavailable("does not answer", system="office", reason="timeout", retry_after=retry_after)


@pytest.fixture
def process(store):
    """Makes what another process would have: a connector and a breaker of its own."""

    def make(account: str = ACCOUNT) -> Any:
        return Breaker(store, TOWN, account, "office").guard(Office())

    return make


def fail(office: Office, times: int = FAILURES, error: Unavailable | None = None) -> None:
    office.raises = error or away()
    for _ in range(times):
        with pytest.raises(Unavailable):
            office.check()
    office.raises = None


def over(store) -> None:
    """As if the pause were over."""
    with store.transaction() as connection:
        breakers.half_open(connection, TOWN)


def standing(store):
    with store.transaction() as connection:
        return breakers.of(connection, TOWN, ACCOUNT)


def test_failures_in_a_row_open_it_for_every_process_and_say_why(process, store):
    fail(process())
    other = process()
    with pytest.raises(Unavailable, match=r"office: was away 3 times in a row \(timeout\).* for 10 min") as caught:
        other.check()
    assert (other.calls, caught.value.reason) == (0, "circuit-open")
    assert PAUSE - 60 < caught.value.retry_after <= PAUSE
    assert standing(store).failures == 3


def test_failures_of_different_processes_are_counted_together(process):
    for _ in range(FAILURES):
        fail(process(), 1)
    with pytest.raises(Unavailable, match="3 times in a row"):
        process().check()


def test_an_answer_between_them_starts_the_count_afresh(process, store):
    fail(process(), FAILURES - 1)
    process().check()
    assert standing(store) is None
    fail(process(), FAILURES - 1)
    process().check()


def test_after_the_pause_one_call_goes_through_and_the_others_wait_for_it(process, store):
    fail(process())
    over(store)
    first, second = Breaker(store, TOWN, ACCOUNT, "office"), process()
    first.admit()
    with pytest.raises(Unavailable, match="left alone"):
        second.check()
    assert second.calls == 0
    first.answered()
    second.check()
    assert (second.calls, standing(store)) == (1, None)


def test_of_real_processes_at_the_same_moment_one_goes_through(process, store, store_url):
    program = textwrap.dedent("""
        import sys
        from samspil.breaker import Breaker
        from samspil.errors import Unavailable
        from samspil.store import Store
        store = Store(sys.argv[1])
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            Breaker(store, "760", "t_office", "office").admit()
            print("through")
        except Unavailable as error:
            print(error.reason)
    """)
    fail(process())
    over(store)
    command = [sys.executable, "-c", program, store_url]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in started:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    said = sorted(each.communicate()[0].strip() for each in started)
    assert said == ["circuit-open", "circuit-open", "circuit-open", "through"]


def test_a_trial_that_fails_shuts_it_again_and_remembers_since_when(process, store):
    fail(process())
    since = standing(store).since
    over(store)
    fail(process(), 1)
    with pytest.raises(Unavailable, match="4 times in a row"):
        process().check()
    assert standing(store).since == since


def test_a_trial_that_died_does_not_shut_it_off_for_good(process, store):
    fail(process())
    over(store)
    Breaker(store, TOWN, ACCOUNT, "office").admit()  # and was never heard of again
    with pytest.raises(Unavailable, match="left alone"):
        process().check()
    assert standing(store).open_until is not None
    over(store)
    process().check()


@pytest.mark.parametrize("error", [AccessError("no", system="office"), SamspilError("x", reason="y")])
def test_what_is_no_absence_does_not_count(process, error, store):
    office = process()
    office.raises = error
    for _ in range(FAILURES + 1):
        with pytest.raises(SamspilError, match=str(error)):
            office.check()
    assert standing(store) is None


@pytest.mark.parametrize("call", ["check", "read"])
def test_a_system_that_turns_us_away_is_back(process, store, call):
    fail(process())
    over(store)
    office = process()
    office.raises = AccessError("the password has expired", system="office")
    with pytest.raises(AccessError):
        list(office.read("x")) if call == "read" else office.check()
    assert standing(store) is None


def test_what_a_run_does_at_its_end_is_counted_and_held_up_too(process):
    office = process()
    office.raises = away()
    for _ in range(FAILURES):
        with pytest.raises(Unavailable):
            office.settled("case")
    calls = office.calls
    with pytest.raises(Unavailable, match="in a row"):
        office.settled("case")
    assert office.calls == calls


def test_a_systems_own_wish_is_kept_by_all_at_the_first_time(process):
    fail(process(), 1, away(retry_after=1800))
    with pytest.raises(Unavailable) as caught:
        process().check()
    assert 1740 < caught.value.retry_after <= 1800


def test_an_absurd_wish_or_a_clock_set_back_does_not_shut_it_off_for_good(process, store):
    fail(process(), 1, away(retry_after=1e9))
    assert standing(store).open_until < standing(store).since + LONGEST + 60
    with store.transaction() as connection:
        breakers.shut(connection, TOWN, ACCOUNT, 4e9)
    process().check()


def test_a_read_that_breaks_off_each_time_opens_it_too(process):
    office = process()
    office.raises = away()
    for _ in range(FAILURES):
        with pytest.raises(Unavailable):
            list(office.read("x"))
    with pytest.raises(Unavailable, match="left alone"):
        list(process().read("x"))
    with pytest.raises(Unavailable, match="left alone"):
        process().write("x", [])


def test_another_account_is_not_concerned(process, store):
    fail(process())
    other = process("t_other")
    other.check()
    assert other.calls == 1
    with store.transaction() as connection:
        assert [row.account for row in breakers.away(connection, TOWN)] == [ACCOUNT]
        assert breakers.away(connection, "730") == []


def test_many_calls_ask_the_store_once(process, store, monkeypatch):
    monkeypatch.setattr("samspil.breaker._FRESH", math.inf)  # however slow this machine
    office = process()
    office.check()
    monkeypatch.setattr(type(store), "transaction", None)  # and it is not asked again
    for _ in range(1000):
        office.write("x", [])
    assert office.calls == 1001
