"""Two systems in memory that both read and write meetings, and a hub between them that is opened for each step."""

from __future__ import annotations

import contextlib
import json
from itertools import count
from pathlib import Path

import pytest

from samspil import flow as steps
from samspil import registry
from samspil.account import Settings
from samspil.connector import Connector, Page, Reads, Receipt, Writes
from samspil.errors import Refused, Unavailable
from samspil.flow.preview import Preview
from samspil.hub import Hub
from samspil.store import conflicts
from samspil.testing.memory import Memory

OUT, BACK = "centre-meeting-office", "office-meeting-centre"
FILE = """
    municipality: {code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}
    systems:
      centre: {connector: meeting_calendar, connection: m_centre}
      office: {connector: meeting_calendar, connection: m_office}
    schedule: "0 2 * * *"
    deadline: "06:00"
    agreements:
      - name: stu
        between: [centre, office]
        purpose: follow-up
        legal_basis: an example
        flows:
          - schema: meeting
            from: centre
            to: office
            rhythm: nightly
            guard: {changes: 100, deletions: 100, smallest_read: 0}
            fields: {centre: [id, participants, minutes], office: [cpr, order_id, kind, held_at]}
          - schema: meeting
            from: office
            to: centre
            rhythm: nightly
            guard: {changes: 100, deletions: 100, smallest_read: 0}
            fields: {office: [id, cpr, order_id, kind, held_at], centre: [participants]}
"""


class Side(Connector):
    """A calendar in memory. ``held`` has its meetings by its own number.

    With ``own_keys`` it is read by its own numbers, else by the reference that whoever made a meeting gave it.
    """

    title, Settings = "A calendar in memory", Settings
    fields = staticmethod(registry.connector("meeting_calendar").fields)
    mode = "snapshot"
    own_keys = False
    writes = {"meeting": Writes("Meeting", batch=2)}  # noqa: RUF012 - never changed

    def __init__(self, name: str) -> None:
        self.name, self.numbers = name, count(1)
        self.held: dict[str, dict] = {}
        self.calls: list[str] = []  # writes that took effect
        self.answers: dict[str, Receipt] = {}
        self.lose: list[bool] = []  # for each coming batch, whether its answer is lost
        self.refuses = False
        self.changed: list[str] = []  # since the last incremental read
        self.gone: list[bytes] = []
        self.before = lambda: None

    @property
    def reads(self):
        return {"meeting": Reads("Meeting", self.mode)}

    def check(self):
        """It is always there."""

    # what its own users do

    def book(self, reference: str, **edits) -> str:
        number = f"{self.name[0].upper()}{next(self.numbers)}"
        person = int(reference[1:])
        self.held[number] = {
            "reference": number if self.own_keys else reference,
            "citizen": {"cprNumber": f"{61 + person % 30}0190{person:04}"},
            "meetingType": "STATUS",
            "startsAt": "2026-01-01T10:00:00+01:00",
            "attendees": ["A. B."],
            **edits,
        }
        self.changed.append(number)
        return number

    def number(self, word: str) -> str | None:
        """The number of the meeting whose first attendee starts with a word or whose reference it is."""
        return next((n for n, one in self.held.items() if one["reference"] == word), None)

    def edit(self, number: str, **edits) -> None:
        self.held[number] = {key: value for key, value in {**self.held[number], **edits}.items() if value is not None}
        self.changed.append(number)

    def cancel(self, number: str) -> None:
        self.gone.append(self.key(number))
        del self.held[number]

    # what the hub does

    def key(self, number: str) -> bytes:
        return (number if self.own_keys or number not in self.held else self.held[number]["reference"]).encode()

    def read(self, schema, since=None):
        numbers = list(self.held)
        gone: list[bytes] = []
        if since is not None:
            numbers = [number for number in self.held if number in self.changed]
            gone = [key for key in self.gone if key not in map(self.key, self.held)]
        for start in range(0, len(numbers), 3):
            part = numbers[start : start + 3]
            yield Page([json.dumps(self.held[n], sort_keys=True).encode() for n in part], [self.key(n) for n in part])
        yield Page([], [], [], gone, "now" if self.mode == "incremental" else None)

    def decode(self, schema, raws):
        return [json.loads(raw) for raw in raws]

    def fetch(self, schema, their_id):
        found = self.held.get(their_id) or self.held.get(self.number(their_id) or "")
        return None if found is None else json.loads(json.dumps(found))

    def write(self, schema, batch):
        self.before()
        lost = self.lose.pop(0) if self.lose else False
        receipts = [self._one(change) for change in batch]
        if lost:
            raise Unavailable("the answer was lost", system=self.name)
        return receipts

    def _one(self, change):
        if self.refuses:
            return Receipt(refused=Refused("not-now"))
        if change.idempotency_key not in self.answers:
            self.answers[change.idempotency_key] = self._take(change)
        return self.answers[change.idempotency_key]

    def _take(self, change):
        number = change.their_id
        if number is not None and number not in self.held:
            number = self.number(number)
        if change.action == "delete":
            assert number in self.held, "deleted what it never had"
            self.calls.append(f"delete {number}")
            self.cancel(number)
            return Receipt()
        record = dict(change.record)
        if change.their_id is None:
            assert self.own_keys or self.number(record["reference"]) is None, "made it twice"
            number = f"{self.name[0].upper()}{next(self.numbers)}"
        assert change.their_id is None or number in self.held, "updated what it never had"
        if self.own_keys:
            record["reference"] = number
        self.calls.append(f"put {number}")
        self.held[number] = record
        self.changed.append(number)
        return Receipt(their_id=number)

    def shows(self) -> list[dict]:
        """Its meetings, however it numbers them."""
        found = [{k: v for k, v in one.items() if k != "reference" or not self.own_keys} for one in self.held.values()]
        return sorted(found, key=lambda one: json.dumps(one, sort_keys=True))


class TwoSides(Memory):
    """A centre and an office, and a hub between them."""

    OUT, BACK = OUT, BACK
    unavailable = Unavailable

    def __init__(self, folder: Path, url: str) -> None:
        self.centre, self.office = Side("centre"), Side("office")
        super().__init__(folder / "both.yaml", url, centre=self.centre, office=self.office)
        self.write(FILE, {})
        self.runs = 0
        self.kept: Hub | None = None  # a hub that is kept open, for speed

    def agree(self, **replace: str) -> None:
        self.write(self.file.read_text(), replace)

    def run(self, flow: str):
        """A whole run of one direction; it must balance."""
        self.runs += 1
        with contextlib.ExitStack() as stack:
            hub = self.kept or stack.enter_context(self.hub())
            run = steps.plan(hub, flow, f"run {self.runs}")
            steps.guard(hub, run)
            steps.deliver(hub, run)
            return steps.reconcile(hub, run)

    def both(self, *flows: str) -> list:
        return [self.run(flow) for flow in flows or (OUT, BACK)]

    def until_quiet(self, *flows: str) -> None:
        """Both directions in turn until neither sends anything, twice: what one finds the other carries out."""
        quiet = 0
        for _ in range(8):
            before = len(self.calls())
            self.both(*flows)
            quiet = quiet + 1 if len(self.calls()) == before else 0
            if quiet == 2:
                return
        raise AssertionError("it goes round and round")

    def calls(self) -> list[str]:
        return [*self.centre.calls, *self.office.calls]

    def open(self):
        with self.hub() as hub, hub.store.transaction() as connection:
            return list(reversed(conflicts.entries(connection, "760")))

    def preview(self, flow: str):
        with self.hub() as hub:
            preview = Preview(hub, flow)
            return preview, list(preview)


@pytest.fixture
def sides(store_url: str, tmp_path: Path) -> TwoSides:
    """Two sides, on each of the store's databases."""
    return TwoSides(tmp_path, store_url)


@pytest.fixture
def new_sides(new_place):
    """Makes two sides on SQLite, each time with a store of its own."""
    return lambda: TwoSides(*new_place())
