"""The data warehouse on a real PostgreSQL server: nights from one database to another, and what its faults look like."""

import textwrap
import time
from contextlib import closing
from decimal import Decimal
from typing import ClassVar

import msgspec
import pytest

from connectors.data_warehouse.sandbox import DataWarehouseSandbox, placement
from connectors.jobcenter.sandbox import JobcenterSandbox
from samspil import flow as steps
from samspil import registry
from samspil.connector import Change
from samspil.errors import Unavailable
from samspil.hub import Hub
from samspil.testing.world import World

FILE = """
    municipality: {code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}
    systems:
      centre: {connector: data_warehouse, connection: t_centre}
      office: {connector: data_warehouse, connection: t_office}
      jobcenter: {connector: jobcenter, connection: t_jobcenter}
    schedule: "0 2 * * *"
    deadline: "06:00"
    agreements:
      - name: stu
        between: [centre, office]
        purpose: management information
        legal_basis: an example
        flows:
          - schema: placement
            from: centre
            to: office
            rhythm: nightly
            guard: {changes: 100, deletions: 100, smallest_read: 0}
            fields:
              centre: [id, cpr, order_id, company_cvr, company_p_number, company_name, kind, start, end,
                       hours_per_week, wage_subsidy]
      - name: attendance
        between: [centre, jobcenter]
        purpose: follow-up
        legal_basis: an example
        flows:
          - schema: attendance
            from: centre
            to: jobcenter
            rhythm: nightly
            guard: {changes: 100, deletions: 100, smallest_read: 0}
            fields: {centre: [id, cpr, order_id, activity_id, date, status, hours]}
"""


@pytest.fixture
def world():
    return World("760", citizens=60)


@pytest.fixture
def warehouse(world):
    with DataWarehouseSandbox(world) as made:
        yield made


@pytest.fixture
def connector(warehouse):
    with closing(registry.connector("data_warehouse")(warehouse.account)) as made:
        yield made


class Empty(DataWarehouseSandbox):
    """A warehouse that nothing has been collected in yet."""

    renders: ClassVar = {}


@pytest.fixture
def run(warehouse, world, store_url, master_key, monkeypatch, tmp_path):
    """Runs a flow's steps; each as a night of its own."""
    monkeypatch.setenv("SAMSPIL_STORE", store_url)
    file = tmp_path / "ringkobing.yaml"
    file.write_text(textwrap.dedent(FILE))
    with Empty(world) as office, JobcenterSandbox(world) as jobcenter:
        accounts = {
            f"t_{name}": msgspec.structs.replace(sandbox.account, id=f"t_{name}")
            for name, sandbox in {"centre": warehouse, "office": office, "jobcenter": jobcenter}.items()
        }

        def running(flow, night):
            for each in (warehouse, jobcenter):
                each.to_night(night)
            with Hub.open(file, accounts.__getitem__) as hub:
                planned = steps.plan(hub, flow, f"night-{night}")
                steps.guard(hub, planned)
                steps.deliver(hub, planned)
                return steps.reconcile(hub, planned)

        running.office, running.jobcenter = office, jobcenter
        yield running


def right(world, schema, night):
    """The world's facts of a night by id, without those that are broken then."""
    broken = world.broken(schema, night)
    return {fact["id"]: fact for fact in world.records(schema, night) if fact["id"] not in broken}


def as_record(row):
    """A row as the connector would read it: text for days and decimals, nothing for NULL."""
    return {
        name: value
        if isinstance(value, bool)
        else format(value.normalize(), "f")
        if isinstance(value, Decimal)
        else str(value)
        for name, value in row.items()
        if value is not None
    }


def test_nights_from_one_database_to_another(run, world):
    for night in (1, 2, 3):
        counts = run("centre-placement-office", night)
        held = run.office.held("placement")
        wanted = {key: as_record(placement(fact)) for key, fact in right(world, "placement", night).items()}
        # what is broken tonight stays as it was last seen right, if it ever was
        assert wanted == {key: row for key, row in held.items() if key in wanted}
        assert held.keys() - wanted.keys() <= world.broken("placement", night).keys()
        assert counts.read == len(world.records("placement", night))
    assert counts.unchanged > counts.delivered


def test_an_incremental_night_reads_what_changed_and_deletes_what_is_marked(run, world):
    first = run("centre-attendance-jobcenter", 1)
    assert first.delivered == len(right(world, "attendance", 1))
    run("centre-attendance-jobcenter", 2)
    held, wanted = run.jobcenter.held("attendance"), right(world, "attendance", 2)
    assert wanted.keys() <= held.keys()
    assert not (set(right(world, "attendance", 1)) - {fact["id"] for fact in world.records("attendance", 2)}) & set(
        held
    )


@pytest.mark.parametrize("kind", ["status:503", "truncate", "garbage"])
def test_a_connection_that_breaks_is_unavailable_and_the_next_read_is_whole(connector, warehouse, world, kind):
    warehouse.faults.add(kind)
    with pytest.raises(Unavailable):
        list(connector.read("attendance"))
    keys = {key.decode() for page in connector.read("attendance") for key in page.keys}
    assert {fact["id"] for fact in world.records("attendance")} == keys


def test_a_write_whose_answer_is_lost_may_be_sent_again(connector, warehouse, world):
    (page, *_) = connector.read("placement")
    batch = [Change("put", raw, None, "9f6a1c52-0d53-4a0f-a4c5-1f6a5a3a8f2b") for raw in page.raws]
    connector.close()
    warehouse.faults.add("lost-answer")
    with pytest.raises(Unavailable):
        connector.write("placement", batch)
    before = warehouse.held("placement")
    assert [key.decode() for key in page.keys] == [each.their_id for each in connector.write("placement", batch)]
    assert set(before) == {key.decode() for key in page.keys}  # it took effect, and only its receipts were lost
    assert before == warehouse.held("placement")


def test_closing_gives_every_connection_back(connector, warehouse):
    counting = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{warehouse.name}'"
    connector.check()
    with warehouse.engine.connect() as owner:
        assert 1 == owner.exec_driver_sql(counting).scalar()
        connector.close()
        until = time.monotonic() + 10
        while owner.exec_driver_sql(counting).scalar() and time.monotonic() < until:  # it leaves when it is told
            owner.rollback()
        assert 0 == owner.exec_driver_sql(counting).scalar()


def test_a_database_that_is_down_is_unavailable_and_comes_back(connector, warehouse):
    connector.check()
    warehouse.stop()
    with pytest.raises(Unavailable):
        connector.check()
    warehouse.start()
    connector.check()
