"""A municipality as its IT department has it: its real file, its systems as sandboxes, and the command line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from samspil.agreement import load_municipality
from samspil.cli import main
from samspil.demo.systems import Systems
from samspil.registry import schemas
from samspil.testing.world import World

ROOT = Path(__file__).parents[3]
TOWN = "ringkobing_skjern"
CITIZENS = 24


class Answer(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def rows(self, title: str) -> dict[str, dict[str, str]]:
        """The rows of a printed table by their first column; the heading's words are two blanks apart."""
        lines = self.out.split(f"{title}\n", 1)[1].splitlines()
        heading = re.split(r" {2,}", lines[0].strip())
        rows = {}
        for line in lines[2:]:
            cells = re.split(r" {2,}", line.strip())
            if len(cells) != len(heading):
                break
            rows[cells[0]] = dict(zip(heading, cells, strict=True))
        return rows


Command = Callable[..., Answer]


@pytest.fixture
def samspil(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command line in this process, its output as on a pipe."""

    def call(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["samspil", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Answer(int(ended.value.code or 0), printed.out, printed.err)

    return call


@pytest.fixture
def program() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """The installed program, as a user starts it."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        started = {**os.environ, **environment}
        command = [Path(sys.executable).parent / "samspil", *words]
        return subprocess.run(command, env=started, cwd=ROOT, check=False, capture_output=True, timeout=60)

    return run


class Town:
    """A municipality's systems on real sockets. ``file`` is a copy of its file that a test may edit."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / f"{TOWN}.yaml"
        shutil.copy(ROOT / "dags" / "municipalities" / self.file.name, self.file)
        self.systems = Systems([load_municipality(self.file, schemas())], citizens=CITIZENS)
        self.sandboxes = {system: sandbox for (_, system), sandbox in self.systems.sandboxes.items()}
        self.world: World = self.sandboxes["journal"].world

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new), encoding="utf-8")

    def held(self) -> dict[str, dict[str, dict]]:
        """What each system holds of what it received."""
        return {
            f"{system} {schema}": {key: dict(record) for key, record in held.items()}
            for system, sandbox in self.sandboxes.items()
            for schema in _READ
            if (held := sandbox.held(schema))
        }

    def persons(self) -> list[str]:
        """Everything of the world that must not be on a screen: numbers, names, telephones, notes."""
        return sorted(set(_values(self.world)))


HIDING = {
    "cpr",
    "family_name",
    "street",
    "phone",
    "contact_phone",
    "case_worker",
    "author",
    "text",
    "summary",
    "recommendation",
    "comment",
    "minutes",
    "id",
    "order_id",
    "case_id",
}
_READ = (
    "course_order",
    "activity",
    "attendance",
    "journal_note",
    "status_note",
    "action_plan",
    "assessment",
    "placement",
)


def _values(world: World) -> Iterator[str]:
    waiting = [record for schema in _READ for night in (1, 2, 3) for record in world.records(schema, night)]
    while waiting:
        thing = waiting.pop()
        for name, value in thing.items() if isinstance(thing, dict) else ():
            if isinstance(value, dict):
                waiting.append(value)
            elif isinstance(value, list):
                waiting += value
            elif name in HIDING and value:
                yield str(value)


@pytest.fixture
def town(store_url: str, master_key: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Town]:
    """Before the first night, on each of the store's databases."""
    yield from _town(store_url, monkeypatch, tmp_path)


@pytest.fixture
def town_on_sqlite(master_key: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Town]:
    """The same on SQLite only, where the database makes no difference."""
    (tmp_path / "store").mkdir()
    yield from _town(f"sqlite:///{tmp_path}/store/samspil.db", monkeypatch, tmp_path)


@pytest.fixture
def town_on_postgresql(
    postgresql_url: str, master_key: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Town]:
    """The same on PostgreSQL only, which municipalities may share."""
    yield from _town(postgresql_url, monkeypatch, tmp_path)


def _town(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Town]:
    (tmp_path / "municipalities").mkdir()
    monkeypatch.setenv("SAMSPIL_STORE", url)
    monkeypatch.setenv("SAMSPIL_MUNICIPALITIES", str(tmp_path / "municipalities"))
    made = Town(tmp_path / "municipalities")
    for name, value in made.systems.environment.items():
        monkeypatch.setenv(name, value)
    yield made
    made.systems.stop()
