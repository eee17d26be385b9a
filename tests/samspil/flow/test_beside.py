"""A helper seals and writes beside a step: the same comes of it, whatever becomes of either process."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from samspil import flow as steps
from samspil import ledger
from samspil.errors import Refused, SamspilError, Unavailable
from samspil.flow import beside, helper, messages, planning
from samspil.flow.messages import Failed, Settle
from samspil.store import Store, lock, outbox, tables
from samspil.store.outbox import Pending
from samspil.testing.plans import FLOW
from tests.samspil.flow.conftest import ATTENDANCE, ORDER, Exchange, Pair

MANY = [f"r{number} word" for number in range(40)]
WORDS = {row.split()[0]: "word" for row in MANY}


@pytest.fixture
def large(postgresql_url, tmp_path, monkeypatch):
    """A pair whose steps ask for a helper at once, a process of its own, and wait until it is there."""
    monkeypatch.setattr(beside, "FROM", 1)
    monkeypatch.setattr(beside, "_cores", lambda: 2)
    monkeypatch.setattr(planning, "_BATCH", 5)
    monkeypatch.setattr(planning, "_ENOUGH", 1)
    monkeypatch.setattr(beside.Helper, "answered", lambda one: one.wait() == frozenset())
    return Pair(tmp_path, postgresql_url)


def told(monkeypatch, kind):
    """How many of such messages were handed over: a list that grows."""
    found, tell = [], beside.Helper.tell

    def noted(one, message):
        if isinstance(message, kind):
            found.append(one._process.pid)
        tell(one, message)

    monkeypatch.setattr(beside.Helper, "tell", noted)
    return found


def alive(pid: int) -> bool:
    """Whether it runs; one that ended and was not waited for does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False


def test_what_is_done_beside_is_the_same(large, monkeypatch):
    plans, settled = told(monkeypatch, messages.Plan), told(monkeypatch, Settle)
    large.office.refuses = {"r7"}
    counts = large.night(*MANY, "r99 broken")
    assert (counts.delivered, counts.held_back, counts.balances) == (39, 2, True)
    assert len(plans) > 5
    assert len(settled) > 5
    assert not any(map(alive, {*plans, *settled}))  # each hub has ended its own
    large.office.refuses = set()
    assert large.replay(stage="deliver").staying == []
    assert large.office.words == WORDS
    counts = large.night(*MANY[1:], "r99 broken", "r50 new")
    assert (counts.unchanged, counts.delivered, counts.deleted, counts.balances) == (39, 1, 1, True)
    with large.hub() as hub, hub.store.transaction() as connection:
        ledger.verify(connection, "760", hub.vault.signer().public_key())
        shown = [row.reason for row in connection.execute(tables.quarantine.select())]
    assert sorted(shown) == ["bad-word", "not-now"]


def test_nights_of_an_exchange_of_which_one_is_broken_off_beside(large, master_key, monkeypatch, tmp_path):
    """Persons of the sandboxes' world, whom the search for leaks looks for."""
    monkeypatch.setenv("SAMSPIL_STORE", large.url)
    made, settled = Exchange(tmp_path), told(monkeypatch, Settle)
    made.start()
    tell = beside.Helper.tell

    def killing(one, message):
        if isinstance(message, Settle):
            monkeypatch.setattr(beside.Helper, "tell", tell)
            os.kill(one._process.pid, signal.SIGKILL)
        tell(one, message)

    monkeypatch.setattr(beside.Helper, "tell", killing)
    with pytest.raises(Unavailable):
        made.run(ATTENDANCE, "night 1")
    assert made.run(ATTENDANCE, "night 1").balances
    assert made.run(ORDER, "night 1").balances
    with made.hub() as hub, hub.store.transaction() as connection:
        assert connection.execute(tables.consents.select()).first(), "a flow that carries consents is helped, too"
    assert settled
    assert set(made.jobcenter.held("attendance")) == made.expected("attendance")
    assert made.jobcenter.doubled("attendance") == []
    made.stop()


@pytest.mark.parametrize("kind", [messages.Meet, messages.Plan, Settle])
def test_a_helper_that_is_killed_fails_the_step_and_the_next_run_finishes(large, monkeypatch, kind):
    tell, seen = beside.Helper.tell, []

    def killing(one, message):
        seen.append(isinstance(message, kind))
        if sum(seen) == 3 and seen[-1]:
            os.kill(one._process.pid, signal.SIGKILL)
        tell(one, message)

    monkeypatch.setattr(beside.Helper, "tell", killing)
    with pytest.raises(Unavailable, match=r"has ended \(-9\)") as caught:
        large.night(*MANY, key="night 1")
    assert caught.value.reason == "helper-ended"
    counts = large.night(*MANY, key="night 1")
    assert (counts.receipts, counts.balances) == (40, True)
    assert large.office.words == WORDS


def test_a_helper_ends_when_who_started_it_is_killed(large):
    program = textwrap.dedent(f"""
        import os, signal
        from samspil.flow import beside
        from samspil.flow.messages import Open
        from samspil.store import Store
        from samspil.vault import Vault
        store, vault = Store({large.url!r}), Vault(bytes(range(32)), "760")
        vault.unlock(store)
        helper = beside.Helper(store, vault)
        helper.start()
        helper.tell(Open("flow", 7, 7, {{}}))
        helper.wait()
        print(helper._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    started = time.monotonic()
    store = Store(large.url)
    with lock.exclusive(store, 7):  # waits for it
        pass
    store.close()
    while alive(int(done.stdout)):
        assert time.monotonic() < started + 10, "it stays"
        time.sleep(0.01)


def test_who_comes_after_one_that_was_killed_waits_for_its_helper(postgresql_url):
    store, order = Store(postgresql_url), []

    def come():
        with lock.exclusive(store, 7):
            order.append("came")

    with store.session() as connection:
        lock.beside(connection, 7)
        coming = threading.Thread(target=come)
        coming.start()
        coming.join(0.3)
        order.append("ended")
    coming.join(10)
    store.close()
    assert order == ["ended", "came"]


def test_neither_its_arguments_nor_its_environment_say_a_secret(large, monkeypatch):
    monkeypatch.setenv("SAMSPIL_KEY", "never to be seen")
    monkeypatch.setenv("AIRFLOW_CONN_OFFICE", "never to be seen")
    with large.hub() as hub:
        hub.helper.start()
        hub.helper.wait()
        place = Path(f"/proc/{hub.helper._process.pid}")
        shown = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
    assert b"samspil.flow.helper" in shown
    assert b"PYTHONPATH" in shown
    assert b"never to be seen" not in shown
    assert str(hub.store.engine.url.database).encode() not in shown


@pytest.mark.parametrize("program", ["samspil.flow.no_such_program", "antigravity.nothing"])
def test_without_a_helper_the_step_goes_on(large, monkeypatch, caplog, program, capfd):
    monkeypatch.setattr(beside, "PROGRAM", program)
    counts = large.night(*MANY)
    assert (counts.delivered, large.office.words) == (40, WORDS)
    assert f"{FLOW} goes on without a helper" in caplog.text
    assert "No module named" in capfd.readouterr().err


def test_persons_who_were_erased_are_not_taken_in_again(helped, postgresql_url, tmp_path):
    pair = Pair(tmp_path, postgresql_url)
    pair.night("a1 x", "b2 x")
    with pair.hub() as hub, hub.store.transaction() as connection:
        person = hub.flow(FLOW).person(b"6201900001")
        connection.execute(tables.persons.update().where(tables.persons.c.person == person).values(wrapped=None))
    counts = pair.night("a1 x", "b2 x", "c1 new", "d3 new")
    assert (counts.blocked, counts.delivered) == (1, 1)
    assert {"Meet", "Plan", "Settle"} <= set(helped)


def test_what_the_database_refuses_is_raised_in_the_step(helped, postgresql_url, tmp_path, monkeypatch):
    pair = Pair(tmp_path, postgresql_url)
    real = outbox.add

    def gone(connection, rows):
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        real(connection, rows)

    monkeypatch.setattr(outbox, "add", gone)
    with pytest.raises(Unavailable, match="the store does not answer"):
        pair.night("a1 x", key="night 1")
    monkeypatch.undo()
    assert pair.night("a1 x", key="night 1").delivered == 1


def test_a_mistake_in_the_program_is_told_without_the_words_of_a_record(helped, postgresql_url, tmp_path, monkeypatch):
    pair = Pair(tmp_path, postgresql_url)

    def mistaken(*_):
        raise ValueError("6201900001 Canary")

    monkeypatch.setattr(outbox, "add", mistaken)
    with pytest.raises(SamspilError, match=r"beside: ValueError at .*test_beside.py:\d+") as caught:
        pair.night("a1 x")
    assert "Canary" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("url", ["sqlite", "one core"])
def test_nobody_helps_where_it_would_be_of_no_use(helped, url, tmp_path, monkeypatch, request):
    if url == "one core":
        monkeypatch.setattr(beside, "_cores", lambda: 1)
    where = f"sqlite:///{tmp_path / 'store.db'}" if url == "sqlite" else request.getfixturevalue("postgresql_url")
    assert Pair(tmp_path, where).night("a1 x").delivered == 1
    assert helped == []


def test_what_is_refused_crosses_the_pipe():
    row = Pending(1, b"k", b"p", 1, b"f", b"payload", None, None)
    sent = Settle(
        [row], [steps.delivery.Receipt(refused=Refused("not-now", field="a.b", hint="try"))], [(b"p", b"key")]
    )
    heard = messages.message(messages.packed(sent))
    assert isinstance(heard, Settle)
    assert (heard.rows, heard.keys) == ([row], [(b"p", b"key")])
    refused = heard.receipts[0].refused
    assert (refused.reason, refused.field, refused.hint) == ("not-now", "a.b", "try")


def test_an_error_crosses_the_pipe_as_it_was():
    error = Unavailable("away", system="store", reason="store-conflict", retry_after=3.5)
    heard = messages.answer(messages.packed(Failed.of(error)))
    assert (type(heard.error), str(heard.error)) == (Unavailable, "store: away")
    assert (heard.error.reason, heard.error.system, heard.error.retry_after) == ("store-conflict", "store", 3.5)


def test_a_helper_reads_on_after_a_failure_so_that_nobody_waits_for_it(helped, postgresql_url, monkeypatch):
    def fails(*_):
        raise Unavailable("away", system="store")

    monkeypatch.setattr(helper.Step, "do", fails)
    store = Store(postgresql_url)
    from samspil.vault import Vault

    vault = Vault(bytes(range(32)), "760")
    vault.unlock(store)
    one = beside.Helper(store, vault)
    one.start()
    one.tell(messages.Open("flow", 7, 7, {}))
    for _ in range(3):
        one.tell(messages.Meet([], [bytes(16)] * 100_000))  # more than a pipe holds
    with pytest.raises(Unavailable, match="away"):
        one.wait()
    assert not one.started
    store.close()
