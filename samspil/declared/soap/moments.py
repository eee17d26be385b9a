"""When a list was last read, by the system's own clock: the cursor of an incremental read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from samspil.declared.soap.declaration import Incremental
from samspil.errors import SettingsError
from samspil.mapping.dates import DENMARK

_ENDLESS = datetime(2200, 1, 1, tzinfo=UTC)  # a moment after this says "for ever", which is no time of a change
_REPEATED = timedelta(hours=1)  # when summer time ends, a clock without offset shows an hour twice


class Latest:
    """The latest moment seen while a list is read; ``cursor`` is where the next read may start, None if nobody knows."""

    def __init__(self, told: Incremental, before: str | None) -> None:
        self._told, self._moment, self.cursor = told, _moment(before or ""), before
        self._clocked = False

    def see(self, raws: Sequence[bytes], clock: str, prefix: str) -> None:
        """Take note of a page: the clock of the first one, or every record's ``changed``."""
        if self._told.clock:
            if not self._clocked and _moment(clock) is not None:
                self.cursor, self._clocked = clock, True
            return
        name = re.escape(f"{prefix}:" if prefix else "") + re.escape(self._told.changed.rpartition(".")[2])
        pattern = re.compile(rf"<{name}>\s*([^<]*?)\s*</{name}>".encode())
        for raw in raws:
            for match in pattern.findall(raw):
                self._later(match.decode(errors="replace"))

    def _later(self, text: str) -> None:
        moment = _moment(text)
        if moment is not None and moment < _ENDLESS and (self._moment is None or moment > self._moment):
            self._moment, self.cursor = moment, text


def asked(told: Incremental, cursor: str) -> str:
    """The moment to ask from: the cursor's less the overlap. Raises SettingsError if it is none of ours."""
    if _moment(cursor) is None:
        raise SettingsError("is not a cursor of this list", field="cursor")
    moment = datetime.fromisoformat(cursor)
    overlap = timedelta(seconds=told.overlap)
    return (moment - (overlap if moment.tzinfo else overlap + _REPEATED)).isoformat()


def _moment(text: str) -> datetime | None:
    """A moment that can be compared; one without offset is Danish time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=DENMARK)
