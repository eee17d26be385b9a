"""Points: every moment of a run at which something can happen, counted, with a name each.

There is one before and after each statement to the store, before each begin and commit, around each bulk write, each
call over HTTP and each step, and so one between any two writes or calls. Threads of the run are counted together.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from samspil.http import Session
from samspil.store import bulk

Act = Callable[[str], None]

_WORDS = re.compile(
    r"\s*(?:WITH\b.*?\b(?=SELECT))?"
    r"(SELECT(?: count)?|INSERT(?: OR REPLACE)? INTO|UPDATE|DELETE FROM|CREATE \w+(?: \w+)?|DROP \w+|SET|PRAGMA|BEGIN\b|\w+)"
    r"(?:\b.*?\bFROM\b)?\s*([\w.\"]*)",
    re.DOTALL,
)


class Points:
    """Counts from 1 on and does ``act`` at the n-th. ``at`` 0: only counts."""

    def __init__(self, at: int, act: Act) -> None:
        self.count = 0
        self._at, self._act = at, act
        self._lock = threading.Lock()

    def here(self, name: str) -> None:
        """One more."""
        with self._lock:
            self.count += 1
            now = self.count == self._at
        if now:
            self._act(name)

    def watch(self) -> None:
        """Count in this process from now on, until it ends."""
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)
        event.listen(Engine, "begin", lambda _: self.here("before BEGIN"))
        event.listen(Engine, "commit", lambda _: self.here("before COMMIT"))
        self._around(bulk, "_copy", lambda arguments: f"COPY {arguments[1]}")
        self._around(Session, "_once", lambda arguments: f"{arguments[1]} {_path(arguments[2])}")

    def _before(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.here(f"before {_named(statement)}")

    def _after(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.here(f"after {_named(statement)}")

    def _around(self, owner: Any, name: str, called: Callable[[tuple[Any, ...]], str]) -> None:
        real = getattr(owner, name)

        def watched(*arguments: Any, **more: Any) -> Any:
            self.here(f"before {called(arguments)}")
            result = real(*arguments, **more)
            self.here(f"after {called(arguments)}")
            return result

        setattr(owner, name, watched)


def _named(statement: str) -> str:
    """The first words of a statement: what it does, and to which table."""
    found = _WORDS.match(statement)
    return " ".join(filter(None, found.groups())) if found else "a statement"


def _path(url: str) -> str:
    path = url.partition("://")[2].partition("/")[2].partition("?")[0]
    return "/" + re.sub(r"O\d+$", "{id}", path)
