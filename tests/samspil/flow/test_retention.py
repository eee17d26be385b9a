"""Retention: rows go when their time is up, stay out, and a new record of the same person begins anew."""

import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url, text

from samspil.errors import SettingsError
from samspil.ledger import verify
from samspil.rights import retention
from samspil.rights.finding import find
from samspil.store import Store

SEPARATED = "760"  # on PostgreSQL also as a role of this municipality

ONE, TWO = "6201900001", "6301900002"
YEAR = 365.25 * 24 * 3600


@pytest.fixture
def five(pair):
    """The pair with five years of retention."""
    pair.agree(**{"legal_basis: an example": "legal_basis: an example\n    retention: {years: 5}"})
    return pair


def age(pair, years):
    """Let everything be so much older, as a worker could not: receipts are never changed."""
    url = make_url(pair.url)
    if url.username:
        url = url.set(username="postgres")
    with closing(Store(url.render_as_string(hide_password=False))) as store, store.transaction() as connection:
        for table, column in (("runs", "started"), ("receipts", "at"), ("quarantine", "at")):
            connection.execute(text(f"UPDATE {table} SET {column} = {column} - :by"), {"by": years * YEAR})


def due(pair):
    with pair.hub() as hub:
        return retention.due(hub, datetime.now(UTC))


def applied(pair):
    with pair.hub() as hub:
        return retention.apply(hub, datetime.now(UTC), who="a test", why="yearly")


def held(pair, number):
    with pair.hub() as hub:
        return len(find(hub, number).held)


def test_before_its_time_nothing_is_due(five):
    five.night("a1 x", "b1 broken")
    age(five, 4.9)
    (found,) = due(five)
    assert (5, 0, (0, 0, 0)) == (found.years, found.persons, found.rows)
    assert found == applied(five)[0]
    assert 2 == held(five, ONE)


def test_what_is_due_is_counted_then_destroyed_and_the_others_stay(five):
    five.night("a1 x", "b1 broken", "c2 z")
    age(five, 5.1)
    five.night("a1 x", "b1 broken", "c2 new")
    (found,) = due(five)
    assert (1, (1, 1, 1)) == (found.persons, found.rows)
    assert 2 == held(five, ONE)
    assert (found,) == tuple(applied(five))
    assert (0, 2) == (held(five, ONE), held(five, TWO))
    assert 0 == due(five)[0].persons


def test_what_was_destroyed_stays_out_while_the_source_has_it_and_a_new_record_begins_anew(five):
    five.night("a1 x", "c2 z")
    age(five, 6)
    applied(five)
    night = five.night("a1 changed", "c2 z", "d1 new")
    assert (2, 1) == (night.blocked, night.delivered)
    assert night.balances
    assert {"a1": "x", "c2": "z", "d1": "new"} == five.office.words
    assert 1 == five.night("d1 new").unchanged  # the source let go of the old ones: so does the store
    assert 2 == five.night("a1 x", "d1 new").delivered + five.night("a1 x", "d1 new").unchanged - 1
    assert {"a1", "d1"} <= {record["id"] for record in five.office.held.values()}


def test_a_persons_key_goes_with_the_last_row_and_the_ledger_verifies(five):
    five.night("a1 x", "c2 z")
    age(five, 6)
    five.night("a1 x", "c2 new")
    applied(five)
    with five.hub() as hub, hub.store.transaction() as connection:
        assert 1 == connection.execute(text("SELECT count(*) FROM persons")).scalar()
        assert verify(connection, "760", hub.vault.signer().public_key())
        said = [bytes(row[0]) for row in connection.execute(text("SELECT context FROM ledger"))]
    assert any(b'"retention"' in each and b"yearly" in each and b"an example" in each for each in said)


def test_without_a_time_nothing_ever_goes(pair):
    pair.night("a1 x")
    age(pair, 60)
    (found,) = applied(pair)
    assert (None, 0) == (found.years, found.persons)
    assert 1 == held(pair, ONE)


def test_the_file_is_closed(pair):
    pair.agree(**{"legal_basis: an example": "legal_basis: an example\n    retention: {years: 0}"})
    with pytest.raises(SettingsError, match="whole number of years"):
        pair.hub()
    pair.agree(**{"legal_basis: an example": "legal_basis: an example\n    retention: {months: 3}"})
    with pytest.raises(SettingsError, match="months"):
        pair.hub()


def test_five_years_before_29_february_is_a_day_that_exists():
    leap = datetime(2024, 2, 29, tzinfo=UTC)
    assert datetime(2019, 2, 28, tzinfo=UTC).timestamp() == retention._before(leap, 5) < time.time()
