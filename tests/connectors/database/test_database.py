"""The reporting database on both kinds of database."""

import json
import uuid
from contextlib import closing

import pytest
from sqlalchemy import create_engine, event, text

from connectors.database.sandbox import DatabaseSandbox
from samspil import registry
from samspil.account import Account
from samspil.connector import Change
from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.testing.world import World

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


def made_of(dsn):
    return registry.connector("database")(Account(id="lis", extra={"dsn": dsn}))


@pytest.fixture
def database(store_url):
    with closing(made_of(store_url)) as made:
        made.create_tables()
        yield made


def put(record, their_id=None):
    return Change.of("put", record, their_id, str(uuid.uuid4()))


def test_a_missing_table_is_named_by_check(store_url):
    with closing(made_of(store_url)) as made, pytest.raises(SettingsError, match="course_orders: the table is missing"):
        made.check()


def test_with_its_tables_check_is_content(database):
    database.check()


def test_what_is_written_is_read_back(database):
    (receipt,) = database.write("course_order", [put(ORDER)])
    assert {**ORDER, "hours_per_week": "25.5"} == database.fetch("course_order", receipt.their_id)


def test_writing_again_replaces_and_doubles_nothing(database, store_url):
    database.write("course_order", [put(ORDER)])
    database.write("course_order", [put({**ORDER, "offer": "Andet"}), put({**ORDER, "id": "BST2"})])
    engine = create_engine(store_url)
    with engine.connect() as connection:
        assert 2 == connection.execute(text("SELECT count(*) FROM course_orders")).scalar()
    engine.dispose()
    assert "Andet" == database.fetch("course_order", "BST1")["offer"]


def test_a_deleted_record_is_gone_and_deleting_again_changes_nothing(database):
    database.write("course_order", [put(ORDER)])
    for _ in range(2):
        (receipt,) = database.write("course_order", [Change.of("delete", ORDER, "BST1", str(uuid.uuid4()))])
        assert receipt.refused is None
    assert database.fetch("course_order", "BST1") is None


@pytest.mark.parametrize("field", [{"cpr": None}, {"start": "2026-02-30"}, {"price": "much"}, {"offer": 7}, {"x": "y"}])
def test_a_row_that_does_not_fit_is_refused_alone_and_shows_no_value(database, field):
    batch = [put(ORDER), put({**ORDER, "id": "BST2", **field}), put({**ORDER, "id": "BST3"})]
    good, bad, other = database.write("course_order", batch)
    assert (None, "bad-value", None) == (good.refused, bad.refused.reason, other.refused)
    assert next(iter(field)) == bad.refused.field
    assert not any(value in str(bad.refused) for value in ("BST2", "02-30", "much"))
    assert [True, False, True] == [database.fetch("course_order", f"BST{n}") is not None for n in (1, 2, 3)]


def test_the_list_is_kept_as_it_came(database, store_url):
    raw = json.dumps(ORDER, ensure_ascii=False).encode()
    database.write("course_order", [Change("put", raw, None, str(uuid.uuid4()))])
    engine = create_engine(store_url)
    with engine.connect() as connection:
        assert ORDER["goals"] == json.loads(
            connection.execute(text("SELECT CAST(goals AS text) FROM course_orders")).scalar()
        )
    engine.dispose()


def statements(made, batch):
    """What is said to the database to write a batch; COPY itself is not among it."""
    said = []
    event.listen(made._session.engine, "before_cursor_execute", lambda *told: said.append(told[2].split()[0]))
    assert not any(receipt.refused for receipt in made.write("course_order", batch))
    return said


def test_new_rows_go_straight_to_the_table_and_a_row_that_is_there_is_no_harm(postgresql_url):
    with closing(made_of(postgresql_url)) as made:
        made.create_tables()
        assert ["SAVEPOINT", "RELEASE"] == statements(made, [put({**ORDER, "id": f"BST{n}"}) for n in range(9)])
    with closing(made_of(postgresql_url)) as made:
        again = [put({**ORDER, "id": f"BST{n}", "offer": "Andet"}) for n in range(5, 15)]
        assert ["SAVEPOINT", "ROLLBACK", "CREATE", "INSERT"] == statements(made, again)
        assert ["Andet", "Andet"] == [made.fetch("course_order", key)["offer"] for key in ("BST5", "BST14")]
    with closing(made_of(postgresql_url)) as made:
        assert ["CREATE", "INSERT"] == statements(made, [put(ORDER, "BST1")])


def test_a_table_with_security_by_row_takes_new_rows_too():
    with (
        DatabaseSandbox(World("760", citizens=2)) as sandbox,
        closing(registry.connector("database")(sandbox.account)) as made,
    ):
        with sandbox.engine.begin() as owner:
            owner.execute(text("ALTER TABLE course_orders ENABLE ROW LEVEL SECURITY"))
            owner.execute(text("CREATE POLICY everything ON course_orders USING (true)"))
        assert [None] == [receipt.refused for receipt in made.write("course_order", [put(ORDER)])]
        assert made.fetch("course_order", "BST1") is not None


def test_a_database_that_is_not_there_is_unavailable():
    with closing(made_of("postgresql+psycopg://hub@127.0.0.1:1/lis")) as made, pytest.raises(Unavailable):
        made.check()


def test_an_address_that_is_none_is_a_setting_to_correct():
    with pytest.raises(SettingsError, match="dsn"):
        made_of("not a url")


def test_a_wrong_login_is_no_access(postgresql_url):
    wrong = postgresql_url.replace("postgres:@", "nobody_here:@")
    with closing(made_of(wrong)) as made, pytest.raises(AccessError):
        made.check()
