"""The outbox's pending rows."""

import pytest

from samspil.store import outbox, runs
from samspil.store.runs import State
from samspil.store.tables import PUT, first_id


@pytest.mark.parametrize(("room", "expected"), [(5, [1]), (10, [1]), (11, [1, 2]), (100, [1, 2, 3])])
def test_so_many_are_read_as_there_is_room_for_their_payloads_and_always_one(store, monkeypatch, room, expected):
    monkeypatch.setattr(outbox, "BYTES", room)
    with store.transaction() as connection:
        flow = runs.flow_id(connection, "730", "notes")
        run = runs.start(connection, flow, "night").id
        start = first_id(run)
        outbox.add(connection, [(start + n, bytes([n]) * 16, None, PUT, bytes(16), b"x" * 10) for n in (1, 2, 3)])
        runs.change(connection, run, state=State.APPROVED, pending=True)
    with store.transaction() as connection:
        found = outbox.pending(connection, "730", flow, after=0, before=first_id(run + 1), limit=10)
    assert expected == [row.id - start for row in found]
