"""Erasing a person between real nights: nothing is left, nothing comes back, everything still balances and verifies."""

import math

import pytest
from sqlalchemy import text

from samspil.errors import SamspilError, SettingsError, Unavailable
from samspil.flow.reconciliation import count
from samspil.ledger import verify
from samspil.rights.erasure import erase
from samspil.rights.finding import Found, find, note
from samspil.rights.number import mentions, numbers_in, parse
from samspil.store import lock, runs

SEPARATED = "760"  # on PostgreSQL also as a role of this municipality

PLAN = "centre-action_plan-office"
ONE, TWO = "6201900001", "6301900002"  # the numbers of the pair's persons 1 and 2


def erased(pair, number=ONE):
    with pair.hub() as hub:
        return erase(hub, number, who="a test", why="case 1")


def found(pair, number=ONE):
    with pair.hub() as hub:
        return find(hub, number)


def rows(pair, query, **values):
    with pair.hub() as hub, hub.store.transaction() as connection:
        return connection.execute(text(query), values).all()


def digest(pair, number=ONE):
    with pair.hub() as hub:
        return hub.vault.digest("person")(number.encode())


def assert_whole(pair):
    """The ledger verifies, and every run still balances."""
    with pair.hub() as hub, hub.store.transaction() as connection:
        assert verify(connection, "760", hub.vault.signer().public_key())
        for (number,) in connection.execute(text("SELECT id FROM runs WHERE state = 'done'")):
            assert count(connection, runs.get(connection, number)).balances


def test_nothing_is_left_and_the_next_night_takes_nothing_in(pair):
    pair.night("a1 x", "b1 y", "c2 z")
    before = pair.night("a1 x2", "b1 y", "c2 z")
    done = erased(pair)
    assert (3, 2, 0) == done.rows
    for table in ("outbox", "links", "quarantine"):
        assert [] == rows(pair, f"SELECT 1 FROM {table} WHERE person = :p", p=digest(pair))
    assert [(None, None)] == [
        tuple(r) for r in rows(pair, "SELECT wrapped, handle FROM persons WHERE person = :p", p=digest(pair))
    ]
    assert_whole(pair)
    night = pair.night("a1 x3", "b1 y", "c2 z", "d1 new")
    assert (4, 3, 1, 0) == (night.read, night.blocked, night.unchanged, night.receipts)
    assert night.balances
    assert {"a1": "x2", "b1": "y", "c2": "z"} == pair.office.words
    assert_whole(pair)
    assert before.delivered == 1


def test_what_was_sent_is_told_and_who_must_be_asked(pair):
    pair.night("a1 x", "c2 z")
    handle = found(pair).handle
    done = erased(pair)
    assert (handle, {"office": "an example"}) == (done.handle, done.told)
    assert 32 == len(handle)


def test_everything_held_and_done_is_shown_and_after_the_erasure_nothing(pair):
    pair.office.refuses = {"b1"}
    pair.night("a1 x", "b1 y", "c2 z")
    with pair.hub() as hub:
        note(hub, ONE, find(hub, ONE), who="a test", why="case 1")
    seen = found(pair)
    assert [("outbox", "sent"), ("outbox", "not sent"), ("quarantine", "open: not-now")] == [
        (each.where, each.state) for each in seen.held
    ]
    assert all(b'"id":' in each.payload for each in seen.held)
    assert {PLAN: 1} == seen.at_targets
    assert ["read, to be sent", "read, to be sent", "refused there", "sent", "shown to a person here"] == sorted(
        event.what for event in seen.events
    )
    (sent,) = [event for event in seen.events if event.sent]
    assert ("centre", "office", "follow-up", "an example") == tuple(
        sent.context[name] for name in ("from", "to", "purpose", "legal_basis")
    )
    assert {"cpr", "goals"} < set(sent.context["fields"])
    erased(pair)
    assert Found("", erased=True, held=[], at_targets={}, events=[]) == found(pair)


def test_another_persons_data_stays_as_it_was(pair):
    pair.night("a1 x", "c2 z")
    before = found(pair, TWO)
    erased(pair)
    assert before == found(pair, TWO)
    assert {"c2": "new"}.items() <= (pair.night("a1 x", "c2 new") and pair.office.words).items()


def test_a_record_that_could_not_be_read_goes_too_and_is_not_held_back_again(pair):
    pair.night("a1 broken", "c2 broken")
    assert 2 == len(pair.open())
    assert ["quarantine"] == [each.where for each in found(pair).held]
    assert 1 == erased(pair).rows.quarantine
    assert 1 == len(pair.open())
    night = pair.night("a1 broken", "b1 broken", "c2 broken")
    assert (2, 1) == (night.blocked, night.held_back)
    assert night.balances


def test_a_broken_version_of_a_record_is_found_by_its_key(pair):
    pair.night("a1 x")
    pair.centre.rows = [("a1", 9, "broken", "mine")]  # the number in it is wrong as well
    run = pair.step("plan", PLAN, "broken")
    for step in ("guard", "deliver", "reconcile"):
        pair.step(step, run)
    assert 2 == len(found(pair).held)
    assert (1, 1, 1) == erased(pair).rows
    assert [] == pair.open()
    assert_whole(pair)


def test_what_was_planned_and_not_sent_is_never_sent_and_the_run_balances(pair):
    pair.has("a1 x", "c2 z")
    run = pair.step("plan", PLAN, "night")
    pair.step("guard", run)
    erased(pair)
    pair.step("deliver", run)
    counts = pair.step("reconcile", run)
    assert (2, 1, 1) == (counts.read, counts.delivered, counts.blocked)
    assert {"c2": "z"} == pair.office.words
    assert_whole(pair)


def test_a_refused_record_stops_blocking_and_is_not_sent_again(pair):
    pair.office.refuses = {"a1"}
    pair.night("a1 x", "b1 y", "c2 z")
    erased(pair)
    pair.office.refuses = set()
    night = pair.night("a1 x", "b1 y", "c2 z")
    assert (2, 1) == (night.blocked, night.unchanged)
    assert {"c2": "z"} == pair.office.words
    assert_whole(pair)


def test_while_a_flow_runs_nothing_is_erased(pair):
    pair.night("a1 x")
    with (
        pair.hub() as running,
        lock.exclusive(running.store, running.flow(PLAN).id),
        pytest.raises(Unavailable) as caught,
    ):
        erased(pair)
    assert "flow-busy" == caught.value.reason
    assert 1 == len(found(pair).held)


def test_a_person_never_seen_can_be_kept_out_and_twice_is_told(pair):
    pair.night("c2 z")
    assert (0, 0, 0) == erased(pair).rows
    assert 1 == pair.night("a1 x", "c2 z").blocked
    with pytest.raises(SamspilError) as caught:
        erased(pair)
    assert "erased-already" == caught.value.reason


def test_the_erasure_is_in_the_ledger_with_its_reason(pair):
    pair.night("a1 x")
    handle = erased(pair).handle.encode()
    contexts = [bytes(context) for (context,) in rows(pair, "SELECT context FROM ledger")]
    (said,) = [context for context in contexts if b'"erase"' in context]
    assert all(part in said for part in (b"case 1", b"a test", handle))
    assert not any(ONE.encode() in context for context in contexts)


def test_the_dry_run_says_what_would_be_blocked(pair):
    from samspil.flow.preview import Preview

    pair.night("a1 x", "c2 z")
    erased(pair)
    pair.has("a1 x", "b1 broken", "c2 z2")
    with pair.hub() as hub:
        preview = Preview(hub, PLAN)
        assert ["update"] == [change.what for change in preview]
    assert 2 == preview.counts["blocked"]


def test_the_wrapped_key_is_gone_from_the_files(lite, tmp_path):
    lite.night("a1 x", "c2 z")
    ((wrapped,),) = rows(lite, "SELECT wrapped FROM persons WHERE person = :p", p=digest(lite))
    ((payload,),) = rows(lite, "SELECT payload FROM outbox WHERE person = :p", p=digest(lite))
    erased(lite)
    left = b"".join(file.read_bytes() for file in tmp_path.glob("store.db*"))
    assert wrapped not in left
    assert payload not in left


def test_killed_anywhere_it_has_happened_or_it_has_not(new_pair):
    for moment in range(1, 40):
        pair = new_pair()
        pair.night("a1 x", "b1 broken", "c2 z")
        pair.kill_in = moment
        try:
            erased(pair)
        except pair.Killed:
            pair.kill_in = math.inf
        else:
            break
        assert len(found(pair).held) in (0, 2)
        assert_whole(pair)
        if not found(pair).erased:
            erased(pair)
        pair.kill_in = math.inf
        assert 2 == pair.night("a1 x", "b1 broken", "c2 z").blocked
    else:
        pytest.fail("it never came to an end")
    assert moment > 6


@pytest.mark.parametrize("typed", ["620190-0001", "6201900001\n", " 620190 0001"])
def test_a_number_is_taken_as_people_write_it(typed):
    assert ONE == parse(typed)


@pytest.mark.parametrize("typed", ["", "0000000000", "9901900001", "201900001", "anna"])
def test_what_is_nobodys_number_is_refused_without_showing_it(typed):
    with pytest.raises(SettingsError) as caught:
        parse(typed)
    assert not typed or typed not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"x0201900001y",
        b"<n>020190-0001</n>",
        "020190\u20130001".encode(),
        b";201900001;",
        b"\x000\x002\x000\x001\x009\x000\x000\x000\x000\x001",
    ],
)
def test_a_number_is_found_however_it_is_written(raw):
    plain = raw.replace(b"\0", b"")
    assert mentions("0201900001").search(plain)
    assert raw.startswith(b"x") or "0201900001" in numbers_in(raw)


@pytest.mark.parametrize("raw", [b"0201900002", b"1201900001;", b"12019000012", b"020190 and 0001"])
def test_another_number_is_not(raw):
    assert not mentions("0201900001").search(raw)
    assert "0201900001" not in numbers_in(raw)
