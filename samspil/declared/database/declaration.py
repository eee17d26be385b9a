"""What a ``connector.yaml`` of kind ``database`` may say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import Boolean, Column, MetaData, Table

from samspil.connector import Field, Reads, Writes
from samspil.declared import incremental
from samspil.declared.closed import Closed, Word, each
from samspil.declared.database import columns
from samspil.declared.incremental import Marked, Never
from samspil.yamlfile import YamlFile

Name = Annotated[str, Meta(pattern=r"^[A-Za-zÆØÅæøå_][A-Za-zÆØÅæøå0-9_]*\Z", max_length=63)]
Place = Annotated[str, Meta(pattern=r"^([A-Za-zÆØÅæøå0-9_]+\.)?[A-Za-zÆØÅæøå0-9_]+\Z", max_length=127)]


class Incremental(incremental.Incremental, frozen=True, kw_only=True):
    """Reading what changed: ``changed`` is the column of the last change, ``gone`` a boolean one; the clock is the database's."""

    changed: Name
    gone: Never | Marked


class Listing(Closed, frozen=True, kw_only=True):
    """``{}`` reads the whole table every time, without the rows that are ``gone``, if a boolean column says so."""

    incremental: Incremental | None = None
    gone: Marked | None = None

    def __post_init__(self) -> None:
        if self.incremental and self.gone:
            raise ValueError("`incremental` has a `gone` of its own")

    @property
    def changed(self) -> str:
        """The column of the last change; empty if the table is read whole."""
        return self.incremental.changed if self.incremental else ""

    @property
    def mark(self) -> str:
        """The column that says of a row that it is deleted; empty if none does."""
        told = self.incremental.gone if self.incremental else self.gone
        return told.field if isinstance(told, Marked) else ""


class Write(Closed, frozen=True, kw_only=True):
    """``batch``: rows in one transaction; more are no faster and take more memory."""

    batch: Annotated[int, Meta(ge=1, le=10_000)] = 1_500


class Told(Closed, frozen=True, kw_only=True):
    """One shared schema: ``record`` is its table, with its schema in the database before a dot where it has one.

    ``columns``: column → ``text``, ``integer``, ``decimal``, ``number``, ``boolean``, ``date``, ``timestamp`` or
    ``bytes``, with ``!`` where a value is required; a list of records (in a JSON column) by one example.
    """

    record: Place
    key: Name | Annotated[tuple[Name, ...], Meta(min_length=1)]
    columns: Annotated[dict[Name, str | list[Any]], Meta(min_length=1)]
    listing: Listing | UnsetType = msgspec.field(name="list", default=UNSET)
    write: Write | UnsetType = UNSET

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of its key."""
        return each(self.key)


class Declaration(Closed, frozen=True, kw_only=True):
    """Tables by the shared schema they carry."""

    kind: Literal["database"]
    title: Word
    schemas: Annotated[dict[str, Told], Meta(min_length=1)]


class DeclaredTable:
    """A table ready to use. ``names`` are the record's columns; ``changed`` and ``gone`` may be beside them."""

    def __init__(self, told: Told, metadata: MetaData) -> None:
        self.told = told
        self.names = list(told.columns)
        schema, _, name = told.record.rpartition(".")
        listing = told.listing or Listing()
        beside: list[Column[Any]] = []
        if listing.changed and listing.changed not in told.columns:
            beside.append(Column(listing.changed, columns.Moment(), nullable=False))
        if listing.mark and listing.mark not in told.columns:
            beside.append(Column(listing.mark, Boolean(), nullable=False))
        made = [columns.column(one, kind, key=one in told.keys) for one, kind in told.columns.items()]
        self.table = Table(name, metadata, *made, *beside, schema=schema or None)
        self.fields: Mapping[str, Field] = dict(columns.paths(told.columns))
        self.kinds = {one: columns.kind_of(kind) for one, kind in told.columns.items()}
        self.changed = self.table.c[listing.changed] if listing.changed else None
        self.gone = self.table.c[listing.mark] if listing.mark else None
        self.overlap = listing.incremental.overlap if listing.incremental else 0

    @property
    def kinds_beside(self) -> Mapping[str, str]:
        """The kinds of all columns, those beside the record too."""
        beside = {self.changed.name: "timestamp"} if self.changed is not None else {}
        flag = {self.gone.name: "boolean"} if self.gone is not None else {}
        return {**beside, **flag, **self.kinds}

    @property
    def reads(self) -> Reads | None:
        if not self.told.listing:
            return None
        return Reads(self.told.record, "incremental" if self.told.listing.incremental else "snapshot")

    @property
    def writes(self) -> Writes | None:
        return Writes(self.told.record, batch=self.told.write.batch, idempotency="id") if self.told.write else None


def declaration(path: Path) -> Declaration:
    """A declaration. Raises SettingsError with file, line and field."""
    file = YamlFile(path, Declaration)
    for schema, told in file.value.schemas.items():
        _require_sense(file, told, f"schemas.{schema}")
    return file.value


def _require_sense(file: YamlFile[Declaration], told: Told, at: str) -> None:
    for name, kind in told.columns.items():
        try:
            dict(columns.paths({name: kind}))
        except ValueError as error:
            raise file.error(str(error), at=f"{at}.columns.{name}") from None
    for name in told.keys:
        if name not in told.columns:
            raise file.error(f"{name} is none of the columns", at=f"{at}.key")
        if isinstance(told.columns[name], list):
            raise file.error(f"{name} is a list", at=f"{at}.key")
    listing = told.listing
    if listing is UNSET and told.write is UNSET:
        raise file.error("needs a `list` to be read or a `write` to be written, such as {}", at=at)
    if listing and told.write and (listing.changed or listing.mark):
        raise file.error("a table that others change or mark is somebody else's to write", at=f"{at}.write")
    if listing:
        _require_kind(file, told, listing, f"{at}.list")


def _require_kind(file: YamlFile[Declaration], told: Told, listing: Listing, at: str) -> None:
    """A control column that is a field of the record too is of the kind it must be."""
    inner = f"{at}.incremental" if listing.incremental else at
    for word, name, kind in (("changed", listing.changed, "timestamp"), ("gone", listing.mark, "boolean")):
        if name in told.columns and columns.kind_of(told.columns[name]) != kind:
            raise file.error(f"the column is no {kind}", at=f"{inner}.{word}")
