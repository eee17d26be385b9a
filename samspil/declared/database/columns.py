"""What a declared column is: to people, in a table, in Python and in a record's JSON.

A record's JSON is the same for the same row, whichever database it lies in: a decimal is text without trailing zeros,
a moment is in UTC, bytes are base64, and what is NULL is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import msgspec
from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, DateTime, Double, LargeBinary, Numeric, Text
from sqlalchemy import types as sql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from samspil.connector import Field

_SPELLING = re.compile("(text|integer|decimal|number|boolean|date|timestamp|bytes)(!?)")


class Exact(TypeDecorator[Decimal]):
    """A decimal; on a database without any (SQLite), the shortest decimal of its floating-point number."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.supports_native_decimal:
            return dialect.type_descriptor(Numeric())
        return dialect.type_descriptor(Numeric(asdecimal=False))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.supports_native_decimal else float(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        exact = value if dialect.supports_native_decimal else Decimal(repr(value))
        return Decimal(format(exact.normalize(), "f")) if exact.is_finite() else exact


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; a database without zones (SQLite, MySQL) holds it as UTC without saying so."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name in ZONELESS else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - its own signature
        if value is None:
            return None
        moment: datetime = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return moment


ZONELESS = frozenset({"sqlite", "mysql", "mariadb"})


class Kind(NamedTuple):
    """``made`` is the type a new column gets, ``read_as`` the values, ``fits`` the types of a live one."""

    made: TypeEngine[Any]
    python: Any
    fits: tuple[type[TypeEngine[Any]], ...]


KINDS: Mapping[str, Kind] = {
    "text": Kind(Text(), str, (sql.String,)),
    "integer": Kind(BigInteger(), int, (sql.Integer,)),
    "decimal": Kind(Exact(), Decimal, (sql.Numeric, sql.Integer)),
    "number": Kind(Double(), float, (sql.Numeric, sql.Float, sql.Integer)),
    "boolean": Kind(Boolean(), bool, (sql.Boolean,)),
    "date": Kind(Date(), date, (sql.Date,)),
    "timestamp": Kind(Moment(), Annotated[datetime, msgspec.Meta(tz=True)], (sql.DateTime,)),
    "bytes": Kind(LargeBinary(), bytes, (sql.LargeBinary,)),
    "list": Kind(JSON(), msgspec.Raw, (sql.JSON,)),
}


def kind_of(told: object) -> str:
    """The kind's name. Raises ValueError if there is no such kind, as of what stands within a list's example."""
    if isinstance(told, list):
        return "list"
    found = _SPELLING.fullmatch(told) if isinstance(told, str) else None
    if found is None:
        raise ValueError(f"is none of: {', '.join(name for name in KINDS if name != 'list')} (with ! where required)")
    return found[1]


def is_required(told: str | list[Any]) -> bool:
    return isinstance(told, str) and told.endswith("!")


def column(name: str, told: str | list[Any], *, key: bool = False) -> Column[Any]:
    """The column as SQLAlchemy has it."""
    return Column(name, KINDS[kind_of(told)].made, primary_key=key, nullable=not (key or is_required(told)))


def paths(columns: Mapping[Any, Any], before: str = "") -> Iterator[tuple[str, Field]]:
    """Every field of a row by dotted path, ``[]`` after a list. Raises ValueError at a kind there is not."""
    for name, told in columns.items():
        if not isinstance(name, str):
            raise ValueError("a column's name is text")  # noqa: TRY004 - a file says it, not a program
        if isinstance(told, list):
            if len(told) != 1 or not isinstance(told[0], dict):
                raise ValueError(f"{name}: a list has one example of its elements, with their fields")
            yield from paths(told[0], f"{before}{name}[].")
        else:
            try:
                kind_of(told)
            except ValueError as error:
                raise ValueError(f"{name} {error}") from None
            yield before + name, Field(required=is_required(told))
