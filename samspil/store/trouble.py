"""What the database says that went wrong, as one of our errors: what can be tried again, and what a person must mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DatabaseError, DBAPIError

from samspil.errors import AccessError, SettingsError, Unavailable

_DENIED = "42501"  # PostgreSQL's insufficient_privilege, also for a row that row-level security refuses
_ENDED = "25P03"  # its idle_in_transaction_session_timeout


@contextmanager
def answering(driver: Any) -> Iterator[None]:
    """Raises Unavailable, AccessError or SettingsError; what is none of these stays the mistake in the program it is.

    ``driver`` is the module whose errors COPY raises; all other statements raise SQLAlchemy's around them.
    """
    try:
        yield
    except (DatabaseError, driver.DatabaseError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        state = getattr(cause, "sqlstate", "")
        if isinstance(cause, driver.IntegrityError):
            raise Unavailable("another process wrote the same", system="store", reason="store-conflict") from error
        if state == _ENDED:
            raise Unavailable("this process stood still for too long: others went on", system="store") from error
        if isinstance(cause, driver.OperationalError):
            raise Unavailable(f"the store does not answer ({_kind(cause)})", system="store") from error
        if state == _DENIED:
            raise AccessError(
                "the database refuses this to its role, which is another municipality's or may only read, or the "
                "tables are not there yet; their owner can tell: samspil store roles, samspil store separate",
                system="store",
            ) from None
        if "is not a database" in str(cause):
            raise SettingsError("the file is not an SQLite database", field="SAMSPIL_STORE") from None
        if isinstance(cause, driver.ProgrammingError) and "connection option" in str(cause):
            raise SettingsError(
                "its URL has an option that PostgreSQL's client does not know", field="SAMSPIL_STORE"
            ) from None
        raise


def _kind(cause: BaseException) -> str:
    """In a word that quotes nothing: SQLite's own name of it, such as SQLITE_FULL, says what to do."""
    return getattr(cause, "sqlite_errorname", None) or type(cause).__name__
