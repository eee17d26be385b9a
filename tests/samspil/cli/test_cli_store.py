"""samspil store: what its commands say, and two municipalities' nights as processes that have only their own things."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from samspil.agreement import load_municipality
from samspil.demo.systems import Systems
from samspil.registry import schemas
from samspil.store.tables import metadata

ROOT = Path(__file__).parents[3]
SLUGS = {"730": "randers", "760": "ringkobing_skjern"}


@pytest.fixture
def at_owner(separated, monkeypatch):
    """The command line as the owner of the store's tables has it."""
    monkeypatch.setenv("SAMSPIL_STORE", separated.owner)
    return separated


def test_it_is_separated_roles_are_admitted_listed_and_dismissed(at_owner, samspil):
    at_owner.role("w")
    name = f"{at_owner.name}_w"
    assert (
        f"✓ {len(metadata.tables)} tables show each role its own municipality's rows only\n"
        in samspil("store", "separate").out
    )
    assert f"✓ {name} reads and writes what 730 has, and nothing else" in samspil("store", "admit", "randers", name).out
    answer = samspil("store", "roles")
    assert (0, "730") == (answer.code, answer.out.splitlines()[3].split()[0])
    assert "✓ every table has its rule, and no role can get past it" in answer.out
    assert f"✓ {name} reads what 730" in samspil("store", "admit", "randers", name, "--read").out
    at_owner.sql(f'ALTER ROLE "{name}" BYPASSRLS')
    answer = samspil("store", "roles")
    assert 1 == answer.code
    assert f"✗ {name}: it passes row-level security by (BYPASSRLS): take that from it, or samspil store" in answer.err
    assert f"✓ {name} sees nothing of 730 any more" in samspil("store", "dismiss", name).out


def test_a_table_without_a_rule_is_told_with_what_to_do(at_owner, samspil):
    at_owner.sql("ALTER TABLE keys DISABLE ROW LEVEL SECURITY")
    answer = samspil("store", "roles")
    assert (1, "✗ without a rule: keys: samspil store separate\n") == (answer.code, answer.err)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("admit", "randers", "nobody"), 2, "role nobody: it would not be kept to its own rows: it does not exist"),
        (("dismiss", "nobody"), 2, "role nobody: was never admitted; samspil store roles lists those that are"),
        (("admit", "nowhere", "nobody"), 2, "no such municipality"),
    ],
)
def test_what_cannot_be_done_says_why(at_owner, samspil, words, code, said):
    answer = samspil("store", *words)
    assert code == answer.code
    assert said in answer.err


def test_who_is_not_the_owner_and_a_setting_for_workers_are_told(at_owner, samspil, monkeypatch, tmp_path):
    monkeypatch.setenv("SAMSPIL_STORE", at_owner.role("w", "730"))
    answer = samspil("store", "separate")
    assert 3 == answer.code
    assert "the database refuses this to its role" in answer.err
    monkeypatch.setenv("SAMSPIL_STORE", "postgresql://samspil_{municipality}@/samspil")
    assert "as the owner of its tables: postgresql://OWNER@host/name" in samspil("store", "roles").err
    monkeypatch.setenv("SAMSPIL_STORE", f"sqlite:///{tmp_path}/s.db")
    assert "with SQLite each municipality has a file of its own" in samspil("store", "separate").err


def test_what_a_worker_may_not_wipe_is_said_and_not_claimed(
    town_on_postgresql, samspil, tmp_path, monkeypatch, separated
):
    """As on PostgreSQL 16 and older, where only the owner may."""
    url = separated.role("w", "760")
    monkeypatch.setenv("SAMSPIL_STORE", url)
    assert 0 == samspil("apply", SLUGS["760"], "--flow", "journal-attendance-jobcenter").code
    file = tmp_path / "cpr"
    numbers = [record["cpr"] for record in town_on_postgresql.world.records("attendance")]
    for number, said in zip(sorted(set(numbers)), (False, True), strict=False):
        file.write_text(number, encoding="utf-8")
        answer = samspil("person", "erase", SLUGS["760"], "--why", "case 1", "--yes", "--cpr-file", str(file))
        file.unlink()
        assert (0, said) == (answer.code, "until its owner has run VACUUM persons" in answer.err)
        separated.sql(f'REVOKE MAINTAIN ON persons FROM "{make_url(url).username}"')


class Worker:
    """A municipality's own machine: its password, its master key, its accounts, and the setting that all share."""

    def __init__(self, separated, systems, folder: Path, code: str) -> None:
        self.code, self.slug, self.folder = code, SLUGS[code], folder / code
        self.folder.mkdir()
        role = make_url(separated.role(code, code)).username
        self.password = base64.b16encode(os.urandom(12)).decode()
        separated.sql(f"ALTER ROLE \"{role}\" PASSWORD '{self.password}'")
        self.put("pgpass", f"*:*:*:{role}:{self.password}\n")
        self.put(f"{code}.key", base64.b64encode(os.urandom(32)).decode())
        store = re.sub(r"//[^@]*@", f"//{separated.name}_{{municipality}}@", separated.owner)
        own = {f"AIRFLOW_CONN_{use.connection.upper()}" for use in load(self.slug).systems.values()}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SAMSPIL", "AIRFLOW"))},
            **{name: value for name, value in systems.environment.items() if name in own},
            "SAMSPIL_STORE": store,
            "SAMSPIL_KEY_FILE": str(self.folder / "{municipality}.key"),
            "PGPASSFILE": str(self.folder / "pgpass"),
        }

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / name).chmod(0o600)

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        command = [str(Path(sys.executable).parent / "samspil"), *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
        return subprocess.Popen(command, env={**self.environment, **environment}, **pipes)

    def run(self, *words: str, **environment: str) -> tuple[int, str]:
        process = self.start(*words, **environment)
        out, err = process.communicate(timeout=120)
        return process.returncode, out + err


def load(slug):
    return load_municipality(ROOT / "dags" / "municipalities" / f"{slug}.yaml", schemas())


def owned(url):
    """How many rows each municipality has in each table, as the superuser counts them."""
    counts = {}
    whose = {
        "municipality": "x.municipality",
        "flow_id": "(SELECT municipality FROM flows WHERE id = x.flow_id)",
        "carrier_id": "(SELECT municipality FROM flows WHERE id = x.carrier_id)",
        "id": "(SELECT f.municipality FROM runs r JOIN flows f ON f.id = r.flow_id WHERE r.id = x.id >> 32)",
        "outbox_id": "(SELECT f.municipality FROM runs r JOIN flows f ON f.id = r.flow_id WHERE r.id = x.outbox_id >> 32)",
    }
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string()) as connection:
        for table, of in metadata.tables.items():
            by = next(whose[name] for name in whose if name in of.columns)
            counts[table] = dict(connection.execute(f"SELECT {by}, count(*) FROM {table} x GROUP BY 1").fetchall())
    return counts


def test_two_municipalities_nights_in_one_database_each_with_its_own_role_key_and_password(
    separated, postgresql_url, tmp_path
):
    """Two nights of all flows at the same time as processes, an erasure, a new master key; then each tries the other's."""
    with Systems([load(slug) for slug in SLUGS.values()], citizens=24) as systems:
        a, b = workers = [Worker(separated, systems, tmp_path, code) for code in SLUGS]
        separated.ask_for_passwords()
        for night in (1, 2):
            systems.to_night(night)
            for process in [worker.start("apply", worker.slug) for worker in workers]:
                out, err = process.communicate(timeout=300)
                assert 0 == process.returncode, out + err
                assert "no" not in {
                    line.split()[-1] for line in out.splitlines() if line.startswith(("job", "journal"))
                }
        counts = owned(postgresql_url)
        for table in ("flows", "runs", "links", "outbox", "receipts", "quarantine", "ledger", "keys", "persons"):
            assert set(SLUGS) == set(counts[table]), table

        before = counts["persons"]
        world = systems.sandboxes[a.slug, "journal"].world
        a.put("cpr", world.records("attendance")[0]["cpr"])
        code, said = a.run("person", "erase", a.slug, "--why", "case 1", "--yes", "--cpr-file", str(a.folder / "cpr"))
        (a.folder / "cpr").unlink()
        assert (0, True) == (code, "Destroyed, with the person's key, for good" in said), said
        a.put("730.key", f"1:{(a.folder / '730.key').read_text()},2:{base64.b64encode(os.urandom(32)).decode()}")
        code, said = a.run("keys", "rotate", a.slug)
        assert (0, True) == (code, "is under version 2" in said), said
        assert before["760"] == owned(postgresql_url)["persons"]["760"]
        for command in ("verify", "keys check", "quarantine list", "retention"):
            started = [worker.start(*command.split(), worker.slug) for worker in workers]
            ended = [(*process.communicate(timeout=120), process.returncode) for process in started]
            assert [0, 0] == [code for *_, code in ended], ended

        # without their key; with ours in its place; without their password; with our role
        code, said = a.run("runs", b.slug)
        assert (2, True) == (code, "760.key: SAMSPIL_KEY_FILE: cannot be read" in said), said
        shutil.copy(a.folder / "730.key", a.folder / "760.key")
        code, said = a.run("runs", b.slug)
        assert (4, True) == (code, "the store does not answer" in said), said
        ours = a.environment["SAMSPIL_STORE"].replace("{municipality}", a.code)
        code, said = a.run("runs", b.slug, SAMSPIL_STORE=ours)
        assert (3, True) == (code, "our database role is for municipality 730, not for 760" in said), said
        code, said = a.run("runs", b.slug, PGPASSFILE=b.environment["PGPASSFILE"])
        assert (2, True) == (code, "is not the key that the runs in this store were made with" in said), said
        for secret in (a.password, b.password):
            assert secret not in said
