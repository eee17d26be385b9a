"""Circuit breaker (afbryder): a system that is away is left alone for a while, by every process and flow alike.

::

    closed ──3 failures in a row, or a Retry-After──▶ open ──the pause is over──▶ half-open: one call goes through
       ▲                                               ▲                              │ fails          │ answers
       │                                               └──────────────────────────────┘                │
       └───────────────────────────────────────────────────────────────────────────────────────────────┘

The state is in the store, so that tasks of other flows and on other machines see it. A failure is a whole call of the
connector that raised Unavailable, after what the session tried again at once. An account's rate is shared likewise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

from samspil.connector import Connector, Page
from samspil.errors import SamspilError, Unavailable
from samspil.pace import turns
from samspil.store import breakers, paces

if TYPE_CHECKING:
    from samspil.store import Store

OPEN = "circuit-open"  # the reason of a call that was not made
FAILURES = 3  # in a row
PAUSE = 600.0  # seconds: longer than a restart; a night has room for several
LONGEST = 24 * 3600.0  # seconds: a clock that was set back must not shut a system off for good
_FRESH = 5.0  # seconds in which what was read of the store is believed: a delivery calls many times a second


class Breaker:
    """One account's breaker, as this process sees it. ``system`` is its name in messages."""

    def __init__(self, store: Store, municipality: str, account: str, system: str) -> None:
        self._store, self._municipality, self._account, self._system = store, municipality, account, system
        self._admitted = self._closed = -_FRESH

    def guard(self, connector: Connector) -> Connector:
        """The same connector, its calls behind this breaker from now on."""
        for name in ("check", "write", "fetch", "settled"):
            setattr(connector, name, self._around(getattr(connector, name)))
        setattr(connector, "read", self._reading(connector.read))  # noqa: B010  # mypy takes methods for constants
        return connector

    def _around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def called(*arguments: Any, **named: Any) -> Any:
            self.admit()
            shared = turns.set(self._reserve)
            try:
                result = call(*arguments, **named)
            except Unavailable as error:
                self.failed(error)
                raise
            except SamspilError:  # it has answered, if only to turn us away
                self.answered()
                raise
            finally:
                turns.reset(shared)
            self.answered()
            return result

        return called

    def _reading(self, read: Callable[..., Iterator[Page]]) -> Callable[..., Iterator[Page]]:
        @wraps(read)
        def reading(*arguments: Any, **named: Any) -> Iterator[Page]:
            self.admit()
            pages, end = read(*arguments, **named), object()
            while True:
                shared = turns.set(self._reserve)  # not while who reads the pages is at work with one
                try:
                    page: Any = next(pages, end)
                except Unavailable as error:
                    self.failed(error)
                    raise
                except SamspilError:
                    self.answered()
                    raise
                finally:
                    turns.reset(shared)
                if page is end:
                    break
                yield page
            self.answered()  # not before its end: a source that always breaks off does not answer

        return reading

    def admit(self) -> None:
        """Before a call. Raises Unavailable (circuit-open) with the seconds left when it may not be made."""
        if time.monotonic() - self._admitted < _FRESH:
            return
        now = time.time()
        with self._store.transaction() as connection:
            away = breakers.of(connection, self._municipality, self._account)
            if away is not None and away.open_until is not None:
                if now < away.open_until <= now + LONGEST:
                    raise self._open(away, away.open_until - now)
                if not breakers.let_one_through(
                    connection, self._municipality, self._account, was=away.open_until, until=now + PAUSE
                ):
                    raise self._open(away, PAUSE)
        self._admitted = time.monotonic()

    def answered(self) -> None:
        """After a call that was answered."""
        if time.monotonic() - self._closed < _FRESH:
            return
        with self._store.transaction() as connection:
            breakers.close(connection, self._municipality, self._account)
        self._closed = time.monotonic()

    def failed(self, error: Unavailable) -> None:
        """After a call that found the system away."""
        self._admitted = self._closed = -_FRESH
        now, wish = time.time(), min(max(error.retry_after or 0.0, 0.0), LONGEST)
        with self._store.transaction() as connection:
            failures = breakers.fail(connection, self._municipality, self._account, error.reason, now)
            if wish or failures >= FAILURES:
                pause = max(wish, PAUSE if failures >= FAILURES else 0.0)
                breakers.shut(connection, self._municipality, self._account, now + pause)

    def _reserve(self, seconds: float) -> float:
        """The account's next free time, for a rate that all processes keep together."""
        with self._store.transaction() as connection:
            return paces.reserve(connection, self._municipality, self._account, seconds, time.time())

    def _open(self, away: breakers.Away, left: float) -> Unavailable:
        found = f"was away {away.failures} times in a row ({away.reason}), so it is left alone for {left / 60:.0f} min"
        return Unavailable(found, system=self._system, reason=OPEN, retry_after=max(left, 1.0))
