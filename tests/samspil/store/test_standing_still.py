"""A process that stands still in the middle of a transaction does not hold up the others for ever."""

from __future__ import annotations

import pytest
from sqlalchemy import text

import samspil.store
from samspil.errors import Unavailable
from samspil.store import Store, runs


@pytest.fixture
def stores(store_url, monkeypatch):
    """Two processes' stores."""
    monkeypatch.setattr(samspil.store, "_BUSY", 0.3)
    both = Store(store_url), Store(store_url)
    with both[0].transaction() as connection:
        runs.flow_id(connection, "760", "notes")
    yield both
    for one in both:
        one.close()


def touch(connection):
    connection.execute(text("UPDATE flows SET cursor = 'here'"))


def test_the_others_are_told_that_the_store_does_not_answer(stores):
    held, other = stores
    with held.transaction() as connection:
        touch(connection)
        with pytest.raises(Unavailable, match="does not answer"), other.transaction() as second:
            touch(second)
    with other.transaction() as second:
        touch(second)


def overtaken(held, other):
    """The one that stands still goes on too late."""
    with held.transaction() as connection:
        touch(connection)
        with other.transaction() as second:  # waits for it: a minute, if it must
            touch(second)
        touch(connection)


def test_postgresql_ends_its_transaction_in_the_end_and_the_others_go_on(postgresql_url, monkeypatch):
    monkeypatch.setattr(samspil.store, "_IDLE", 1)
    held, other = Store(postgresql_url), Store(postgresql_url)
    with other.transaction() as connection:
        runs.flow_id(connection, "760", "notes")
    with pytest.raises(Unavailable):
        overtaken(held, other)
    with other.transaction() as second:
        assert second.execute(text("SELECT cursor FROM flows")).scalar() == "here"
    held.close()
    other.close()


def test_what_was_set_outlasts_a_transaction_that_is_rolled_back(postgresql_url):
    store = Store(postgresql_url)
    with pytest.raises(ZeroDivisionError), store.transaction():
        1 / 0  # noqa: B018
    with store.transaction() as connection:
        said = [connection.execute(text(f"SHOW {name}")).scalar() for name in ("lock_timeout", _IDLE)]
    store.close()
    assert said == ["1min", "10min"]


_IDLE = "idle_in_transaction_session_timeout"
