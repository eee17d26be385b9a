"""What a ``connector.yaml`` of kind ``database`` may say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from sqlalchemy import Boolean, Column, MetaData, Table

from samspil.connector import Field, Reads, Writes
from samspil.declared.database import columns
from samspil.declared.part import part
from samspil.yamlfile import YamlFile

NEVER: Final = "never"

Name = Annotated[str, Meta(pattern="^[A-Za-zÆØÅæøå_][A-Za-zÆØÅæøå0-9_]*$", max_length=63)]
Place = Annotated[str, Meta(pattern=r"^([A-Za-zÆØÅæøå0-9_]+\.)?[A-Za-zÆØÅæøå0-9_]+$", max_length=127)]


class Read(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``{}`` reads the whole table every time. With ``updated``, the column of the last change, only what changed.

    ``overlap``: seconds read again, for what is committed late. ``deleted``: a boolean column, or ``never`` if rows
    never go; without ``updated``, rows so marked are as good as gone.
    """

    updated: Name | None = None
    overlap: Annotated[int, Meta(ge=0, le=7 * 86_400)] = 3600
    deleted: Name | None = None


class Write(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``batch``: rows in one transaction; more are hardly faster and take more memory."""

    batch: Annotated[int, Meta(ge=1, le=10_000)] = 1_000


class Told(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table, with its schema in the database before a dot where it has one.

    ``columns``: column → ``text``, ``integer``, ``decimal``, ``number``, ``boolean``, ``date``, ``timestamp`` or
    ``bytes``, with ``!`` where a value is required; a list of records (in a JSON column) by one example.
    """

    table: Place
    key: Annotated[list[Name], Meta(min_length=1)]
    columns: Annotated[dict[Name, str | list[Any]], Meta(min_length=1)]
    read: Read | UnsetType = UNSET
    write: Write | UnsetType = UNSET


class Declaration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tables by the shared schema they carry."""

    kind: Literal["database"]
    title: str
    tables: Annotated[dict[str, Any], Meta(min_length=1)]  # Told, each read by itself for its errors' sake


class DeclaredTable:
    """A table ready to use. ``names`` are the record's columns; ``updated`` and ``deleted`` are beside them."""

    def __init__(self, told: Told, metadata: MetaData) -> None:
        self.told = told
        self.names = list(told.columns)
        schema, _, name = told.table.rpartition(".")
        reading = told.read or Read()
        beside: list[Column[Any]] = []
        if reading.updated and reading.updated not in told.columns:
            beside.append(Column(reading.updated, columns.Moment(), nullable=False))
        if reading.deleted not in (None, NEVER, *told.columns):
            beside.append(Column(reading.deleted, Boolean(), nullable=False))
        made = [columns.column(each, kind, key=each in told.key) for each, kind in told.columns.items()]
        self.table = Table(name, metadata, *made, *beside, schema=schema or None)
        self.fields: Mapping[str, Field] = dict(columns.paths(told.columns))
        self.kinds = {each: columns.kind_of(kind) for each, kind in told.columns.items()}
        self.updated = self.table.c[reading.updated] if reading.updated else None
        self.deleted = self.table.c[reading.deleted] if reading.deleted not in (None, NEVER) else None
        self.overlap = reading.overlap

    @property
    def kinds_beside(self) -> Mapping[str, str]:
        """The kinds of all columns, those beside the record too."""
        beside = {self.updated.name: "timestamp"} if self.updated is not None else {}
        flag = {self.deleted.name: "boolean"} if self.deleted is not None else {}
        return {**beside, **flag, **self.kinds}

    @property
    def reads(self) -> Reads | None:
        if not self.told.read:
            return None
        return Reads(self.told.table, "incremental" if self.told.read.updated else "snapshot")

    @property
    def writes(self) -> Writes | None:
        return Writes(self.told.table, batch=self.told.write.batch, idempotency="id") if self.told.write else None


def declaration(path: Path) -> tuple[str, Mapping[str, Told]]:
    """Title and tables of a declaration. Raises SettingsError with file, line and field."""
    file = YamlFile(path, Declaration)
    tables = {schema: part(file, raw, Told, at=f"tables.{schema}") for schema, raw in file.value.tables.items()}
    for schema, told in tables.items():
        _require_sense(file, told, f"tables.{schema}")
    return file.value.title, tables


def _require_sense(file: YamlFile[Declaration], told: Told, at: str) -> None:
    for name, kind in told.columns.items():
        try:
            dict(columns.paths({name: kind}))
        except ValueError as error:
            raise file.error(str(error), at=f"{at}.columns.{name}") from None
    for name in told.key:
        if name not in told.columns:
            raise file.error(f"{name} is none of the columns", at=f"{at}.key")
        if isinstance(told.columns[name], list):
            raise file.error(f"{name} is a list", at=f"{at}.key")
    if told.read is UNSET and told.write is UNSET:
        raise file.error("is neither read nor written: say read: {} or write: {}", at=at)
    if told.read and told.read.updated and not told.read.deleted:
        raise file.error(f"with updated, say what marks a deleted row, or deleted: {NEVER}", at=f"{at}.read")
    if told.read and told.write and (told.read.updated or told.read.deleted):
        raise file.error("a table with updated or deleted is somebody else's to write", at=f"{at}.write")
    _require_kind(file, told, at)


def _require_kind(file: YamlFile[Declaration], told: Told, at: str) -> None:
    """A control column that is a field of the record too is of the kind it must be."""
    reading = told.read or Read()
    for word, name, kind in (("updated", reading.updated, "timestamp"), ("deleted", reading.deleted, "boolean")):
        if name in told.columns and columns.kind_of(told.columns[name]) != kind:
            raise file.error(f"the column is no {kind}", at=f"{at}.read.{word}")
