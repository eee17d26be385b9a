"""Rows as raw records, streamed: a server-side cursor, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, false, func, or_, select, type_coerce

from samspil.connector import Page, Rejected
from samspil.declared.database.columns import Moment
from samspil.declared.database.declaration import DeclaredTable
from samspil.errors import Refused, SettingsError

_ROWS = 1_000  # of one page
_LARGE_ROWS = 20  # where a column holds bytes


def pages(connection: Connection, declared: DeclaredTable, since: str | None) -> Iterator[Page]:
    """Every row that is not deleted, or with ``since`` those changed after it and the keys of those deleted.

    The last page has the cursor: the newest change seen, but never later than the database's own clock, so that one
    row from the future does not hide all that follow. A row without a key, or one that JSON cannot hold, is rejected.
    """
    newest = start = None if since is None else _moment(since)
    now: datetime = connection.execute(select(type_coerce(func.current_timestamp(), Moment()))).scalar_one()
    rows_at_once = _LARGE_ROWS if "bytes" in declared.kinds.values() else _ROWS
    result = connection.execution_options(stream_results=True, yield_per=rows_at_once).execute(_query(declared, start))
    render = renderer(declared)
    count = len(declared.names)
    with closing(result):
        for rows in result.partitions():
            page = _page(declared, rows, render)
            if declared.changed is not None:
                moments = [row[count] for row in rows if row[count] is not None]
                newest = max([*moments, *([newest] if newest else [])], default=None)
            yield page
    if declared.changed is not None:
        yield Page([], [], cursor=min(newest or now, now).isoformat())


def renderer(declared: DeclaredTable) -> Callable[[Sequence[Any]], bytes]:
    """A function from a row (the record's columns first) to its JSON."""
    names, encode = declared.names, msgspec.json.Encoder().encode

    def render(row: Sequence[Any]) -> bytes:
        return encode({name: value for name, value in zip(names, row, strict=False) if value is not None})

    return render


def _query(declared: DeclaredTable, since: datetime | None) -> Select[Any]:
    columns = [declared.table.c[name] for name in declared.names]
    if declared.changed is not None:
        columns.append(declared.changed)
    query = select(*columns) if declared.gone is None else select(*columns, declared.gone)
    if since is not None and declared.changed is not None:
        after = since - timedelta(seconds=declared.overlap)
        query = query.where(or_(declared.changed >= after, declared.changed.is_(None)))
    elif declared.gone is not None:
        query = query.where(or_(declared.gone == false(), declared.gone.is_(None)))
    return query


def _page(declared: DeclaredTable, rows: Sequence[Any], render: Callable[[Sequence[Any]], bytes]) -> Page:
    raws: list[bytes] = []
    keys: list[bytes] = []
    rejected: list[Rejected] = []
    gone: list[bytes] = []
    where = [declared.names.index(name) for name in declared.told.keys]
    for row in rows:
        try:
            raw = render(row)
            key = key_of([row[n] for n in where])
        except (TypeError, ValueError, msgspec.MsgspecError):
            rejected.append(Rejected(b"", Refused("bad-row", hint="a value that JSON cannot hold")))
            continue
        if not key:
            rejected.append(Rejected(raw, Refused("no-key")))
        elif declared.gone is not None and row[-1]:
            gone.append(key)
        else:
            raws.append(raw)
            keys.append(key)
    return Page(raws, keys, rejected, gone)


def key_of(values: Sequence[Any]) -> bytes:
    """A row's key as bytes: a single value as text, several as a JSON list; empty if any of them is missing."""
    if None in values or "" in values:
        return b""
    if len(values) == 1 and isinstance(values[0], str):
        return values[0].encode()
    encoded = msgspec.json.encode(values)
    return encoded.strip(b'[]"') if len(values) == 1 else encoded


def _moment(since: str) -> datetime:
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SettingsError("the cursor is no moment with an offset", reason="bad-cursor")
    return moment
