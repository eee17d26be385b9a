"""An exchange to run nights on: a jobcenter and an education centre's journal as sandboxes on real sockets."""

from __future__ import annotations

import json
import math
import textwrap
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from connectors.jobcenter.sandbox import JobcenterSandbox
from connectors.journal_rest.sandbox import JournalRestSandbox
from samspil import flow as steps
from samspil import registry
from samspil.account import Account, Settings
from samspil.connector import Connector, Page, Reads, Receipt, Rejected, Writes
from samspil.errors import Refused, Unavailable
from samspil.flow import Counts
from samspil.flow.replay import replay
from samspil.hub import Hub
from samspil.store import quarantine
from samspil.testing.memory import Memory
from samspil.testing.plans import FILE, FLOW, plan
from samspil.testing.world import World

MUNICIPALITY = """
    municipality: {{code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}}
    systems:
      jobcenter: {{connector: jobcenter, connection: t_jobcenter}}
      journal: {{connector: journal_rest, connection: t_journal}}
    schedule: "0 2 * * *"
    deadline: "06:00"
    agreements:
      - name: stu
        between: [jobcenter, journal]
        purpose: follow-up on the course that was ordered
        legal_basis: an example
        flows:
          - schema: course_order
            from: jobcenter
            to: journal
            rhythm: nightly
            only: {{provider: ["{provider}"], consent: [true]}}
            fields:
              jobcenter: [{order_fields}]
          - schema: attendance
            from: journal
            to: jobcenter
            rhythm: nightly
            fields:
              journal: [id, cpr, order_id, activity_id, date, status, hours]
"""
ORDER = "jobcenter-course_order-journal"
ATTENDANCE = "journal-attendance-jobcenter"
ORDER_FIELDS = (
    "id, cpr, given_names, family_name, address_protected, address, case_id, target_group, provider, offer, start, end, "
    "hours_per_week, consent, case_worker, contact_phone, ordered_at, goals"
)


class Exchange:
    """Two sandboxes of one small world, and a hub between them that can be opened any number of times."""

    def __init__(self, folder: Path) -> None:
        self.world = World("760", citizens=24)
        self.jobcenter = JobcenterSandbox(self.world)
        self.journal = JournalRestSandbox(self.world)
        self.accounts: dict[str, Account] = {}
        self.file = folder / "ringkobing.yaml"
        self.agree()

    def agree(self, order_fields: str = ORDER_FIELDS, **replace: str) -> None:
        """Write the municipality's file; ``replace`` changes texts in it."""
        text = textwrap.dedent(MUNICIPALITY).format(provider=self.world.provider, order_fields=order_fields)
        for old, new in replace.items():
            text = text.replace(old, new)
        self.file.write_text(text)

    def start(self) -> None:
        self.accounts = {
            "t_jobcenter": msgspec.structs.replace(self.jobcenter.start(), id="t_jobcenter"),
            "t_journal": msgspec.structs.replace(self.journal.start(), id="t_journal"),
        }

    def stop(self) -> None:
        self.jobcenter.stop()
        self.journal.stop()

    def to_night(self, night: int) -> None:
        self.jobcenter.to_night(night)
        self.journal.to_night(night)

    def hub(self, *, write: bool = True) -> Hub:
        return Hub.open(self.file, self.accounts.__getitem__, write=write)

    def run(self, flow: str, key: str) -> Counts:
        """All steps in a row, each in a hub of its own, as Airflow's tasks would."""
        with self.hub() as hub:
            run = steps.plan(hub, flow, key)
        for step in (steps.guard, steps.deliver):
            with self.hub() as hub:
                step(hub, run)
        with self.hub() as hub:
            return steps.reconcile(hub, run)

    def expected(self, schema: str, night: int = 1) -> set[str]:
        """Ids of the world's records that are not broken that night."""
        return {record["id"] for record in self.world.records(schema, night)} - set(self.world.broken(schema, night))


@pytest.fixture
def exchange(store_url: str, master_key: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Exchange]:
    """An exchange before its first night, on each of the store's databases."""
    monkeypatch.setenv("SAMSPIL_STORE", store_url)
    made = Exchange(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def on_sqlite(master_key: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Exchange]:
    """The same on SQLite only, where the database makes no difference."""
    monkeypatch.setenv("SAMSPIL_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    made = Exchange(tmp_path)
    made.start()
    yield made
    made.stop()


class Centre(Connector):
    """A source in memory: ``rows`` is what it gives, in that order; a row is (id, person, word, order)."""

    title, Settings = "A centre in memory", Settings
    mode: Literal["snapshot", "incremental"] = "snapshot"
    fields = staticmethod(registry.connector("database").fields)

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, str, str]] = []
        self.gone: list[str] = []
        self.rejected: list[bytes] = []
        self.cursor: str | None = None
        self.page = 3
        self.since: list[str | None] = []
        self.fail_after = math.inf

    @property
    def reads(self):
        return {"action_plan": Reads("plan", self.mode)}

    def check(self):
        """It is always there."""

    def read(self, schema, since=None):
        self.since.append(since)
        for start in range(0, len(self.rows), self.page):
            if start >= self.fail_after:
                raise Unavailable("closed in the middle", system="centre")
            rows = self.rows[start : start + self.page]
            yield Page([_raw(*row) for row in rows], [row[0].encode() for row in rows])
        rejected = [Rejected(raw, Refused("uncut")) for raw in self.rejected]
        yield Page([], [], rejected, [key.encode() for key in self.gone], self.cursor)

    def decode(self, schema, raws):
        return [
            Refused("bad-word") if b"broken" in raw else {k: v for k, v in json.loads(raw).items() if k != "noise"}
            for raw in raws
        ]


def _raw(key: str, person: int, word: str, order: str = "mine") -> bytes:
    word, _, noise = word.partition("~")
    goals = [{"id": "g", "title": word, "status": "ongoing", "sub_goals": []}]
    return json.dumps(plan(key, person, order, goals=goals, noise=noise)).encode()


class Office(Connector):
    """A target in memory that gives ids of its own, so a second create of the same record is seen."""

    title, Settings = "An office in memory", Settings
    deletes = True
    batch = 2
    fields = staticmethod(registry.connector("database").fields)

    def __init__(self) -> None:
        self.held: dict[str, dict] = {}  # by the office's own id
        self.log: list[tuple[str, str, str]] = []  # what took effect: action, sender's id, word
        self.answers: dict[str, Receipt] = {}
        self.refuses: set[str] = set()  # "a": everything of a; "put a": only puts; "a=word": that version
        self.lose: list[bool] = []  # for each coming batch, whether its answer is lost
        self.silent = False  # answers an update without repeating its id
        self.before = lambda batch: None

    @property
    def writes(self):
        return {"action_plan": Writes("plan", batch=self.batch, deletes=self.deletes)}

    def check(self):
        """It is always there."""

    def write(self, schema, batch):
        self.before(batch)
        lost = self.lose.pop(0) if self.lose else False
        receipts = [self._one(change) for change in batch]
        if lost:
            raise Unavailable("the answer was lost", system="office")
        return receipts

    def _one(self, change):
        if change.idempotency_key not in self.answers:
            receipt = self._take(change)
            if receipt.refused:
                return receipt
            self.answers[change.idempotency_key] = receipt
        return self.answers[change.idempotency_key]

    def _take(self, change):
        key, goals = change.record["id"], change.record.get("goals")
        word = goals[0]["title"] if goals else ""
        if self.refuses & {key, f"{change.action} {key}", f"{key}={word}"}:
            return Receipt(refused=Refused("not-now"))
        self.log.append((change.action, key, word))
        if change.action == "delete":
            assert change.their_id in self.held, "deleted what it never had"
            del self.held[change.their_id]
            return Receipt()
        number = change.their_id or f"O{len(self.answers) + 1}"
        assert change.their_id is None or number in self.held, "updated what it never had"
        self.held[number] = dict(change.record)
        return Receipt(their_id=None if self.silent and change.their_id else number)

    @property
    def words(self) -> dict[str, str]:
        """Sender's id → word. Fails when a record is there twice."""
        ids = [record["id"] for record in self.held.values()]
        assert len(ids) == len(set(ids)), "a record is doubled"
        return {r["id"]: r["goals"][0]["title"] if r.get("goals") else "" for r in self.held.values()}


class Pair(Memory):
    """A centre and an office in memory, and a hub between them that is opened afresh for each step."""

    less = False  # an agreement without goals, and so without words

    def __init__(self, folder: Path, url: str) -> None:
        self.centre, self.office = Centre(), Office()
        super().__init__(folder / "memory.yaml", url, centre=self.centre, office=self.office)
        self.nights = 0
        self.agree()

    def agree(self, **replace: str) -> None:
        self.write(FILE, replace)

    def night(self, *rows, key: str | None = None) -> Counts:
        """A whole night with what the centre has: ``"a1 word order"`` is record a1 of person 1."""
        self.nights += 1
        self.has(*rows)
        run = self.step("plan", FLOW, key or f"night {self.nights}")
        self.step("guard", run)
        self.step("deliver", run)
        return self.step("reconcile", run)

    def has(self, *rows: str) -> None:
        self.centre.rows = [
            (key, int(key[1:]), word, order) for key, word, order in ((*row.split(), "mine")[:3] for row in rows)
        ]

    def replay(self, *, stage: str | None = None):
        with self.hub() as hub:
            return replay(hub, FLOW, [e for e in self.open() if stage in (None, e.stage)])

    def open(self):
        """Open entries of the quarantine."""
        with self.hub() as hub, hub.store.transaction() as connection:
            return list(reversed(quarantine.entries(connection, "760")))


@pytest.fixture
def pair(store_url: str, tmp_path: Path) -> Pair:
    """A pair in memory, on each of the store's databases."""
    return Pair(tmp_path, store_url)


@pytest.fixture
def lite(tmp_path: Path) -> Pair:
    """The same on SQLite only, where the database makes no difference."""
    return Pair(tmp_path, f"sqlite:///{tmp_path / 'store.db'}")


@pytest.fixture
def new_place(tmp_path: Path) -> Callable[[], tuple[Path, str]]:
    """Makes folders, each with the URL of an SQLite store in it."""
    numbers = count()

    def make() -> tuple[Path, str]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return folder, f"sqlite:///{folder / 'store.db'}"

    return make


@pytest.fixture
def new_pair(new_place: Callable[[], tuple[Path, str]]) -> Callable[[], Pair]:
    """Makes pairs on SQLite, each with a store of its own."""
    return lambda: Pair(*new_place())


@pytest.fixture
def slow_writing(monkeypatch: pytest.MonkeyPatch) -> Callable[[type, str], None]:
    """Work in the smallest batches, let go of keys as early as can be, and take long where it is said."""
    for place, size in (
        ("vault.persons._KEPT", -1),
        ("flow.planning._BATCH", 1),
        ("flow.planning._ENOUGH", 1),
        ("flow.pending._CHUNK", 1),
    ):
        monkeypatch.setattr(f"samspil.{place}", size)

    def slow(kind: type, name: str) -> None:
        quick = getattr(kind, name)

        def slowly(*given: object) -> object:
            time.sleep(0.1)
            return quick(*given)

        monkeypatch.setattr(kind, name, slowly)

    return slow
