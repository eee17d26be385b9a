"""Changing the master key while everything runs: keys are wrapped anew, what they seal stays as it is.

First give every worker both versions (``1:…,2:…``): from then on new keys are wrapped under the newer. Then rotate.
Then take the older away. A batch is one transaction and finds out by itself what is left, so a rotation that was
killed is simply started again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag

from samspil.errors import SamspilError
from samspil.store import keys, persons

if TYPE_CHECKING:
    from samspil.hub import Hub
    from samspil.store.persons import Person
    from samspil.vault.vault import Vault

_BATCH = 1_000


class Standing(NamedTuple):
    """Which versions of the master key are needed: by the municipality's root, and by how many persons' keys."""

    newest: int
    roots: Sequence[int]
    persons: Mapping[int, int]


def standing(hub: Hub) -> Standing:
    """Count what is wrapped under which version."""
    code = hub.vault.municipality
    with hub.store.transaction() as connection:
        roots = sorted(keys.wrapped_roots(connection, code))
        return Standing(hub.vault.master.newest, roots, persons.by_version(connection, code))


def rotate(hub: Hub, *, who: str, done: Callable[[int], None] = lambda _: None) -> int:
    """Wrap every older key under the newest master key and forget the older roots; how many persons' keys it was.

    ``done`` is told how many so far. Raises SettingsError when a version that is needed is not given.
    """
    vault, count = hub.vault, 0
    newest = vault.master.newest
    while True:
        after: bytes | None = b""
        while after is not None:
            with hub.store.transaction() as connection:
                found = persons.some(connection, vault.municipality, after=after, limit=_BATCH, older_than=newest)
                if found:
                    persons.rewrap(connection, vault.municipality, newest, _rewrapped(vault, found))
            count += len(found)
            after = found[-1].person if found else None
            done(count)
        with hub.store.transaction() as connection:  # whoever makes a key under an old version has its root locked
            keys.lock(connection, vault.municipality)
            left = persons.some(connection, vault.municipality, after=b"", limit=1, older_than=newest)
            if not left:
                if keys.retire(connection, vault.municipality, newest) or count:
                    context = {"what": "rotate", "version": newest, "persons": count, "who": who}
                    hub.ledger.append(connection, context, ())
                return count


def require_open(hub: Hub) -> int:
    """Open every person's key; how many. Raises SamspilError (sealed-payload) when some do not."""
    good = bad = 0
    for row in _every(hub):
        try:
            _opened(hub.vault, row)
            good += 1
        except InvalidTag:
            bad += 1
    if bad:
        raise SamspilError(
            f"{bad} of {good + bad} persons' keys do not open: rows of table persons were changed; restore them from a "
            "backup",
            reason="sealed-payload",
        )
    return good


def _every(hub: Hub) -> Iterator[Person]:
    after = b""
    while True:
        with hub.store.transaction() as connection:
            found = persons.some(connection, hub.vault.municipality, after=after, limit=_BATCH)
        if not found:
            return
        yield from found
        after = found[-1].person


def _rewrapped(vault: Vault, rows: Sequence[Person]) -> Sequence[tuple[bytes, int, bytes]]:
    try:
        opened = [_opened(vault, row) for row in rows]
    except InvalidTag:
        raise SamspilError(
            "a person's key does not open, so nothing more was changed: samspil keys check", reason="sealed-payload"
        ) from None
    wrapped = vault.wrap(opened, "persons", [row.person + row.handle for row in rows])
    return [(row.person, row.version, one) for row, one in zip(rows, wrapped, strict=True)]


def _opened(vault: Vault, row: Person) -> bytes:
    return vault.unwrap([(row.wrapped or b"", row.version)], "persons", [row.person + row.handle])[0]
