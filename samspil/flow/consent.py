"""A flow's gate: what of a person passes without consent, and what the register learns from the flow's records."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection

from samspil.agreement import Flow
from samspil.store import consents
from samspil.store.consents import GIVEN, NEVER, WITHDRAWN

if TYPE_CHECKING:
    from samspil.hub import Hub


class Noted(NamedTuple):
    """One record's consent: of the record it hangs on (``subject``, a keyed digest) and the person."""

    subject: bytes
    person: bytes
    given: bool


class Gate:
    """One flow's dependence on consent, as its agreement has it. ``carries``: its own records say who consents."""

    def __init__(self, hub: Hub, flow: Flow, fields: Collection[str]) -> None:
        told = flow.consent
        assert told is not None  # noqa: S101  # only a flow that depends on consent has a gate
        self.carries, self.without = told.carries, told.without
        self._field, self._by = told.field, told.by if told.by in fields else None
        self._others = [(name, frozenset(values)) for name, values in flow.only.items() if name != told.field]
        self._strict = told.strict
        self._digest = hub.vault.digest("consent")
        self._carriers = [hub.number(hub.file.flow(name)) for name in told.carriers]
        self._flow = hub.number(flow)
        self._subjects: dict[bytes, bool] = {}
        self._persons: dict[bytes, bool] | None = None
        self._store = hub.store

    def open(self, connection: Connection) -> None:
        """Begin a plan, in a transaction of its own: take back what is pending, look again where consent changed."""
        if not self.carries:
            self.stop(connection)
            consents.look_again(connection, self._flow, self._carriers)
        self.load(connection)

    def stop(self, connection: Connection) -> None:
        """Before a delivery: nothing goes of persons who refused after it was planned."""
        if not self.carries:
            refusing = (NEVER, WITHDRAWN) if self._strict else (WITHDRAWN,)
            consents.stop(connection, self._flow, self._carriers, refusing)

    def load(self, connection: Connection) -> None:
        """Take in what the register knows now."""
        self._subjects, self._persons = {}, {}
        if self.carries:
            return
        for subject, person, state in consents.load(connection, self._carriers):
            given = state == GIVEN if self._strict else state != WITHDRAWN
            self._subjects[subject] = given
            self._persons[person] = self._persons.get(person, True) and given

    def note(self, ours: Any, person: bytes) -> Noted | None:
        """What a record says of consent, or what is known of the consent it depends on.

        A record that names the one the consent stands in depends on that one; any other on all of the person's.
        """
        if self.carries:
            if any(getattr(ours, name) not in values for name, values in self._others):
                return None  # not this agreement's
            return Noted(self._digest(ours.id.encode()), person, getattr(ours, self._field))
        if self._persons is None:
            with self._store.transaction() as connection:
                self.load(connection)
        name = getattr(ours, self._by) if self._by else None
        subject = self._digest(name.encode()) if name is not None else b""
        given = self._subjects.get(subject)
        if given is None:
            given = (self._persons or {}).get(person, not self._strict)
        return Noted(subject, person, given)

    def write(self, connection: Connection, noted: Sequence[tuple[bytes, Noted]]) -> None:
        """Keep what was noted of records (by key): consents read, or records kept back for want of one."""
        if self.carries:
            consents.learn(connection, self._flow, [note for _, note in noted])
        else:
            consents.withhold(connection, self._flow, [(key, note.person) for key, note in noted if not note.given])

    def withheld(self, connection: Connection) -> int:
        """How many of the flow's records are kept back now for want of consent."""
        return 0 if self.carries or self.without else consents.count_withheld(connection, self._flow)

    def keep(self, key: bytes, note: Noted) -> None:
        """The same of a single record, at once."""
        with self._store.transaction() as connection:
            self.write(connection, [(key, note)])
