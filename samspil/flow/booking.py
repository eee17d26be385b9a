"""Changes on their way to the store: persons are met and rows written while the next changes are read and mapped.

By threads of this process, or by its helper once there is one and as far as it knows enough: of records that were sent
before, what the target has is opened here. One writes at a time: who looks at consents by their numbers must not find
a higher one first.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from samspil.flow.background import Background
from samspil.flow.beside import Beside
from samspil.flow.changes import Changes
from samspil.flow.draft import Draft


class Booking:
    """A context manager: what a run plans, some changes at a time. Leaving waits for what is under way."""

    def __init__(self, draft: Draft) -> None:
        store = draft.hub.store
        self._draft = draft
        self._writing = Background(store, "plan", durable=False)
        self._meeting = Background(store, "persons", durable=False)
        self._beside = Beside(draft.hub.helper, store, draft.flow)
        self._last: Changes | None = None
        self._handed_over = False  # whether the last are the helper's

    def take(self, changes: Changes) -> None:
        """Have the persons of these met, and meanwhile decide the ones before and have them written."""
        self.finish()
        self._handed_over = changes.all_new and self._helped(self._draft.planned + len(changes))
        if self._handed_over:
            self._beside.meet(*changes.persons())
        else:
            self._meeting.write(changes.fetch_persons)  # while the next rows are compared and mapped
        self._last = changes

    def _helped(self, records: int) -> bool:
        self._beside.wanted(records)
        return self._beside.ready

    def finish(self) -> None:
        """Decide the last ones, and have them written."""
        changes, self._last = self._last, None
        if changes is None:
            return
        if self._handed_over:
            changes.met(self._beside.wait())
            changes.decide()
            self._writing.wait()
            self._beside.plan(changes.decided())
        else:
            self._meeting.wait()
            self._writing.wait()  # deciding may fetch persons once more, and those being written must stay at hand
            changes.decide()
            self._beside.wait()
            self._writing.write(changes.write)

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            for each in (self._beside, self._writing, self._meeting):
                undo.enter_context(each)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()
