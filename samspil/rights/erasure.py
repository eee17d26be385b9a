"""Erasing a person: the key, every row, and the way back in.

What was sent is not ours any more: each system that received it is a controller of its own, with its own duty to keep
or to erase, so nothing is deleted there. The command says which those are, and GDPR article 19 asks that they be told.
After it the hub no longer knows those records: a change or deletion at the source does not reach the target any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from samspil.errors import SamspilError
from samspil.rights.finding import entries_mentioning, find
from samspil.store import erasure, lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from samspil.hub import Hub


class Erased(NamedTuple):
    """What was destroyed. ``told`` are the systems that have data of the person, with what it was sent on."""

    handle: str
    rows: erasure.Rows
    told: Mapping[str, str]  # system → legal basis


def erase(hub: Hub, number: str, *, who: str, why: str, done: Callable[[int], None] = lambda _: None) -> Erased:
    """Erase the person of a CPR number and never take that person in again.

    Raises Unavailable (flow-busy) while a flow of the municipality runs: then nothing was done. Raises SamspilError
    (erased-already) if there is nothing left to do.
    """
    person = hub.vault.digest("person")(number.encode())
    with stillness(hub) as flows:
        found = find(hub, number, done)
        if found.erased and not found.held:
            raise SamspilError("this person was erased before and nothing has come since", reason="erased-already")
        told = {event.context["to"]: event.context["legal_basis"] for event in found.events if event.sent}
        with hub.store.transaction() as connection:
            erasure.overwrite(connection)
            broken = [entry.id for entry in entries_mentioning(hub, connection, flows, number)]
            erasure.choose(connection, flows, [person])
            rows = erasure.destroy(connection, flows, set(broken) - erasure.chosen_entries(connection, flows))
            erasure.forget_key(connection, hub.vault.municipality, person)
            context = {"what": "erase", "person": found.handle, "who": who, "why": why, "rows": rows._asdict()}
            hub.ledger.append(connection, context, ())
        hub.persons.forget()
        hub.store.wipe("persons")
    return Erased(found.handle, rows, told)


@contextmanager
def stillness(hub: Hub) -> Iterator[Mapping[int, str]]:
    """All the municipality's flows, and none of them running: one that runs has keys in memory and rows on the way."""
    with hub.store.transaction() as connection:
        flows = erasure.all_flows(connection, hub.vault.municipality)
    with ExitStack() as held:
        for flow in flows:
            held.enter_context(lock.exclusive(hub.store, flow))
        yield flows
