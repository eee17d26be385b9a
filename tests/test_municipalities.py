"""The agreements that ship with the project: they load, and they fit the synthetic municipalities of the sandboxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from samspil.agreement import MunicipalityFile, load_all
from samspil.testing.world import World
from schemas import SCHEMAS

FILES = load_all(Path(__file__).parent.parent / "dags" / "municipalities", SCHEMAS)
BACK = {"attendance", "journal_note", "status_note", "action_plan", "assessment", "placement"}


def test_the_four_partnerships_are_there():
    assert [file.municipality.code for file in FILES] == ["751", "813", "730", "760"]


@pytest.fixture(params=FILES, ids=[file.slug for file in FILES])
def file(request) -> MunicipalityFile:
    return request.param


def test_orders_go_out_six_kinds_of_record_come_back_and_activities_are_reported(file):
    flows = {(flow.source, flow.schema, flow.target) for flow in file.flows}
    back = {("journal", schema, "jobcenter") for schema in BACK}
    assert back | {("jobcenter", "course_order", "journal"), ("jobcenter", "activity", "star")} == flows


def test_only_orders_for_its_own_centre_and_with_consent_leave(file):
    world = World(file.municipality.code, citizens=10)
    assert {"provider": (world.provider,), "consent": (True,)} == file.flow("jobcenter-course_order-journal").only


def test_connections_are_named_by_municipality_and_system(file):
    assert [f"{file.slug}_{name}" for name in file.systems] == [used.connection for used in file.systems.values()]


def test_protected_addresses_go_nowhere_and_every_field_of_a_reply_is_carried(file):
    assert {"withheld"} == {flow.protected_addresses for flow in file.flows}
    for flow in file.flows:
        assert set(SCHEMAS[flow.schema].__struct_fields__) == flow.fields_sent


def test_the_lawyer_is_asked(file):
    text = (Path(__file__).parent.parent / "dags" / "municipalities" / f"{file.slug}.yaml").read_text(encoding="utf-8")
    assert "EXAMPLES" in text[: text.index("municipality:")]
