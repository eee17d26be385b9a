"""Opening a store: tables are made where they are missing, and a store that has them is not asked of each."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import Engine, event, inspect

from samspil.store import Store
from samspil.store.tables import metadata


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of any database meanwhile."""
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def tables(store: Store) -> set[str]:
    with store.transaction() as connection:
        return set(inspect(connection).get_table_names())


@pytest.mark.parametrize("gone", ["expiries", "links", "paces"])
def test_a_table_that_an_earlier_version_had_not_is_made_and_the_rest_stays(store_url, gone):
    with closing(Store(store_url)) as store, store.transaction() as connection:
        for table in metadata.tables.keys() - {gone}:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN mark INTEGER")
        connection.exec_driver_sql(f"DROP TABLE {gone}")
    with closing(Store(store_url)) as store:
        assert metadata.tables.keys() == tables(store)
        with store.transaction() as connection:
            marked = {
                table
                for table in metadata.tables
                if "mark" in {column["name"] for column in inspect(connection).get_columns(table)}
            }
    assert metadata.tables.keys() - {gone} == marked


def test_a_store_that_has_its_tables_is_asked_one_question(store_url):
    Store(store_url).close()
    with statements() as asked:
        Store(store_url).close()
    assert 1 == sum("SELECT" in statement for statement in asked), asked
