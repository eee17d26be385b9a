"""When the demo may say that everything balances."""

from __future__ import annotations

import msgspec
import pytest

from samspil.demo.figures import FlowNight, Holding, as_json, balances
from samspil.demo.nights import Ran
from samspil.flow.reconciliation import Counts

GOOD = Counts(
    read=10,
    delivered=4,
    unchanged=3,
    filtered=2,
    held_back=1,
    blocked=0,
    creates=4,
    updates=0,
    deleted=0,
    deletions_held_back=0,
    receipts=4,
    complete=True,
    kept_by_target=0,
    reasons={"bad-date": 1},
)
RAN = Ran("manual__1", "success", {}, 1.5)
HELD = Holding("randers journal", "course_order", 4, 4)


def nights(*, ran=RAN, counts=GOOD, held=HELD):
    return {1: {"randers": ran}}, {1: [FlowNight("randers", "a-b-c", counts)]}, [held]


def test_all_is_well_when_runs_flows_and_systems_agree():
    assert balances(*nights())


@pytest.mark.parametrize(
    "wrong",
    [
        {"ran": Ran("manual__1", "failed", {"a-b-c.guard": "failed"}, 1.5)},
        {"counts": msgspec.structs.replace(GOOD, delivered=3)},
        {"counts": None},
        {"held": Holding("randers journal", "course_order", 3, 4)},
        {"held": Holding("randers journal", "course_order", 5, 4)},
    ],
    ids=["a run failed", "a record is lost", "a flow did not run", "a receipt lied", "a record is doubled"],
)
def test_one_thing_wrong_is_enough(wrong):
    assert not balances(*nights(**wrong))
    assert as_json(*nights(**wrong), seconds=1)["balances"] is False


def test_the_file_has_every_flow_s_figures_and_reasons():
    flow = as_json(*nights(), seconds=1.23)["nights"]["1"]["randers"]["flows"]["a-b-c"]
    assert {"read": 10, "delivered": 4, "reasons": {"bad-date": 1}, "balances": True}.items() <= flow.items()
