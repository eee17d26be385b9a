"""From the jobcenter's activities to STAR's and back, by the mapping file, over the wire."""

import uuid

import msgspec
import pytest

from connectors.star.connector import Star
from connectors.star.sandbox import StarSandbox
from samspil.connector import Change
from samspil.mapping import load
from samspil.testing.world import World
from schemas import SCHEMAS

ACTIVITY = SCHEMAS["activity"]


@pytest.fixture(scope="module")
def mapping():
    return load("star", "activity", fields=Star.fields("activity"), struct=ACTIVITY)


def test_every_activity_of_a_world_comes_back_as_it_was(mapping):
    world = World("730", citizens=10)
    activities = [msgspec.convert(fact, ACTIVITY) for fact in world.records("activity")]
    to_theirs = mapping.to_theirs(ACTIVITY.__struct_fields__)
    with StarSandbox(world) as sandbox:
        star = Star(sandbox.account)
        changes = [Change.of("put", to_theirs(activity), None, str(uuid.uuid4())) for activity in activities]
        receipts = star.write("activity", changes)
        back = [star.fetch("activity", receipt.their_id) for receipt in receipts]
        star.close()

    assert [receipt.refused for receipt in receipts] == [None] * len(activities)
    assert [mapping.to_ours(record) for record in back] == activities
