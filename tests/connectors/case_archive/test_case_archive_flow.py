"""Nights between two case archives on real sockets: from one declared SOAP system to another."""

from __future__ import annotations

import math
import textwrap

import msgspec
import pytest

from connectors.case_archive.sandbox import CaseArchiveSandbox
from samspil import flow as steps
from samspil.errors import Unavailable
from samspil.hub import Hub
from samspil.testing.world import World

FLOW = "office-case-centre"
FILE = """
    municipality: {code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}
    systems:
      office: {connector: case_archive, connection: t_office}
      centre: {connector: case_archive, connection: t_centre}
    schedule: "0 2 * * *"
    deadline: "06:00"
    agreements:
      - name: cases
        between: [office, centre]
        purpose: follow-up on the course that was ordered
        legal_basis: an example
        flows:
          - schema: case
            from: office
            to: centre
            rhythm: nightly
            guard: {changes: 100, deletions: 100, smallest_read: 0}
            fields: {office: [id, cpr, opened, closed, kle, target_group, case_worker]}
"""


class Exchange:
    """Two archives that know the same citizens; the second has cases of its own and takes those of the first."""

    def __init__(self, folder):
        self.world = World("760", citizens=30)
        self.office, self.centre = CaseArchiveSandbox(self.world), CaseArchiveSandbox(self.world)
        self.file = folder / "ringkobing.yaml"
        self.file.write_text(textwrap.dedent(FILE))
        self.accounts = {
            "t_office": msgspec.structs.replace(self.office.start(), id="t_office"),
            "t_centre": msgspec.structs.replace(self.centre.start(), id="t_centre"),
        }

    def to_night(self, night):
        self.office.to_night(night)
        self.centre.to_night(night)

    def run(self, key):
        def hub():
            return Hub.open(self.file, self.accounts.__getitem__, write=True)

        with hub() as opened:
            run = steps.plan(opened, FLOW, key)
        for step in (steps.guard, steps.deliver):
            with hub() as opened:
                step(opened, run)
        with hub() as opened:
            return steps.reconcile(opened, run)

    def good(self, night):
        return {fact["id"] for fact in self.world.records("case", night)} - set(self.world.broken("case", night))


@pytest.fixture
def exchange(master_key, monkeypatch, tmp_path):
    monkeypatch.setenv("SAMSPIL_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    made = Exchange(tmp_path)
    yield made
    made.office.stop()
    made.centre.stop()


def test_a_first_night_delivers_all_but_the_broken_and_balances(exchange):
    counts = exchange.run("night 1")
    assert exchange.good(1) == set(exchange.centre.held("case"))
    assert counts.balances
    assert (len(exchange.good(1)), 2) == (counts.receipts, counts.held_back)


def test_the_next_night_moves_only_what_changed_and_takes_back_what_is_gone(exchange):
    exchange.run("night 1")
    held = set(exchange.centre.held("case"))
    exchange.to_night(2)
    counts = exchange.run("night 2")
    assert counts.balances
    assert counts.read < 12
    gone = held - {fact["id"] for fact in exchange.world.records("case", 2)}
    after = set(exchange.centre.held("case"))
    assert exchange.good(2) <= after
    assert not gone & after
    assert [] == [key for key in exchange.centre.doubled("case") if key not in exchange.good(2)]


@pytest.mark.parametrize("fault", ["lost-answer", "half-batch", "failed-batch", "status:503", "fault:OPTAGET"])
def test_a_delivery_that_goes_wrong_is_made_good_and_nothing_is_doubled(exchange, fault):
    exchange.centre.faults.add(fault, after=1)
    assert exchange.run("night 1").balances
    assert exchange.good(1) == set(exchange.centre.held("case"))
    assert [] == exchange.centre.doubled("case")


def test_a_read_that_fails_plans_nothing(exchange):
    exchange.office.faults.add("truncate", times=math.inf)
    with pytest.raises(Unavailable):
        exchange.run("night 1")
    assert {} == exchange.centre.held("case")
