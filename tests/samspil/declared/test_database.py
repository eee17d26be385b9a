"""A database's declared tables as source and target, on both kinds of database."""

import json
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, event, text

from samspil.account import Account
from samspil.connector import Change
from samspil.declared import database as tables
from samspil.declared import declared
from samspil.declared.database import writing
from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.testing.traced import traced

DECLARATION = """
kind: database
title: Tables in a test
schemas:
  action_plan:
    record: plans
    key: [id]
    list: {}
    write: {batch: 500}
    columns:
      id: text!
      words: text
      day: date
      moment: timestamp
      price: decimal
      share: number
      count: integer
      done: boolean
      photo: bytes
      goals: [{id: text!, title: text}]
  assessment:
    record: answers
    key: [person, round]
    list: {}
    write: {}
    columns: {person: text!, round: integer!, score: integer}
  attendance:
    record: days
    key: [id]
    list: {incremental: {changed: changed, overlap: 60, gone: {field: removed}}}
    columns: {id: integer!, status: text}
"""
PLAN = {
    "id": "P1",
    "words": "Ærø; 'tegn' \\ og\nlinjer\t",
    "day": "2028-02-29",
    "moment": "2026-03-29T03:00:00.25+02:00",
    "price": "1234567.50",
    "share": 0.1,
    "count": 9007199254740993,
    "done": False,
    "photo": "AP8K",
    "goals": [{"id": "1", "title": "Møde til tiden"}],
}


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "connectors" / "some_tables"
    folder.mkdir(parents=True)
    made = folder / "connector.yaml"
    made.write_text(DECLARATION)
    return made


@pytest.fixture
def engine(store_url):
    made = create_engine(store_url)
    yield made
    made.dispose()


def made_of(path, store_url):
    return declared(path)(Account(id="lis", extra={"dsn": store_url}))


@pytest.fixture
def database(path, store_url):
    with closing(made_of(path, store_url)) as made:
        made.create_tables()
        yield made


def put(record, **more):
    return Change.of("put", {**record, **more}, None, str(uuid.uuid4()))


def gone(record):
    return Change.of("delete", record, record["id"], str(uuid.uuid4()))


def read(connector, schema, since=None):
    pages = list(connector.read(schema, since))
    raws = {key.decode(): json.loads(raw) for page in pages for key, raw in zip(page.keys, page.raws, strict=True)}
    return raws, sorted(key.decode() for page in pages for key in page.gone), pages[-1].cursor if pages else None


def execute(engine, *statements):
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_a_row_of_every_kind_is_the_same_bytes_on_every_database(database):
    database.write("action_plan", [put(PLAN)])
    (page,) = database.read("action_plan")
    expected = (
        '{"id":"P1","words":"Ærø; \'tegn\' \\\\ og\\nlinjer\\t","day":"2028-02-29","moment":"2026-03-29T01:00:00.250000Z",'
        '"price":"1234567.5","share":0.1,"count":9007199254740993,"done":false,"photo":"AP8K",'
        '"goals":[{"id":"1","title":"Møde til tiden"}]}'
    )
    assert [expected.encode()] == page.raws
    assert [json.loads(expected)] == list(database.decode("action_plan", page.raws))
    assert json.loads(expected) == database.fetch("action_plan", "P1")


@pytest.mark.parametrize(
    "value",
    [
        "'; DROP TABLE plans; --",
        '"; DROP TABLE plans; --',
        "\\.",
        "\\N",
        "%(id)s %s :id ?",
        "a\tb\nc\\",
        "P1') OR ('1'='1",
        "NULL",
    ],
)
def test_a_value_that_is_sql_is_a_value(database, engine, value):
    database.write("action_plan", [put(PLAN), put({"id": value, "words": value})])
    database.write("action_plan", [put({"id": value, "words": value * 2})])  # the other way: it is there already
    assert {"id": value, "words": value * 2} == database.fetch("action_plan", value)
    found, _, _ = read(database, "action_plan")
    assert {"P1", value} == set(found)
    database.write("action_plan", [gone({"id": value})])
    assert {"P1"} == set(read(database, "action_plan")[0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("photo: bytes", '"photo\\n": bytes'),
        ("photo: bytes", "'photo\"; DROP TABLE plans; --': bytes"),
        ("photo: bytes", "photo--: bytes"),
        ("photo: bytes", "photo) SELECT 1 (: bytes"),
        ("record: plans", '"record": "plans\\n"'),
        ("record: plans", "record: 'plans\"; --'"),
        ("record: plans", "record: a.b.plans"),
    ],
)
def test_a_name_that_is_sql_is_no_name(path, old, new):
    path.write_text(DECLARATION.replace(old, new, 1))
    with pytest.raises(SettingsError) as caught:
        declared(path)
    assert 1 == len(str(caught.value).splitlines())


def test_what_is_null_is_left_out_and_written_as_null(database):
    database.write("action_plan", [put(PLAN)])
    database.write("action_plan", [put({"id": "P1"})])
    assert {"id": "P1"} == database.fetch("action_plan", "P1")


def test_the_fields_are_the_columns_and_those_within_lists(database):
    fields = database.fields("action_plan")
    assert fields["id"].required
    assert not fields["words"].required
    assert fields["goals[].id"].required
    assert {"id", "status"} == set(database.fields("attendance"))


def test_a_batch_sent_twice_changes_nothing_and_a_deleted_row_is_gone(database):
    for _ in range(2):
        database.write("action_plan", [put(PLAN, id=f"P{n}") for n in range(300)])
    assert 300 == len(read(database, "action_plan")[0])
    for _ in range(2):
        receipts = database.write("action_plan", [gone({"id": "P7"}), put(PLAN, id="P8", words="new")])
        assert [("P7", None), ("P8", None)] == [(each.their_id, each.refused) for each in receipts]
    assert database.fetch("action_plan", "P7") is None
    assert "new" == database.fetch("action_plan", "P8")["words"]


def test_a_key_of_several_columns_is_one_key(database):
    score = {"person": "Åse", "round": 2, "score": 3}
    (receipt,) = database.write("assessment", [put(score)])
    database.write("assessment", [put(score, score=4), put(score, round=3)])
    assert {'["Åse",2]', '["Åse",3]'} == set(read(database, "assessment")[0])
    assert {**score, "score": 4} == database.fetch("assessment", receipt.their_id)


def test_two_changes_of_one_row_in_a_batch_take_effect_in_their_order(database):
    database.write("action_plan", [gone(PLAN), put(PLAN, words="first"), put(PLAN, words="second")])
    assert "second" == database.fetch("action_plan", "P1")["words"]
    database.write("action_plan", [put(PLAN), gone(PLAN)])
    assert database.fetch("action_plan", "P1") is None


def test_what_does_not_fit_is_refused_by_name_and_the_others_are_written(database):
    batch = [
        put(PLAN),
        put(PLAN, id="P2", day="30-02-2026"),
        put({"words": "no key"}),
        put(PLAN, id="P3", moment="2026-01-01T00:00:00"),
        put(PLAN, id="P4", colour="red"),
        put(PLAN, id=""),
        put(PLAN, id="P5"),
    ]
    receipts = database.write("action_plan", batch)
    assert ["", "day", "id", "moment", "colour", "", ""] == [
        each.refused.field if each.refused else "" for each in receipts
    ]
    assert {"P1", "P5"} == set(read(database, "action_plan")[0])
    assert not any("30-02" in str(each.refused) for each in receipts)


def test_a_row_the_database_itself_refuses_is_refused_alone(database, engine):
    execute(engine, "CREATE UNIQUE INDEX one_of_each ON plans (words)")
    receipts = database.write("action_plan", [put(PLAN), put(PLAN, id="P2"), put(PLAN, id="P3", words="other")])
    assert [None, "refused-by-database", None] == [each.refused and each.refused.reason for each in receipts]
    assert {"P1", "P3"} == set(read(database, "action_plan")[0])
    assert "tegn" not in str(receipts[1].refused)


def test_columns_that_are_not_declared_keep_what_they_hold(database, engine):
    execute(engine, "ALTER TABLE plans ADD COLUMN theirs varchar(20) DEFAULT 'kept'")
    database.write("action_plan", [put(PLAN)])
    execute(engine, "UPDATE plans SET theirs = 'their own'")
    database.write("action_plan", [put(PLAN, words="new")])
    with engine.connect() as connection:
        assert ("new", "their own") == tuple(connection.execute(text("SELECT words, theirs FROM plans")).one())


def test_the_way_for_any_other_dialect_does_the_same(database, engine, monkeypatch):
    def upsert(connection, declared, rows, *, new):
        writing.update_or_insert(connection, declared, rows)

    monkeypatch.setattr(tables, "upsert", upsert)
    execute(engine, "ALTER TABLE plans ADD COLUMN theirs varchar(20) DEFAULT 'kept'")
    database.write("action_plan", [put(PLAN, id=f"P{n}") for n in range(400)])
    execute(engine, "UPDATE plans SET theirs = 'their own'")
    database.write("action_plan", [put(PLAN, id="P1", words="new", goals=[]), put(PLAN, id="P400")])
    found = database.fetch("action_plan", "P1")
    assert ("new", []) == (found["words"], found["goals"])
    assert 401 == len(read(database, "action_plan")[0])
    database.write("assessment", [put({"person": "a", "round": 1}), put({"person": "b", "round": 2, "score": 5})])
    database.write("assessment", [put({"person": "a", "round": 2}), put({"person": "a", "round": 1, "score": 9})])
    assert [9, None, 5] == [each.get("score") for _, each in sorted(read(database, "assessment")[0].items())]
    with engine.connect() as connection:
        assert "their own" == connection.execute(text("SELECT theirs FROM plans WHERE id = 'P1'")).scalar()


def days(engine, *rows):
    """Rows of the table that is read by its changes: id, status, seconds ago, removed."""
    now = datetime.now(UTC)
    zoneless = engine.dialect.name == "sqlite"
    with engine.begin() as connection:
        for key, status, ago, removed in rows:
            changed = now - timedelta(seconds=ago)
            connection.execute(text("DELETE FROM days WHERE id = :id"), {"id": key})
            connection.execute(
                text("INSERT INTO days (id, status, changed, removed) VALUES (:id, :status, :changed, :removed)"),
                {
                    "id": key,
                    "status": status,
                    "changed": changed.replace(tzinfo=None).isoformat(" ") if zoneless else changed,
                    "removed": removed,
                },
            )


def test_an_incremental_read_gives_what_changed_and_what_is_deleted(database, engine):
    days(engine, (1, "came", 5000, False), (2, "came", 4000, False), (3, "ill", 3000, True))
    rows, deleted, cursor = read(database, "attendance")
    assert ({"1": {"id": 1, "status": "came"}, "2": {"id": 2, "status": "came"}}, []) == (rows, deleted)
    days(engine, (1, "ill", 10, False), (2, "came", 5, True), (4, "came", 0, False))
    rows, deleted, later = read(database, "attendance", cursor)
    assert ({"1", "4"}, ["2", "3"]) == (set(rows), deleted)  # 3 was changed at the very moment of the cursor
    assert later > cursor


def test_a_row_committed_late_within_the_overlap_is_found(database, engine):
    days(engine, (1, "came", 100, False))
    cursor = read(database, "attendance")[2]
    days(engine, (2, "late", 130, False))
    assert {"1", "2"} == set(read(database, "attendance", cursor)[0])


def test_a_row_from_the_future_hides_none_that_follow(database, engine):
    days(engine, (1, "came", -86_400, False))
    cursor = read(database, "attendance")[2]
    assert datetime.fromisoformat(cursor) <= datetime.now(UTC) + timedelta(seconds=1)
    days(engine, (2, "came", 0, False))
    assert {"1", "2"} == set(read(database, "attendance", cursor)[0])


def test_an_empty_table_is_no_error_and_the_cursor_stays(database):
    rows, _, cursor = read(database, "attendance")
    assert {} == rows
    assert cursor == read(database, "attendance", cursor)[2]
    assert ({}, [], None) == read(database, "action_plan")


@pytest.mark.parametrize("cursor", ["yesterday", "2026-01-01T00:00:00", ""])
def test_a_cursor_that_is_no_moment_is_an_error(database, cursor):
    with pytest.raises(SettingsError, match="cursor"):
        read(database, "attendance", cursor)


def test_a_read_cannot_write(database):
    with pytest.raises(Unavailable), database._session.reading() as connection:
        connection.execute(text("DELETE FROM plans"))
    database.write("action_plan", [put(PLAN)])  # and the connection can, afterwards


def test_memory_is_that_of_a_page_and_not_of_the_table(database):
    for start in range(0, 40_000, 10_000):
        database.write("assessment", [put({"person": "x" * 200, "round": n}) for n in range(start, start + 10_000)])
    with traced() as memory:
        assert 40_000 == sum(len(page.raws) for page in database.read("assessment"))
        peak = memory.peak
    assert peak < 8_000_000  # the records alone are 10 MB


def test_leaving_early_ends_the_read(database):
    database.write("assessment", [put({"person": "x", "round": n}) for n in range(3000)])
    pages = database.read("assessment")
    next(pages)
    pages.close()
    database.write("assessment", [put({"person": "y", "round": 1})])


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (["DROP TABLE plans"], "plans: the table is missing"),
        (["ALTER TABLE plans RENAME COLUMN price TO pris"], r"plans\.price: the column is missing"),
        (["ALTER TABLE days RENAME COLUMN changed TO aendret"], r"days\.changed: the column is missing"),
        (["ALTER TABLE plans DROP COLUMN count", "ALTER TABLE plans ADD COLUMN count date"], r"plans\.count: .*DATE"),
        (["ALTER TABLE plans ADD COLUMN theirs text NOT NULL DEFAULT 'x'"], ""),
        (["DROP TABLE plans", "CREATE TABLE plans AS SELECT 1 AS something"], r"plans\.id: the column is missing"),
        (
            ["DROP TABLE answers", "CREATE TABLE answers (person text, round bigint, score bigint)"],
            "answers.person, round: the key is neither",
        ),
        (
            [
                "DROP TABLE answers",
                "CREATE TABLE answers (person text, round bigint, score bigint, who text NOT NULL, UNIQUE (round, person))",
            ],
            r"answers\.who: the column must have a value",
        ),
    ],
)
def test_check_names_table_and_column_that_are_not_as_declared(database, engine, statements, named):
    database.check()
    execute(engine, *statements)
    if named:
        with pytest.raises(SettingsError, match=named):
            database.check()
    else:
        database.check()


def test_a_moment_without_a_zone_is_named(path, postgresql_url):
    with closing(made_of(path, postgresql_url)) as made:
        made.create_tables()
        engine = create_engine(postgresql_url)
        execute(engine, "ALTER TABLE days ALTER COLUMN changed TYPE timestamp without time zone")
        engine.dispose()
        for calling in (made.check, lambda: list(made.read("attendance"))):
            with pytest.raises(SettingsError, match=r"days\.changed: the column has no time zone"):
                calling()


def test_moments_are_in_utc_whatever_the_sessions_zone(path, postgresql_url):
    zoned = f"{postgresql_url}&options=-ctimezone%3DAmerica%2FLima"
    with closing(made_of(path, zoned)) as made:
        made.create_tables()
        made.write("action_plan", [put(PLAN)])
        assert "2026-03-29T01:00:00.250000Z" == made.fetch("action_plan", "P1")["moment"]


def test_a_table_may_lie_in_a_schema_of_the_database(path, postgresql_url):
    path.write_text(DECLARATION.replace("table: plans", "table: lis.plans"))
    engine = create_engine(postgresql_url)
    execute(engine, "CREATE SCHEMA lis")
    engine.dispose()
    with closing(made_of(path, postgresql_url)) as made:
        made.create_tables()
        made.check()
        made.write("action_plan", [put(PLAN)])
        made.write("action_plan", [put(PLAN, words="new")])
        assert ["new"] == [row["words"] for row in read(made, "action_plan")[0].values()]


def test_a_bulk_write_on_postgresql_is_a_few_statements(path, postgresql_url):
    with closing(made_of(path, postgresql_url)) as made:
        made.create_tables()
        made.write("action_plan", [put(PLAN)])
        said = []
        event.listen(made._session.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
        made.write("action_plan", [put(PLAN, id=f"P{n}") for n in range(500)])
        assert len(said) <= 4


def test_no_access_is_told_from_no_answer(path, postgresql_url):
    wrong = postgresql_url.replace("postgres:@", "nobody_here:@")
    with closing(made_of(path, wrong)) as made, pytest.raises(AccessError):
        made.check()
    with closing(made_of(path, "postgresql+psycopg://hub:s3cret@127.0.0.1:1/lis")) as made:
        with pytest.raises(Unavailable) as caught:
            made.check()
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("dsn", ["not a url", "nosuchdb://x/y", "mysql+mysqldb://x/y"])
def test_a_dsn_that_cannot_be_used_is_a_setting_to_correct(path, dsn):
    with pytest.raises(SettingsError, match="dsn"):
        made_of(path, dsn)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("words: text", "words: words", 12, "schemas.action_plan.columns.words: words is none of: text, integer"),
        ("key: [id]", "key: [nr]", 7, "schemas.action_plan.key: nr is none of the columns"),
        ("key: [id]", "key: [goals]", 7, "schemas.action_plan.key: goals is a list"),
        ("    list: {}\n    write: {batch: 500}\n", "", 5, "schemas.action_plan: needs a `list`"),
        ("overlap: 60, gone: {field: removed}", "overlap: 60", 30, "missing required field `gone`"),
        ("removed}}}", "removed}}}\n    write: {}", 31, "somebody else's to write"),
        ("changed: changed", "changed: status", 30, "the column is no timestamp"),
        ("record: plans", "record: plans; drop", 6, "record"),
        ("removed}}}", "removed}}, gone: {field: x}}", 30, "a `gone` of its own"),
        ("photo: bytes", "photo: bytes\n      Robert'); --: text", 10, "schemas.action_plan.columns"),
        ("batch: 500", "batch: 500, replace: true", 9, "unknown field"),
        ("goals: [{id: text!, title: text}]", "goals: [text]", 20, "a list has one example"),
        ("goals: [{id: text!, title: text}]", "goals: [{id: null}]", 20, "id is none of: text"),
        ("goals: [{id: text!, title: text}]", "goals: [{~: text}]", 20, "a column's name is text"),
    ],
)
def test_a_declaration_that_is_wrong_says_where(path, old, new, line, message):
    path.write_text(DECLARATION.replace(old, new, 1))
    with pytest.raises(SettingsError) as caught:
        declared(path)
    assert message in str(caught.value)
    assert line == caught.value.line
