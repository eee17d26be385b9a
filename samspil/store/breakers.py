"""Circuit breakers as all processes see them: one row per account whose last call found its system away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, select, text, update

from samspil.store.tables import breakers


class Away(NamedTuple):
    """A system that was last found away. Times are seconds since 1970, UTC."""

    account: str
    failures: int  # in a row, in whichever process
    since: float  # the first of them
    reason: str
    open_until: float | None  # nobody calls before; None: too few failures for that


def of(connection: Connection, municipality: str, account: str) -> Away | None:
    """How an account's system was last found; None if it answered."""
    return next(iter(_rows(connection, municipality, account)), None)


def away(connection: Connection, municipality: str) -> Sequence[Away]:
    """All of a municipality's systems that were last found away."""
    return _rows(connection, municipality)


def fail(connection: Connection, municipality: str, account: str, reason: str, now: float) -> int:
    """Count one more failure; how many there are in a row."""
    row = {"municipality": municipality, "account": account, "reason": reason, "now": now}
    connection.execute(_FAIL, row)
    found = of(connection, municipality, account)
    return found.failures if found else 0


def shut(connection: Connection, municipality: str, account: str, until: float) -> None:
    """Let nobody call before ``until``, or before what was said earlier, if that is later."""
    latest = breakers.c.open_until.is_(None) | (breakers.c.open_until < until)
    connection.execute(update(breakers).where(*_is(municipality, account), latest).values(open_until=until))


def let_one_through(connection: Connection, municipality: str, account: str, *, was: float, until: float) -> bool:
    """Whether this process is the one to try; for the others it stays shut until the trial is over, or ``until``."""
    query = update(breakers).where(*_is(municipality, account), breakers.c.open_until == was).values(open_until=until)
    return bool(connection.execute(query).rowcount)


def half_open(connection: Connection, municipality: str) -> None:
    """Let the next call to each system that is shut off try, at a person's wish."""
    is_open = breakers.c.open_until.is_not(None)
    connection.execute(update(breakers).where(breakers.c.municipality == municipality, is_open).values(open_until=0.0))


def close(connection: Connection, municipality: str, account: str) -> None:
    """The system has answered."""
    connection.execute(delete(breakers).where(*_is(municipality, account)))


def _is(municipality: str, account: str) -> tuple[ColumnElement[bool], ...]:
    return breakers.c.municipality == municipality, breakers.c.account == account


def _rows(connection: Connection, municipality: str, account: str | None = None) -> Sequence[Away]:
    of = breakers.c
    query = select(of.account, of.failures, of.since, of.reason, of.open_until).where(of.municipality == municipality)
    if account is not None:
        query = query.where(of.account == account)
    return [Away(*row) for row in connection.execute(query.order_by(of.since))]


_FAIL = text(
    """
    INSERT INTO breakers (municipality, account, failures, since, reason, open_until)
    VALUES (:municipality, :account, 1, :now, :reason, NULL)
    ON CONFLICT (municipality, account) DO UPDATE SET failures = breakers.failures + 1, reason = excluded.reason
    """
)
