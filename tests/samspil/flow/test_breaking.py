"""Sequences of nights that were found to lose, double or misplace something, and must not again.

A record is written ``"a1 word"``: record a1 of person 1, whose goal is ``word``; ``"a1 word other"`` is filtered.
"""

import threading

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from samspil import flow as steps
from samspil.connector import Page
from samspil.errors import SamspilError, Unavailable
from samspil.flow.replay import drop, replay
from samspil.store import lock, receipts, runs
from samspil.store.tables import first_id

SEPARATED = "760"  # on PostgreSQL also as a role of this municipality

FLOW = "centre-action_plan-office"


# what the target calls a record


def test_a_target_that_does_not_repeat_its_id_on_an_update_is_updated_again_not_created(pair):
    pair.office.silent = True
    for word in "xyz":
        pair.night(f"a1 {word}")
    assert pair.office.words == {"a1": "z"}


# what waits behind a refused record of the same person


def test_a_change_taken_back_while_it_waited_is_not_sent(pair):
    pair.night("a1 x", "b1 x")
    pair.office.refuses = {"a1"}
    pair.night("a1 y", "b1 y")
    pair.night("a1 y", "b1 x")
    pair.office.refuses = set()
    pair.replay()
    assert pair.office.words == {"a1": "y", "b1": "x"}
    assert ("put", "b1", "y") not in pair.office.log


def test_a_new_record_removed_while_it_waited_is_not_sent(pair):
    pair.office.refuses = {"a1"}
    pair.night("a1 x", "b1 x")
    pair.night("a1 x")
    pair.office.refuses = set()
    pair.replay()
    assert pair.office.log == [("put", "a1", "x")]


def test_a_deletion_that_waited_is_not_sent_when_the_record_is_back(pair):
    pair.night("a1 x", "b1 x")
    pair.office.refuses = {"a1"}
    pair.night("a1 y")
    pair.night("a1 y", "b1 x")
    pair.office.refuses = set()
    pair.replay()
    assert pair.office.words == {"a1": "y", "b1": "x"}
    assert ("delete", "b1", "x") not in pair.office.log


def test_a_filtered_record_that_waited_is_not_sent_even_if_the_night_that_saw_it_was_killed(pair):
    pair.office.refuses = {"a1"}
    pair.night("a1 x", "b1 x", "c2 x")
    pair.centre.page, pair.centre.fail_after = 5_000, 5_000
    more = [f"{n}1 w other" for n in range(5_000)]
    with pytest.raises(Unavailable):
        pair.night("a1 x", "b1 y other", "c2 x", *more, "z1 w")
    pair.centre.fail_after = 10_000
    pair.night("a1 x", "b1 y other", "c2 x", *more)
    pair.office.refuses = set()
    pair.replay()
    assert pair.office.words == {"a1": "x", "c2": "x"}


def test_what_waited_goes_after_the_mended_record_it_waited_for(pair):
    pair.office.refuses = {"a1=x"}
    pair.night("a1 x", "b1 x")
    counts = pair.night("a1 y", "b1 x")
    assert [key for _, key, _ in pair.office.log] == ["a1", "b1"]
    assert (counts.delivered, counts.held_back) == (2, 0)


def test_a_replay_that_was_killed_still_goes_before_what_waits_for_it(pair):
    pair.office.refuses = {"a1"}
    pair.night("a1 x", "b1 x")
    pair.office.refuses = set()
    with pair.hub() as hub, pytest.MonkeyPatch.context() as patch:
        patch.setattr("samspil.flow.replay.Delivery", lambda *_: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            replay(hub, FLOW, pair.open())
    pair.night("a1 x", "b1 x")
    assert [key for _, key, _ in pair.office.log] == ["a1", "b1"]


def test_a_key_read_twice_whose_older_version_waits_does_not_stop_the_plan(pair):
    pair.office.refuses = {"a1"}
    pair.night("a1 x", "b1 x")
    assert pair.night("a1 x", "b1 y", "b1 z").reasons["duplicate-key"] == 2
    assert pair.night("a1 x", "b1 y").reasons == {"held-since-earlier": 1, "waits-behind-refused": 1}


# deletions and records no longer to be sent


def test_a_refused_deletion_replayed_deletes(pair):
    pair.night("a1 x", "b2 x")
    pair.office.refuses = {"a1"}
    assert pair.night("b2 x").deletions_held_back == 1
    assert pair.night("b2 x").deletions_held_back == 1
    pair.office.refuses = set()
    done = pair.replay()
    assert pair.office.words == {"b2": "x"}
    assert (done.counts.read, done.counts.deleted) == (0, 1)


def test_a_refused_withdrawal_replayed_takes_back_and_does_not_send_again(pair):
    pair.night("a1 x", "b2 x")
    pair.office.refuses = {"a1"}
    pair.night("a1 x other", "b2 x")
    pair.office.refuses = set()
    pair.replay()
    assert pair.office.words == {"b2": "x"}
    counts = pair.night("a1 x other", "b2 x")
    assert (counts.filtered, counts.unchanged) == (1, 1)


def test_a_record_whose_deletion_was_refused_and_that_is_back_stays(pair):
    pair.night("a1 x")
    pair.office.refuses = {"delete a1"}
    pair.night()
    pair.night("a1 x")
    assert pair.open() == []
    pair.office.refuses = set()
    pair.night("a1 x")
    assert pair.office.log == [("put", "a1", "x")]


def test_a_target_that_cannot_delete_is_not_asked_to_take_back(pair):
    pair.office.deletes = False
    pair.night("a1 x")
    counts = pair.night("a1 x other")
    assert (counts.filtered, counts.kept_by_target) == (1, 1)
    assert pair.office.log == [("put", "a1", "x")]


# keys read twice


def test_a_key_read_twice_and_filtered_twice_does_not_stop_the_plan(pair):
    assert pair.night("a1 x other", "a1 y other", "b2 x").filtered == 2
    assert pair.night("a1 x other", "b2 x").filtered == 1


def test_a_key_read_twice_is_held_back_each_night_and_sent_when_it_comes_once(pair):
    for _ in range(3):
        assert pair.night("a1 x", "a1 y").reasons == {"duplicate-key": 2}
        assert len(pair.open()) == 2
    pair.night("a1 x")
    assert (pair.office.words, pair.open()) == ({"a1": "x"}, [])


def test_of_a_key_read_twice_only_one_can_be_replayed(pair):
    pair.night("a1 x", "a1 y")
    assert [refused.reason for _, refused in pair.replay().staying] == ["duplicate-key", "duplicate-key"]
    with pair.hub() as hub:
        done = replay(hub, FLOW, pair.open()[1:])
    assert (done.counts.delivered, pair.office.words) == (1, {"a1": "y"})


def test_two_broken_records_of_one_key_stay_two_entries(pair):
    for _ in range(3):
        counts = pair.night("a1 broken", "a1 broken~more")
        assert (counts.held_back, len(pair.open())) == (2, 2)


# the agreement


def test_a_field_taken_out_of_the_agreement_does_not_leave_from_the_outbox(pair):
    pair.has("a1 secret")
    run = pair.step("plan", FLOW, "tonight")
    pair.step("guard", run)
    pair.agree(**{", goals]": "]"})
    pair.step("deliver", run)
    assert pair.step("reconcile", run).reasons == {"replaced-by-a-later-run": 1}
    pair.night("a1 secret")
    assert pair.office.log == [("put", "a1", "")]


def test_a_field_taken_out_of_the_agreement_does_not_leave_by_a_replay(pair):
    pair.office.refuses = {"a1"}
    pair.night("a1 secret", "b1 secret")
    pair.agree(**{", goals]": "]"})
    pair.office.refuses = set()
    assert [refused.reason for _, refused in pair.replay().staying] == ["agreement-changed"]
    pair.night("a1 secret", "b1 secret")
    assert pair.office.log == [("put", "a1", ""), ("put", "b1", "")]


# runs


def test_a_refused_plan_is_not_green(pair):
    pair.agree(**{"deletions: 100": "deletions: 0"})
    pair.night("a1 x", "b2 x", "c3 x", "d4 x")
    pair.has()
    run = pair.step("plan", FLOW, "night 2")
    with pytest.raises(SamspilError, match="the agreement allows 3"):
        pair.step("guard", run)
    with pair.hub() as hub:
        steps.decide(hub, run, approve=False, who="it", why="the export was cut off")
    for step in ("guard", "deliver", "reconcile"):
        with pytest.raises(SamspilError, match="was dropped"):
            pair.step(step, run)
    assert len(pair.office.words) == 4


def test_a_plan_dropped_by_the_next_night_cannot_be_approved_at_the_same_moment(pair, monkeypatch):
    pair.agree(**{"deletions: 100": "deletions: 0"})
    pair.night("a1 x", "b2 x", "c3 x", "d4 x")
    pair.has()
    run = pair.step("plan", FLOW, "tonight")
    with pytest.raises(SamspilError, match="the agreement allows 3"):
        pair.step("guard", run)
    looked = steps._run

    def look_then_wait(hub, run):
        found = looked(hub, run)
        monkeypatch.setattr(steps, "_run", looked)
        pair.has("a1 x", "b2 x", "c3 x", "d4 x")
        pair.step("plan", FLOW, "tomorrow")
        return found

    monkeypatch.setattr(steps, "_run", look_then_wait)
    with pair.hub() as hub, pytest.raises(Unavailable, match="just decided"):
        steps.decide(hub, run, approve=True, who="it", why="in a hurry")
    pair.night("a1 x", "b2 x", "c3 x", "d4 x")
    assert len(pair.office.words) == 4


def test_a_run_that_was_not_delivered_is_not_green(pair):
    pair.has("a1 x")
    run = pair.step("plan", FLOW, "night 1")
    pair.step("guard", run)
    with pytest.raises(SamspilError, match="1 changes were not sent"):
        pair.step("reconcile", run)
    pair.step("deliver", run)
    assert pair.step("reconcile", run).delivered == 1


def test_what_a_plan_held_back_before_it_was_killed_counts_once(pair):
    pair.centre.page, pair.centre.fail_after = 5_000, 5_000
    rows = ["a1 broken", *(f"{n}2 w other" for n in range(5_000))]
    with pytest.raises(Unavailable):
        pair.night(*rows, key="night")
    pair.centre.fail_after = 10_000
    assert pair.night(*rows, key="night").reasons == {"bad-word": 1}


def test_an_older_runs_counts_still_balance_when_a_later_one_replaced_part_of_it(pair):
    pair.office.refuses = {"a1"}
    pair.night("a1 x", "b1 x", "c2 x")
    pair.night("a1 x", "b1 y", "c2 x")
    counts = pair.step("reconcile", 1)
    assert counts.reasons == {"not-now": 1, "replaced-by-a-later-run": 1}
    assert (counts.read, counts.delivered, counts.held_back, counts.receipts) == (3, 1, 2, 2)


# the quarantine


def test_a_dropped_entry_stays_dropped_until_the_record_changes(pair):
    pair.office.refuses = {"a1=x"}
    pair.night("a1 x", "b1 x")
    with pair.hub() as hub:
        drop(hub, FLOW, pair.open()[0].id, who="it", why="a test record")
        with pytest.raises(SamspilError, match="settled already"):
            drop(hub, FLOW, 1, who="it", why="again")
    assert pair.night("a1 x", "b1 x").reasons == {"held-since-earlier": 1}
    assert (pair.office.words, pair.open()) == ({"b1": "x"}, [])
    pair.night("a1 y", "b1 x")
    assert pair.office.words == {"a1": "y", "b1": "x"}


def test_an_entry_that_another_has_settled_meanwhile_is_not_sent_a_second_time(pair):
    pair.office.refuses = {"a1"}
    pair.night("a1 x")
    entries = pair.open()
    pair.office.refuses = set()
    pair.night("a1 y")
    with pair.hub() as hub:
        done = replay(hub, FLOW, entries)
    assert [refused.reason for _, refused in done.staying] == ["settled-meanwhile"]
    assert pair.office.log == [("put", "a1", "y")]


# reads


def test_a_page_whose_keys_and_records_do_not_match_is_refused_whole(lite):
    lite.centre.read = lambda *_: iter([Page([b"{}"], []), Page([], [b"a"])])
    with pytest.raises(SamspilError, match="do not match"):
        lite.night()


def test_large_records_are_not_gathered(lite, monkeypatch):
    sizes = []
    real = steps.planning._changes

    def noting(draft, rows):
        sizes.append(len(rows.raws))
        return real(draft, rows)

    monkeypatch.setattr(steps.planning, "_changes", noting)
    monkeypatch.setattr(steps.planning, "_BYTES", 1_000)
    assert lite.night(*(f"{n}1 x" for n in range(30))).delivered == 30
    assert max(sizes) < 10


# incremental sources


@pytest.fixture
def feed(pair):
    """A pair whose source gives only what changed."""
    pair.centre.mode = "incremental"
    pair.centre.cursor = "one"
    return pair


def test_a_cursor_is_used_only_after_its_run_and_not_in_another_version(feed):
    feed.night("a1 x", "b2 x")
    feed.centre.cursor = "two"
    feed.night("a1 y")
    feed.agree(**{", goals]": "]"})
    feed.night("a1 y", "b2 x")
    assert feed.centre.since == [None, "one", None]
    assert feed.office.words == {"a1": "", "b2": ""}


def test_a_cursor_does_not_pass_a_page_that_could_not_be_cut(feed):
    feed.centre.rejected = [b"..."]
    feed.night("a1 x")
    feed.centre.rejected = []
    feed.night("a1 x", "b2 x")
    assert feed.centre.since == [None, None]


def test_a_refused_change_taken_back_at_an_incremental_source_is_closed(feed):
    feed.night("a1 x", "b1 x")
    feed.office.refuses = {"a1"}
    feed.night("a1 y", "b1 y")
    assert feed.night("a1 x").held_back == 0
    assert feed.open() == []
    feed.night()
    assert feed.office.words == {"a1": "x", "b1": "y"}


def test_what_an_incremental_source_says_is_gone_neither_waits_nor_is_held_back(feed):
    feed.office.refuses = {"a1"}
    feed.night("a1 x", "b1 x")
    feed.centre.gone = ["a1", "b1"]
    feed.night()
    feed.office.refuses = set()
    feed.centre.gone = []
    feed.night()
    assert (feed.open(), feed.office.log) == ([], [])


# two processes


@pytest.mark.parametrize("step", ["plan", "deliver", "replay"])
def test_a_second_process_on_the_same_flow_is_told_to_wait(pair, step):
    pair.office.refuses = {"b2"}
    pair.night("b2 x")
    pair.has("a1 x", "b2 x")
    run = pair.step("plan", FLOW, "night 2")
    pair.step("guard", run)
    inside, leave = threading.Event(), threading.Event()

    def hold(batch):
        inside.set()
        leave.wait(30)

    pair.office.before = hold
    first = threading.Thread(target=pair.step, args=("deliver", run))
    first.start()
    assert inside.wait(30)
    with pytest.raises(Unavailable) as caught:
        pair.replay() if step == "replay" else pair.step(step, *((FLOW, "other") if step == "plan" else (run,)))
    leave.set()
    first.join()
    assert caught.value.reason == "flow-busy"
    assert pair.step("reconcile", run).delivered == 1
    assert pair.office.log == [("put", "a1", "x")]


def test_the_lock_is_free_when_its_holder_is_done_and_is_the_flows_own(store):
    with lock.exclusive(store, 1), lock.exclusive(store, 2), pytest.raises(Unavailable), lock.exclusive(store, 1):
        pass
    with lock.exclusive(store, 1):
        pass


def test_a_flow_used_first_by_two_processes_at_once_has_one_number(pair):
    numbers, together = [], threading.Barrier(4)

    def use():
        together.wait(30)
        with pair.hub() as hub:
            numbers.append(hub.flow(FLOW).id)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [1] * 4


def test_a_receipt_written_twice_is_a_conflict_that_can_be_tried_again_and_quotes_nothing(store):
    with store.transaction() as connection:
        row = first_id(runs.start(connection, runs.flow_id(connection, "760", FLOW), "night 1").id) + 7
        receipts.supersede(connection, [row])
    with pytest.raises(Unavailable) as caught, store.transaction() as connection:
        receipts.supersede(connection, [row])
    assert (caught.value.reason, str(row) in str(caught.value)) == ("store-conflict", False)
    assert isinstance(caught.value.__cause__, IntegrityError | psycopg.IntegrityError)
