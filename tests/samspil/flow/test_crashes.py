"""A process is killed anywhere: the next one finishes the work, and the target has each record exactly once."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap

import msgspec
import pytest

from samspil.errors import Unavailable
from samspil.store import Store

ATTENDANCE = "journal-attendance-jobcenter"


class Killed(BaseException):
    """As if the process had ended here."""


def kill_at(monkeypatch, n):
    """End at the n-th transaction of the store, before or after it took effect (odd and even n)."""
    real, count = Store.transaction, [0]

    @contextlib.contextmanager
    def transaction(self):
        count[0] += 1
        if count[0] == (n + 1) // 2 and n % 2:
            raise Killed
        with real(self) as connection:
            yield connection
        if count[0] == n // 2 and not n % 2:
            raise Killed

    monkeypatch.setattr(Store, "transaction", transaction)


@pytest.mark.parametrize("n", range(1, 60, 3))
def test_killed_at_any_transaction_the_next_run_finishes(exchange, monkeypatch, n):
    with monkeypatch.context() as patch:
        kill_at(patch, n)
        with contextlib.suppress(Killed):
            exchange.run(ATTENDANCE, "night 1")
    counts = exchange.run(ATTENDANCE, "night 1")
    assert counts.balances
    assert set(exchange.jobcenter.held("attendance")) == exchange.expected("attendance")
    assert exchange.jobcenter.doubled("attendance") == []
    again = exchange.run(ATTENDANCE, "night 2")
    assert (again.receipts, again.unchanged) == (0, len(exchange.expected("attendance")))


@pytest.mark.parametrize("fault", ["lost-answer", "status:503", "truncate"])
def test_an_answer_lost_after_it_took_effect_is_asked_for_again_with_the_same_key(exchange, fault):
    exchange.jobcenter.faults.add(fault, times=9)
    with pytest.raises(Unavailable):
        exchange.run(ATTENDANCE, "night 1")
    exchange.jobcenter.faults.clear()
    assert exchange.run(ATTENDANCE, "night 1").balances
    assert set(exchange.jobcenter.held("attendance")) == exchange.expected("attendance")
    assert exchange.jobcenter.doubled("attendance") == []


def test_a_run_left_half_delivered_is_finished_by_the_next_nights_run(exchange):
    exchange.jobcenter.faults.add("lost-answer", times=9)
    with pytest.raises(Unavailable):
        exchange.run(ATTENDANCE, "night 1")
    exchange.jobcenter.faults.clear()
    counts = exchange.run(ATTENDANCE, "night 2")
    assert (counts.delivered, counts.unchanged) == (0, len(exchange.expected("attendance")))
    assert set(exchange.jobcenter.held("attendance")) == exchange.expected("attendance")


def test_a_process_killed_for_real_is_finished_by_the_next(exchange):
    program = textwrap.dedent(f"""
        import os, signal, msgspec
        from samspil.account import Account
        from samspil.flow import plan, guard, delivery
        from samspil.hub import Hub
        accounts = msgspec.json.decode(os.environ["ACCOUNTS"], type=dict[str, Account])
        with Hub.open({str(exchange.file)!r}, accounts.__getitem__) as hub:
            run = plan(hub, {ATTENDANCE!r}, "night 1")
            guard(hub, run)
            write, sent = hub.connector("jobcenter").write, []
            def killing(*args):
                receipts = write(*args)
                sent.append(1)
                if len(sent) == 3:
                    os.kill(os.getpid(), signal.SIGKILL)
                return receipts
            hub.connector("jobcenter").write = killing
            delivery.Delivery(hub, hub.flow({ATTENDANCE!r})).run()
    """)
    environment = {**os.environ, "ACCOUNTS": msgspec.json.encode(exchange.accounts).decode()}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert 0 < len(exchange.jobcenter.held("attendance")) < len(exchange.expected("attendance"))
    assert exchange.run(ATTENDANCE, "night 1").balances
    assert set(exchange.jobcenter.held("attendance")) == exchange.expected("attendance")
    assert exchange.jobcenter.doubled("attendance") == []
