"""What a dry run says of a two-way exchange, and what a replay does in one."""

from samspil.flow.replay import replay
from samspil.store import quarantine


def test_a_preview_shows_conflicts_as_such_and_writes_nothing(sides):
    number = sides.centre.book("c1")
    sides.centre.book("c2")
    sides.both()
    there, other = sides.office.held
    sides.office.edit(there, attendees=["X. Y."])
    sides.office.edit(other, attendees=["X. Y."], meetingType="NETWORK")
    preview, changes = sides.preview(sides.BACK)
    assert sorted((one.what, one.reason) for one in changes) == [
        ("hold back", "conflict: participants"),
        ("update", "conflict: participants"),
    ]
    (update,) = (one for one in changes if one.what == "update")
    assert [(one.path, one.before, one.after) for one in update.fields] == [("meetingType", "STATUS", "NETWORK")]
    counts = preview.counts
    assert counts["read"] == sum(counts[what] for what in ("create", "update", "unchanged", "filtered", "hold back"))
    assert sides.open() == []
    done = sides.run(sides.BACK)
    assert (done.updates, done.conflicts, len(sides.open())) == (counts["update"], counts["hold back"], 2)
    sides.centre.cancel(number)
    preview, changes = sides.preview(sides.OUT)
    assert ([one for one in changes if one.what == "delete"], preview.counts["deletions held back"]) == ([], 1)


def test_what_the_target_refused_is_merged_anew_after_a_replay(sides):
    number = sides.centre.book("c1")
    sides.both()
    there = next(iter(sides.office.held))
    sides.office.refuses = True
    sides.centre.edit(number, attendees=["C. D."])
    assert sides.run(sides.OUT).reasons == {"not-now": 1}
    sides.office.refuses = False
    sides.office.edit(there, meetingType="NETWORK")
    sides.run(sides.BACK)
    with sides.hub() as hub:
        with hub.store.transaction() as connection:
            entries = quarantine.entries(connection, "760")
        assert replay(hub, sides.OUT, entries).staying == []
    sides.run(sides.OUT)
    assert (sides.office.held[there]["attendees"], sides.office.held[there]["meetingType"]) == (["C. D."], "NETWORK")
