"""The reporting database on both kinds of database."""

import uuid
from contextlib import closing
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, text

from connectors.database.connector import Database
from samspil.account import Account
from samspil.connector import Change
from samspil.errors import AccessError, SettingsError, Unavailable

ORDER = {
    "id": "BST1",
    "cpr": "6101375000",
    "given_names": "Åse",
    "target_group": "6",
    "provider": "1003760001",
    "offer": "Forløb; med 'tegn' \\ og\nlinjer\t",
    "start": "2026-08-01",
    "hours_per_week": "25.50",
    "consent": True,
    "ordered_at": "2026-07-01T10:00:00+02:00",
    "goals": [{"id": "1", "title": "Møde til tiden", "sub_goals": []}],
}


def account(dsn):
    return Account(id="lis", extra={"dsn": dsn})


@pytest.fixture
def database(store_url):
    made = Database(account(store_url))
    made.create_tables()
    yield made
    made.close()


def put(record):
    return Change.of("put", record, None, str(uuid.uuid4()))


def test_a_missing_table_is_named_by_check(store_url):
    with closing(Database(account(store_url))) as made, pytest.raises(SettingsError, match="action_plans, course_ord"):
        made.check()


def test_with_its_tables_check_is_content(database):
    database.check()


def test_what_is_written_is_read_back(database):
    (receipt,) = database.write("course_order", [put(ORDER)])
    found = database.fetch("course_order", receipt.their_id)
    assert (found["id"], found["offer"], found["goals"]) == ("BST1", ORDER["offer"], ORDER["goals"])
    assert Decimal(found["hours_per_week"]) == Decimal("25.50")
    assert str(found["start"]) == "2026-08-01"
    assert "family_name" not in found


def test_writing_again_replaces_and_doubles_nothing(database, store_url):
    database.write("course_order", [put(ORDER)])
    database.write("course_order", [put({**ORDER, "offer": "Andet"}), put({**ORDER, "id": "BST2"})])
    engine = create_engine(store_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM course_orders")).scalar() == 2
    engine.dispose()
    assert database.fetch("course_order", "BST1")["offer"] == "Andet"


def test_a_deleted_record_is_gone_and_deleting_again_changes_nothing(database):
    database.write("course_order", [put(ORDER)])
    for _ in range(2):
        (receipt,) = database.write("course_order", [Change.of("delete", ORDER, "BST1", str(uuid.uuid4()))])
        assert receipt.refused is None
    assert database.fetch("course_order", "BST1") is None


def test_a_batch_the_database_refuses_changes_nothing_and_shows_no_value(database):
    with pytest.raises(Unavailable) as caught:
        database.write("course_order", [put(ORDER), put({**ORDER, "id": "BST2", "cpr": None})])
    assert "6101375000" not in str(caught.value)
    assert database.fetch("course_order", "BST1") is None


def test_a_database_that_is_not_there_is_unavailable():
    with closing(Database(account("postgresql+psycopg://hub@127.0.0.1:1/lis"))) as made, pytest.raises(Unavailable):
        made.check()


def test_an_address_that_is_none_is_a_setting_to_correct():
    with pytest.raises(SettingsError, match="dsn"):
        Database(account("not a url"))


def test_a_wrong_login_is_no_access(postgresql_url):
    wrong = postgresql_url.replace("postgres:@", "nobody_here:@")
    with closing(Database(account(wrong))) as made, pytest.raises(AccessError):
        made.check()
