import json
from datetime import datetime, timedelta

import pytest

from samspil.errors import Unavailable

LIST = "schemas.meeting.list"
TOKEN = {"after": "token", "size": "limit", "next": "next"}
GONE = {
    "marked": {"field": "state", "value": "deleted"},
    "keys": {"keys": "deleted"},
    "path": {"path": "/v1/deleted"},
}


def since(gone="keys", **more):
    incremental = {"since": "since", "changed": "changedAt", "overlap": 60, "gone": GONE[gone], **more}
    return {f"{LIST}.paging": TOKEN, f"{LIST}.incremental": incremental}


def read(connector, cursor=None):
    pages = list(connector.read("meeting", cursor))
    keys = [key.decode() for page in pages for key in page.keys]
    return keys, sorted(key.decode() for page in pages for key in page.gone), pages[-1].cursor


def differing(world, night):
    """Ids of what changed or came on a night, the newly broken included, and of what went."""
    before, after = ({fact["id"]: fact for fact in world.records("meeting", n)} for n in (night - 1, night))
    moved = {key for key, fact in after.items() if before.get(key) != fact}
    damaged = world.broken("meeting", night).items() ^ world.broken("meeting", night - 1).items()
    return moved | {key for key, _ in damaged}, sorted(before.keys() - after.keys())


@pytest.mark.parametrize("gone", GONE)
@pytest.mark.parametrize("size", [1, 50])
def test_a_night_later_only_what_changed_is_read_and_what_went_is_told(system, world, gone, size):
    small = system(**since(gone, overlap=1))
    connector = small.connect(page_size=size)
    keys, went, cursor = read(connector)
    assert [fact["id"] for fact in world.records("meeting")] == keys
    assert [] == went
    small.sandbox.to_night(2)
    keys, went, later = read(connector, cursor)
    changed, deleted = differing(world, 2)
    assert changed <= set(keys)
    assert len(keys) < len(world.records("meeting", 2)) / 2
    assert (deleted, True) == (went, later > cursor)


def test_a_full_read_gives_no_deleted_record(system, world):
    small = system(**since("marked"))
    small.sandbox.to_night(4)
    keys, gone, _ = read(small.connect())
    assert {fact["id"] for fact in world.records("meeting", 4)} == set(keys)
    assert set(gone).isdisjoint(keys)


def test_the_next_read_asks_from_the_latest_change_less_the_overlap(system):
    small = system(**since())
    connector = small.connect()
    keys, _, cursor = read(connector)
    (page, _) = connector.read("meeting", cursor)
    assert keys[-1] in [key.decode() for key in page.keys]
    latest = max(json.loads(raw)["changedAt"] for raw in page.raws)
    assert datetime.fromisoformat(latest) == datetime.fromisoformat(cursor)
    asked = (datetime.fromisoformat(latest) - timedelta(seconds=60)).strftime("%Y-%m-%dT%H%%3A%M%%3A%SZ")
    assert small.sandbox.queries[-1] == f"limit=50&since={asked}"


def test_equal_times_at_the_boundary_lose_nothing(system, world):
    small = system(**since())
    connector = small.connect()
    _, _, cursor = read(connector)
    keys, _, _ = read(connector, cursor)
    assert len(keys) > 1, "several have the latest time"


def test_what_was_committed_late_is_found_within_the_overlap(system, world):
    small = system(**since(clock="asOf"))
    connector = small.connect()
    _, _, cursor = read(connector)
    small.sandbox.late = 50
    small.sandbox.to_night(2)
    keys, _, _ = read(connector, cursor)
    assert differing(world, 2)[0] <= set(keys)


@pytest.mark.parametrize("skew", [-86_400 * 400, 86_400 * 400])
def test_the_systems_own_clock_decides_however_wrong_it_is(system, world, skew):
    small = system(**since(clock="asOf"))
    small.sandbox.skew = skew
    small.sandbox.to_night(1)
    connector = small.connect()
    _, _, cursor = read(connector)
    small.sandbox.to_night(2)
    keys, _, _ = read(connector, cursor)
    assert differing(world, 2)[0] <= set(keys)


def test_where_records_have_no_time_of_change_the_clock_is_enough(system, world):
    small = system(**since(clock="asOf", changed=""))
    small.sandbox.skew = -60
    small.sandbox.to_night(1)
    connector = small.connect()
    keys, _, cursor = read(connector)
    assert "2026" == cursor[:4]
    assert len(keys) == len(world.records("meeting"))
    small.sandbox.to_night(2)
    keys, gone, _ = read(connector, cursor)
    assert differing(world, 2) == (differing(world, 2)[0] & set(keys), gone)


def test_a_system_that_never_deletes_tells_of_no_deletion(system, world):
    small = system(**{**since(), f"{LIST}.incremental.gone": "never"})
    connector = small.connect()
    _, _, cursor = read(connector)
    small.sandbox.to_night(2)
    keys, gone, _ = read(connector, cursor)
    assert differing(world, 2)[0] <= set(keys)
    assert [] == gone


def test_a_cursor_never_goes_back(system):
    small = system(**since(clock="asOf"))
    connector = small.connect()
    future = "2030-01-01T00:00:00+00:00"
    assert ([], [], future) == read(connector, future)


def test_a_read_that_lost_a_page_does_not_move_the_cursor(system):
    paging = {f"{LIST}.paging": {"link": "header", "size": "limit"}}
    small = system(**{**since(), **paging})
    connector = small.connect(page_size=5)
    _, _, cursor = read(connector)
    small.sandbox.to_night(3)
    assert cursor == read(connector, cursor)[2]
    assert read(connector)[2] is None
    small.sandbox.to_night(4)
    assert read(connector, cursor)[2] > cursor


def test_an_empty_system_gives_no_cursor_and_a_later_read_is_whole(system, world):
    small = system(**since())
    small.sandbox.faults.add("answer:200", body=b'{"data":[],"deleted":[]}')
    connector = small.connect()
    assert ([], [], None) == read(connector)
    assert len(world.records("meeting")) == len(read(connector, None)[0])


def test_a_time_that_is_none_does_not_move_the_cursor(system):
    small = system(**since())
    times = ["2026-02-30T10:00:00Z", "2026-05-01T10:00:00", 7, None, "2026-05-01T10:00:00.1234567+02:00"]
    body = json.dumps({"data": [{"id": n, "changedAt": at} for n, at in enumerate(times)] + [{"id": 9}], "deleted": []})
    small.sandbox.faults.add("answer:200", body=body.encode())
    keys, _, cursor = read(small.connect())
    assert (6, "2026-05-01T08:00:00.123456+00:00") == (len(keys), cursor)


def test_a_cursor_of_another_kind_reads_all(system, world):
    assert len(world.records("meeting")) == len(read(system(**since()).connect(), "page 7")[0])


def test_a_system_that_takes_days_is_asked_by_day(system):
    small = system(**since(since="day"))
    list(small.connect().read("meeting", "2026-11-01T00:00:30+00:00"))
    assert "limit=50&day=2026-10-31" == small.sandbox.queries[-1]


def test_a_list_of_deletions_that_cannot_be_read_ends_the_read(system):
    small = system(**since("path"))
    connector = small.connect()
    _, _, cursor = read(connector)
    small.sandbox.faults.add("status:500", path="/v1/deleted")
    with pytest.raises(Unavailable):
        read(connector, cursor)


@pytest.mark.parametrize(("value", "marked"), [(True, "0"), (1, "1"), ("deleted", "2")])
def test_only_the_very_value_marks_a_deletion(system, value, marked):
    small = system(**{**since("marked"), f"{LIST}.incremental.gone": {"field": "state", "value": value}})
    given = [True, 1, "deleted", False, None, "x", [True]]
    body = json.dumps({"data": [{"id": n, "state": one} for n, one in enumerate(given)]})
    small.sandbox.faults.add("answer:200", body=body.encode())
    keys, gone, _ = read(small.connect())
    assert (sorted({"0", "1", "2", "3", "4", "5", "6"} - {marked}), [marked]) == (keys, gone)
