"""Stores filled by hand with a morning's situations, and an Airflow that shows them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from sqlalchemy import Connection, insert

from samspil.store import Store, breakers, runs, tables
from samspil.store.runs import State
from samspil.store.tables import ACCEPTED, PUT, first_id
from samspil.testing.world import World

ROOT = Path(__file__).parent.parent.parent
NIGHT = 24 * 3600.0
PERSON = World("730", citizens=1).records("person")[0]
ORDERS, NOTES = "jobcenter-course_order-journal", "journal-journal_note-jobcenter"
ATTENDANCE, PLANS, PLACEMENTS = (f"journal-{s}-jobcenter" for s in ("attendance", "action_plan", "placement"))


class Stores(NamedTuple):
    """The municipalities' files and SAMSPIL_STORE. Randers and Aarhus have run, Ringkøbing-Skjern has not."""

    folder: Path
    url: str
    cpr: str  # a synthetic person's, put wherever a careless system could put one

    def path(self, code: str) -> Path:
        return Path(self.url.removeprefix("sqlite:///").replace("{municipality}", code))


def run(
    connection: Connection, name: str, state: State, *, age: float = 3600.0 * 3, key: str = "", **counts: Any
) -> int:
    """A run of Randers that started ``age`` seconds ago; ``delivered`` of its records have a receipt."""
    delivered = counts.pop("delivered", 0)
    started = time.time() - age
    flow = runs.flow_id(connection, "730", name)
    number = runs.start(connection, flow, key or f"scheduled__{started}").id
    runs.change(connection, number, state=state, started=started, counts=counts)
    ids = [first_id(number) + n + 1 for n in range(delivered)]
    if ids:
        row = {"key": b"k", "person": None, "action": PUT, "fingerprint": b"f", "payload": b"sealed"}
        connection.execute(insert(tables.outbox), [{"id": n, **row} for n in ids])
        receipt = {"status": ACCEPTED, "reference": PERSON["cpr"], "at": started}
        connection.execute(insert(tables.receipts), [{"outbox_id": n, **receipt} for n in ids])
    return number


def hold(connection: Connection, name: str, number: int, reason: str, records: int) -> None:
    """Records in the quarantine."""
    row = {
        "flow_id": runs.flow_id(connection, "730", name), "run_id": number, "seen_run": number, "key": b"k",
        "person": None, "fingerprint": b"f", "stage": "map", "reason": reason, "field": f"Borger[{PERSON['cpr']}]",
        "hint": PERSON["cpr"], "payload": PERSON["cpr"].encode(), "state": "open", "at": time.time() - 2 * NIGHT,
        "note": PERSON["cpr"],
    }  # fmt: skip
    connection.execute(insert(tables.quarantine), [row] * records)


def fill_randers(connection: Connection) -> None:
    """Twenty nights of orders, of which the last held some back; a tripped guard; one late; one that can't balance."""
    number = 0
    for night in range(19, -1, -1):
        held = 4 if night == 0 else 0
        counts = {"read": 1200 + 7 * night, "unchanged": 1184 + 7 * night - 2 * night, "filtered": 4, "held_new": held}
        counts |= {"withheld": 3, "blocked": 2}
        delivered = counts["read"] - counts["unchanged"] - 4 - held - 2
        age = night * NIGHT + 3 * 3600
        number = run(connection, ORDERS, State.DONE, age=age, delivered=delivered, **counts)
    hold(connection, ORDERS, number, "bad-date", 3)
    hold(connection, ORDERS, number, f"e{PERSON['cpr']}", 1)
    run(connection, ORDERS, State.DONE, age=60, key="replay 1.0", delivered=1, read=1, complete=False)
    run(connection, ATTENDANCE, State.TRIPPED, read=900, unchanged=500, updates=350, deletions=50)
    run(connection, NOTES, State.APPROVED, read=10, unchanged=4)
    run(connection, PLANS, State.DONE, age=2.5 * NIGHT, read=80, unchanged=80)
    run(connection, PLACEMENTS, State.PLANNING, age=120)
    breakers.fail(connection, "730", "randers_star", "timeout", time.time() - NIGHT)


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    home = tmp_path_factory.mktemp("stores")
    made = Stores(home / "municipalities", f"sqlite:///{home}/store-{{municipality}}.db", PERSON["cpr"])
    shutil.copytree(ROOT / "dags" / "municipalities", made.folder)
    (made.folder / "broken.yaml").write_text("municipality: {code: 730}\n", encoding="utf-8")
    twin = (made.folder / "randers.yaml").read_text(encoding="utf-8")
    (made.folder / "randers_copy.yaml").write_text(twin, encoding="utf-8")
    for code, fill in (("730", fill_randers), ("751", lambda _: None)):
        store = Store(made.url.replace("{municipality}", code))
        with store.transaction() as connection:
            fill(connection)
        store.close()
    return made


@pytest.fixture
def at_stores(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """The same, for pages made in this process."""
    monkeypatch.setenv("SAMSPIL_STORE", stores.url)
    return stores


@pytest.fixture(scope="session")
def airflow(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real API server with our plugins."""
    home = tmp_path_factory.mktemp("airflow_pages")
    settings = {"SAMSPIL_STORE": stores.url, "SAMSPIL_MUNICIPALITIES": str(stores.folder), "SAMSPIL_LANGUAGE": "da"}
    yield from serve("airflow_with_pages.py", home, settings)


def serve(script: str, home: Path, settings: dict[str, str]) -> Iterator[str]:
    """One of this folder's API servers while it runs; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(Path(__file__).parent / script), str(home), str(port)]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        _wait(server, port, home / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(600):
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert server.poll() is None, log.read_text()[-3000:]
        time.sleep(0.2)
    raise TimeoutError(log.read_text()[-3000:])


@pytest.fixture(scope="session")
def rights(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address and the home of a real API server with FAB's rights per DAG, for two municipalities."""
    home = tmp_path_factory.mktemp("airflow_rights")
    files = home / "dags" / "municipalities"
    files.mkdir(parents=True)
    shutil.copy(ROOT / "dags" / "municipalities.py", home / "dags")
    for slug, said in (
        ("randers", "read: [Randers læser], operate: [Randers drift]"),
        ("ringkobing_skjern", "operate: [Ringkøbing-Skjern drift]"),
    ):
        text = (ROOT / "dags" / "municipalities" / f"{slug}.yaml").read_text(encoding="utf-8")
        (files / f"{slug}.yaml").write_text(f"{text}\nairflow: {{{said}}}\n", encoding="utf-8")
    settings = {"SAMSPIL_STORE": stores.url, "SAMSPIL_MUNICIPALITIES": str(files), "SAMSPIL_LANGUAGE": "da"}
    for url in serve("airflow_with_rights.py", home, settings):
        yield url, home


@pytest.fixture
def browser(airflow: str) -> Iterator[Callable[..., requests.Response]]:
    """``browser("/samspil/overview", who="anna")``: a page, asked for by a person who is logged in, or by nobody."""
    with requests.Session() as session:

        def ask(path: str, *, who: str | None = None, method: str = "GET") -> requests.Response:
            session.cookies.clear()
            if who:
                login = session.post(f"{airflow}/auth/token", json={"username": who, "password": who}, timeout=60)
                login.raise_for_status()
                session.cookies.set("_token", login.json()["access_token"])
            return session.request(method, airflow + path, allow_redirects=False, timeout=60)

        yield ask
