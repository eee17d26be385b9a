"""Any database that SQLAlchemy speaks to, as a source and as a target, by declaring its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
from sqlalchemy import MetaData, and_, select

from samspil.account import SECRET, Account, Settings
from samspil.connector import Change, Connector, Field, Page, Receipt
from samspil.declared.database import live, reading
from samspil.declared.database.declaration import DeclaredTable, declaration
from samspil.declared.database.session import RowsRefused, Session
from samspil.declared.database.writing import Rows, remove, upsert
from samspil.errors import Refused
from samspil.json import decoded

__all__ = ["DatabaseConnector", "DatabaseSettings", "connector"]


class DatabaseSettings(Settings, frozen=True, kw_only=True):
    """``dsn`` is an SQLAlchemy URL with user and password; the account's host is not used."""

    dsn: Annotated[str, SECRET]
    timeout: float = 30.0  # seconds


class DatabaseConnector(Connector):
    """Declared tables; ``connector`` makes a subclass for each declaration. A row's key decides: sent again, a
    record is put in place of itself.
    """

    Settings = DatabaseSettings
    tables: ClassVar[Mapping[str, DeclaredTable]]
    metadata: ClassVar[MetaData]

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._session = Session(self.settings.dsn, system=account.id, timeout=self.settings.timeout)

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        return cls.tables[schema].fields

    def check(self) -> None:
        """Log in and compare every declared table with the one there is. Raises SettingsError naming the column."""
        with self._session.reading() as connection:
            for declared in self.tables.values():
                live.require(connection, declared, system=self.account.id)

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        """One read-only transaction; see ``reading.pages``. A read of an incremental table ends with its cursor."""
        if schema not in self.reads:
            return super().read(schema, since)
        return self._pages(self.tables[schema], since if self.reads[schema].mode == "incremental" else None)

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        if schema not in self.reads:
            return super().decode(schema, raws)
        return decoded(raws)

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        """One transaction. A batch with a change that cannot be written is halved until that change is alone."""
        if schema not in self.writes:
            return super().write(schema, batch)
        try:
            return self._written(schema, batch)
        except Refused as refused:
            if len(batch) == 1:
                return [Receipt(refused=refused)]
        half = len(batch) // 2
        return [*self.write(schema, batch[:half]), *self.write(schema, batch[half:])]

    def fetch(self, schema: str, their_id: str) -> dict[str, Any] | None:
        """A row as ``read`` would give it."""
        declared = self.tables[schema]
        key = self._rows[schema].key_from(their_id)
        columns = declared.table.c
        query = select(*(columns[name] for name in declared.names)).where(
            and_(*(columns[name] == value for name, value in key.items()))
        )
        with self._session.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        found: dict[str, Any] = msgspec.json.decode(reading.renderer(declared)(row))
        return found

    def create_tables(self) -> None:
        """Make the declared tables where they are missing: for a trial, or once; else by the owner's own DDL."""
        with self._session.transaction() as connection:
            self.metadata.create_all(connection)

    def close(self) -> None:
        self._session.engine.dispose()

    @cached_property
    def _rows(self) -> Mapping[str, Rows]:
        return {schema: Rows(declared) for schema, declared in self.tables.items()}

    def _pages(self, declared: DeclaredTable, since: str | None) -> Iterator[Page]:
        with self._session.reading() as connection:
            live.require(connection, declared, system=self.account.id)
            yield from reading.pages(connection, declared, since)

    def _written(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        rows = self._rows[schema].rows(batch)
        keys = self._rows[schema].keys(rows)
        gone = [row for row, change in zip(rows, batch, strict=True) if change.action == "delete"]
        puts = [row for row, change in zip(rows, batch, strict=True) if change.action == "put"] if gone else rows
        try:
            with self._session.transaction() as connection:
                if puts:
                    new = all(change.their_id is None for change in batch)
                    upsert(connection, self.tables[schema], puts, new=new)
                if gone:
                    remove(connection, self.tables[schema], gone)
        except RowsRefused as error:
            hint = f"the database says {error.kind}"
            raise Refused("refused-by-database", field=error.column, hint=hint) from None
        return list(map(Receipt, keys))


def connector(path: Path) -> type[DatabaseConnector]:
    """The class a declaration describes. Raises SettingsError with the file and line that is wrong."""
    told = declaration(path)
    title, metadata = told.title, MetaData()
    tables = {schema: DeclaredTable(each, metadata) for schema, each in told.schemas.items()}
    reads = {schema: each.reads for schema, each in tables.items() if each.reads}
    writes = {schema: each.writes for schema, each in tables.items() if each.writes}
    can = {"read": reads, "decode": reads, "write": writes}
    return type(
        path.parent.name.title().replace("_", ""),
        (DatabaseConnector,),
        {
            "__module__": __name__,
            "__doc__": title,
            "title": title,
            "reads": reads,
            "writes": writes,
            "tables": tables,
            "metadata": metadata,
            # the methods of what it does not do are those of a connector that never said so
            **{name: getattr(Connector, name) for name, able in can.items() if not able},
        },
    )
