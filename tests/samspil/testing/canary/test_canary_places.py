"""A leak planted on purpose in each place is found, with place and test, and fails the run."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from contextlib import closing
from types import SimpleNamespace

import psycopg
import pytest

from samspil.testing.canary import places
from samspil.testing.canary.processes import Sampler, descendants
from samspil.testing.canary.search import shown
from samspil.testing.canary.tally import PLACES, Tally
from samspil.testing.persons import canary
from samspil.testing.traced import traced

CPR = canary("760")["cpr"]

CONFTEST = """
    from samspil.testing.canary.session import NAME, Canary

    def pytest_configure(config):
        config.pluginmanager.register(Canary(config), NAME)
"""
# Each test leaks in the place that its name says.
LEAKS = """
    import logging, os, sqlite3, subprocess, sys, tempfile, time
    from pathlib import Path
    import pytest
    from samspil.errors import SamspilError
    from samspil.testing.canary.session import Canary
    from samspil.testing.persons import canary

    CPR = canary("760")["cpr"]

    def table(file, **cells):
        with sqlite3.connect(file) as connection:
            for name, cell in cells.items():
                connection.execute(f"CREATE TABLE {name} (value)")
                connection.execute(f"INSERT INTO {name} VALUES (?)", (cell,))
        connection.close()

    def test_logs():
        logging.getLogger("samspil.x").debug("met %s", CPR)

    def test_logs_of_a_traceback():
        try:
            raise ValueError(CPR)
        except ValueError:
            logging.getLogger("samspil.x").exception("it failed")

    def test_exceptions():
        with pytest.raises(ValueError):
            raise ValueError(CPR)

    def test_exceptions_fields():
        with pytest.raises(SamspilError):
            raise SamspilError("x", reason=CPR)

    def test_exceptions_cause():
        with pytest.raises(KeyError):
            try:
                raise ValueError(CPR)
            except ValueError as error:
                raise KeyError("x") from error

    def test_captured_output():
        print("hello", CPR)

    def test_captured_output_that_the_test_reads(capsys):
        sys.stderr.write(CPR)
        assert capsys.readouterr().err

    def test_process_output():
        subprocess.run([sys.executable, "-c", "print('3112' + '575760')"], capture_output=True, check=True)

    def test_process_arguments():
        subprocess.run(["true", CPR], check=True)

    def test_process_arguments_of_a_child_s_child(request):
        sleeping = "import subprocess; subprocess.run(['sh', '-c', 'sleep 60; : 3112' + '575760'])"
        child = subprocess.Popen([sys.executable, "-c", sleeping], start_new_session=True)
        sampler = Canary.of(request.config)._sampler
        for _ in range(600):
            sampler.look()
            if sampler.tally.found:
                break
            time.sleep(0.05)
        os.killpg(child.pid, 9)
        child.wait()

    def test_file_names(tmp_path):
        (tmp_path / f"{CPR}.txt").write_text("x")

    def test_file_names_of_a_file_that_is_gone(tmp_path):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, CPR).write_text("x")

    def test_temporary_files(tmp_path):
        (tmp_path / "x.csv").write_text(CPR)

    def test_temporary_files_left_elsewhere():
        Path(tempfile.mkdtemp(), "left").write_text(CPR)

    def test_temporary_files_that_are_open(request):
        with tempfile.TemporaryFile() as file:
            file.write(CPR.encode())
            file.flush()
            Canary.of(request.config)._sampler.look()

    def test_store(tmp_path):
        table(tmp_path / "store.db", outbox=CPR.encode())

    def test_airflow(tmp_path):
        (tmp_path / "airflow").mkdir()
        cells = {"dag_run": "x", "xcom": CPR, "rendered_task_instance_fields": CPR, "log": CPR}
        table(tmp_path / "airflow" / "airflow.db", **cells)
        (tmp_path / "airflow" / "scheduler.log").write_text(CPR)
"""
PLANTED = {
    ("logs", "test_logs"),
    ("logs", "test_logs_of_a_traceback"),
    ("exceptions", "test_exceptions"),
    ("exceptions", "test_exceptions_fields"),
    ("exceptions", "test_exceptions_cause"),
    ("captured output", "test_captured_output"),
    ("captured output", "test_captured_output_that_the_test_reads"),
    ("process output", "test_process_output"),
    ("process arguments", "test_process_arguments"),
    ("process arguments", "test_process_arguments_of_a_child_s_child"),
    ("file names", "test_file_names"),
    ("file names", "test_file_names_of_a_file_that_is_gone"),
    ("temporary files", "test_temporary_files"),
    ("temporary files", ""),  # left elsewhere: nobody knows by whom
    ("temporary files", "test_temporary_files_that_are_open"),
    ("store", "test_store"),
    ("XCom", "test_airflow"),
    ("rendered templates", "test_airflow"),
    ("Airflow's database", "test_airflow"),
    ("Airflow's logs", "test_airflow"),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run tests in a process of their own with the search; what came of it and what it wrote."""

    def call(source, *options):
        folder = tmp_path_factory.mktemp("inner")
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "conftest.py").write_text(textwrap.dedent(CONFTEST))
        (folder / "test_inner.py").write_text(textwrap.dedent(source))
        outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", "tmp", *options]
        with (folder / "out").open("wb") as out:  # not a pipe: this run's own search would read it
            done = subprocess.run(command, cwd=folder, env=outside, stdout=out, stderr=out, check=False)
        printed = (folder / "out").read_text()
        (folder / "out").unlink()
        report = (folder / "build" / "canary.json").read_text()
        subprocess.run(["rm", "-rf", str(folder)], check=True)  # the leaks were on purpose
        return done.returncode, printed, report

    return call


@pytest.fixture(scope="module", params=[(), ("-n", "2")], ids=["one process", "two workers"])
def leaky(run, request):
    return run(LEAKS, *request.param)


def test_a_leak_in_each_place_is_found_with_its_test(leaky):
    found = {(find["place"], find["test"].rpartition("::")[2]) for find in json.loads(leaky[2])["found"]}
    assert found >= PLANTED
    assert {place for place, _ in PLANTED} == set(PLACES)


def test_a_find_fails_the_run_though_every_test_passed(leaky):
    code, printed, report = leaky
    assert (code, json.loads(report)["tests"]) == (1, LEAKS.count("def test_"))
    assert f"{LEAKS.count('def test_')} passed" in printed
    assert "canary: a person is shown" in printed


def test_a_find_names_place_and_test_and_never_the_value(leaky):
    _, printed, report = leaky
    assert "XCom: test_airflow0/airflow/airflow.db xcom: the number (test_inner.py::test_airflow)" in printed
    assert not shown(report.encode())
    assert not shown(printed.rpartition("canary: a person is shown")[2].encode())


def test_a_run_without_a_leak_passes_and_says_what_was_searched(run):
    code, _, report = run("def test_it(tmp_path):\n    print('hello')\n    (tmp_path / 'x').write_text('hello')\n")
    read = json.loads(report)
    assert (code, read["finds"], read["tests"]) == (0, 0, 1)
    assert {name for name, place in read["places"].items() if place["bytes"]} >= {"captured output", "temporary files"}


def test_an_assertion_may_show_what_the_test_expected(run):
    source = f"def test_it():\n    assert {CPR[:4]!r} + {CPR[4:]!r} == 'nobody'\n"
    code, _, report = run(source)
    assert (code, json.loads(report)["places"]["exceptions"]["finds"]) == (1, 0)


def test_postgresql_is_searched_through_sql_as_bytes(postgresql_url):
    plain = postgresql_url.replace("+psycopg", "", 1)
    with psycopg.connect(plain) as connection:
        connection.execute("CREATE TABLE outbox (payload bytea)")
        connection.execute("INSERT INTO outbox VALUES (%s)", (b"\0" + CPR.encode(),))
    tally = Tally()
    places.database(tally, postgresql_url)
    with psycopg.connect(plain) as connection:
        connection.execute("DROP TABLE outbox")
    assert [(find.place, find.where) for find in tally.found] == [("store", "postgresql outbox")]


def test_a_value_that_lies_over_two_pages_of_sqlite_is_found(tmp_path):
    file, tally = tmp_path / "x.db", Tally()
    for before in range(400, 1600, 8):
        file.unlink(missing_ok=True)
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("PRAGMA page_size=512")
            connection.execute("CREATE TABLE outbox (payload)")
            connection.execute("INSERT INTO outbox VALUES (?)", (b"x" * before + CPR.encode() + b"y" * 503,))
        if CPR.encode() not in file.read_bytes():
            break
    else:
        pytest.fail("no length lies over two pages")
    places.folder(tally, tmp_path)
    file.unlink()
    assert [(find.place, find.where) for find in tally.found] == [("store", "x.db outbox")]


TABLES = "pgbox-abc/data/base/16384/2619", "pgbox-abc/data/base/16384/16390.1", f"pgbox-abc/data/pg_wal/{'0' * 23}A"
BESIDE = (  # in a sandbox's PostgreSQL server, but no table; in another server; and in another place
    ("temporary files", "pgbox-abc/data/log"),
    ("temporary files", "pgbox-abc/data/postgresql.auto.conf"),
    ("temporary files", "pgbox-abc/data/base/pgsql_tmp/pgsql_tmp123.0"),
    ("temporary files", "pgbox-abc/data/pg_stat/pg_stat_statements.stat"),
    ("temporary files", "pgbox-abc/data/pg_wal/archive_status/x"),
    ("temporary files", "pgbox-abc/data/base/16384/dump.sql"),
    ("temporary files", "pgbox-abc/other"),
    ("temporary files", "pgabc/data/base/16384/2619"),
    ("logs", TABLES[0]),
)


def test_what_the_list_allows_is_counted_and_anything_beside_it_is_a_find():
    tally = Tally()
    for where in TABLES:
        tally.look("temporary files", where, CPR)
    for place, where in BESIDE:
        tally.look(place, where, CPR)
    assert list(BESIDE) == [(find.place, find.where) for find in tally.found]
    assert (len(TABLES), len(BESIDE) - 1) == (
        tally.places["temporary files"].allowed,
        tally.places["temporary files"].finds,
    )


def test_in_a_real_servers_folder_a_table_is_let_through_and_what_its_log_says_is_found(tmp_path):
    """A careless statement: what the server refuses it writes to its log, with the values."""
    script = """
        import shutil, sys, tempfile
        from pathlib import Path
        from samspil.testing.database.postgresql import _connected, _server
        from samspil.testing.persons import canary
        cpr = canary("760")["cpr"]
        with _connected(_server()) as connection:
            connection.exec_driver_sql("CREATE TABLE people (cpr text PRIMARY KEY)")
            connection.exec_driver_sql("INSERT INTO people VALUES (%s)", (cpr,))
            connection.exec_driver_sql("CHECKPOINT")
            if sys.argv[2:]:
                try:
                    connection.exec_driver_sql("INSERT INTO people VALUES (%s)", (cpr,))
                except Exception:
                    pass
        shutil.copytree(
            tempfile.gettempdir(), sys.argv[1], dirs_exist_ok=True,
            ignore=lambda at, names: [name for name in names if not (Path(at, name).is_dir() or Path(at, name).is_file())],
        )
    """
    for careless in ((), ("careless",)):
        left, own, tally = tmp_path / "left", tmp_path / "own", Tally()
        own.mkdir()
        environment = {**os.environ, "TMPDIR": str(own)}
        command = [sys.executable, "-c", textwrap.dedent(script), str(left), *careless]
        subprocess.run(command, env=environment, check=True)
        places.folder(tally, left)
        for folder in (left, own):
            subprocess.run(["rm", "-rf", str(folder)], check=True)  # the leak was on purpose
        assert tally.places["temporary files"].allowed >= 2
        assert bool(careless) == bool(tally.found)
        assert all(re.fullmatch(r"pgbox-[^/]+/data/log", find.where) for find in tally.found)


def test_a_find_in_a_name_does_not_repeat_the_name():
    tally = Tally()
    tally.look("file names", f"{CPR}.txt", f"{CPR}.txt")
    assert not shown(str(tally.found[0]).encode())


@pytest.mark.parametrize("before", [0, (1 << 20) - 5, (3 << 20) + 7])
def test_a_large_open_file_is_looked_at_piece_by_piece_and_nothing_is_cut_apart(before):
    mark, pieces, sampler = b"not the canary, who would be found by the search around this test", [], Sampler(str)
    sampler.tally = SimpleNamespace(look=lambda _place, _where, piece, _test: pieces.append(piece))
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * before + mark + b"y" * (1 << 20))
        file.flush()
        sampler.look()
        seen = len(pieces)
        sampler.look()
    assert any(mark in piece for piece in pieces)
    assert max(map(len, pieces)) <= 1 << 20
    assert len(pieces) == seen, "what was seen is not looked at again"


def test_nobody_looks_while_a_test_measures_memory(monkeypatch):
    """What is read to be searched would count as the measured work's; a look that is under way ends first."""
    monkeypatch.setattr("samspil.testing.canary.processes.EVERY", 0.001)
    looking, sampler = threading.Event(), Sampler(str)

    def look():
        looking.set()
        for _ in range(50):
            assert len(bytes(1 << 20)) == 1 << 20
            time.sleep(0.001)

    sampler.look = look
    sampler.start()
    try:
        for _ in range(3):
            looking.clear()
            assert looking.wait(10)
            with traced() as memory:
                time.sleep(0.1)
                peak = memory.peak
            assert peak < 1 << 18
    finally:
        sampler.end()


def test_processes_that_end_while_they_are_looked_at_do_not_stop_the_looking():
    seen = set()
    with subprocess.Popen(["/bin/sh", "-c", "while :; do sh -c 'sh -c true & wait'; done"]) as restless:
        try:
            while len(seen) < 200:
                seen.update(descendants(os.getpid()))
        finally:
            restless.kill()
