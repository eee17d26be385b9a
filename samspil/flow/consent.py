"""A flow's gate: what of a person passes without consent, and what the register learns from the flow's records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
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
        self._merges = flow.two_way is not None  # there nothing held back is sent as it was
        self._digest = hub.vault.digest("consent")
        self._carriers = [hub.number(hub.file.flow(name)) for name in told.carriers]
        self._flow = hub.number(flow)
        self._store = hub.store
        self._subjects: dict[bytes, bool | None] = {}  # of the records last looked up; None: nothing is known
        self._persons: dict[bytes, bool | None] = {}

    def open(self, connection: Connection) -> None:
        """Begin a plan, in a transaction of its own: take back what is pending, look again where consent changed."""
        if not self.carries:
            self.stop(connection)
            consents.look_again(connection, self._flow, self._carriers, held=not self._merges)

    def stop(self, connection: Connection) -> None:
        """Before a delivery: nothing goes of persons who refused after it was planned."""
        if not self.carries:
            refusing = (NEVER, WITHDRAWN) if self._strict else (WITHDRAWN,)
            consents.stop(connection, self._flow, self._carriers, refusing)

    def look(self, records: Iterable[tuple[Any, bytes]]) -> None:
        """Look up the consents that these records (with the persons they are about) depend on; those before are let go.

        In a transaction of its own: the caller may have none open.
        """
        if self.carries:
            return
        named = [(self._subject(ours), person) for ours, person in records]
        self._subjects = dict.fromkeys(subject for subject, _ in named)
        self._persons = dict.fromkeys(person for _, person in named)
        with self._store.transaction() as connection:
            known = consents.find(connection, self._carriers, list(self._subjects), list(self._persons))
        for subject, person, state in known:
            given = state == GIVEN if self._strict else state != WITHDRAWN
            if subject in self._subjects:
                self._subjects[subject] = self._subjects[subject] is not False and given
            if person in self._persons:
                self._persons[person] = self._persons[person] is not False and given

    def note(self, ours: Any, person: bytes) -> Noted | None:
        """What a record says of consent, or what is known of the consent it depends on.

        A record that names the one the consent stands in depends on that one; any other on all of the person's.
        """
        if self.carries:
            if any(getattr(ours, name) not in values for name, values in self._others):
                return None  # not this agreement's
            return Noted(self._digest(ours.id.encode()), person, getattr(ours, self._field))
        subject = self._subject(ours)
        if subject not in self._subjects or person not in self._persons:
            self.look([(ours, person)])
        given = self._subjects[subject]
        if given is None:
            given = self._persons[person]
        return Noted(subject, person, not self._strict if given is None else given)

    def _subject(self, ours: Any) -> bytes:
        """Of the record that the consent stands in; empty if this one names none."""
        name = getattr(ours, self._by) if self._by else None
        return self._digest(name.encode()) if name is not None else b""

    def learnt(self, noted: Sequence[tuple[bytes, Noted]]) -> Sequence[Noted]:
        """Of what was noted of records (by key), the consents that were read."""
        return [note for _, note in noted] if self.carries else ()

    def kept_back(self, noted: Sequence[tuple[bytes, Noted]]) -> Sequence[tuple[bytes, bytes]]:
        """Of what was noted, the records (key, person) that are kept back for want of a consent."""
        return () if self.carries else [(key, note.person) for key, note in noted if not note.given]

    def withheld(self, connection: Connection) -> int:
        """How many of the flow's records are kept back now for want of consent."""
        return 0 if self.carries or self.without else consents.count_withheld(connection, self._flow)

    def keep(self, key: bytes, note: Noted) -> None:
        """Enter what was noted of a single record, at once."""
        with self._store.transaction() as connection:
            consents.learn(connection, self._flow, self.learnt([(key, note)]))
            consents.withhold(connection, self._flow, self.kept_back([(key, note)]))
