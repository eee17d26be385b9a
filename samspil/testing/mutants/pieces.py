"""Mutants of the engine: the guard, the seal, the ledger, the counts, and of a subject's mappings."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import yaml
from sqlalchemy import update

from samspil import flow as steps
from samspil.flow.preview import Preview
from samspil.ledger import Ledger
from samspil.mapping.mapping import Mapping
from samspil.store.tables import flows, runs
from samspil.testing.conformance.subject import Subject
from samspil.testing.mutants.mutant import engine, mapped, swapped, texts
from samspil.vault import Box, Vault


@engine("a_mass_deletion_stops", "a_mass_change_stops")
def guards_nothing() -> AbstractContextManager[Any]:
    """The guard lets every plan go on."""
    return swapped("samspil.flow.objection", lambda *_: None)


@engine("what_is_gone_is_deleted")
def deletes_nothing() -> AbstractContextManager[Any]:
    """Nothing that is gone is ever deleted."""
    return swapped("samspil.flow.planning.plan_deletions", lambda *_: None)


@engine("the_cursor_waits_for_acknowledgement")
@contextmanager
def moves_the_cursor_at_once() -> Iterator[None]:
    """The cursor is moved when the plan is made."""
    plain = steps.plan

    def plan(hub: Any, name: str, key: str) -> int:
        run = plain(hub, name, key)
        with hub.store.transaction() as connection:
            connection.execute(update(flows).values(cursor=runs.c.cursor).where(runs.c.id == run))
        return run

    with patch.object(steps, "plan", plan):
        yield


@engine("a_crashed_delivery_is_resumed")
def forgets_its_keys() -> AbstractContextManager[Any]:
    """A change sent again has another key."""
    return swapped("samspil.flow.pending._uuid", lambda _digest: str(uuid.uuid4()))


@engine("a_dry_run_writes_nothing")
@contextmanager
def tries_in_earnest() -> Iterator[None]:
    """A preview looks whether the target is there."""
    plain = Preview.__iter__

    def look(self: Any) -> Any:
        target = self._flow.target
        target.check()
        schema = self._flow.flow.schema
        raws = [page.raws for page in self._flow.source.read(schema)]
        if not self._flow.flow.target.startswith("other"):
            steps.deliver(self._hub, steps.plan(self._hub, self.name, f"{len(raws)}"))
        return plain(self)

    with patch.object(Preview, "__iter__", look):
        yield


@engine("fields_outside_the_agreement_stay_at_home")
@contextmanager
def sends_every_field() -> Iterator[None]:
    """The agreement's list of fields is overlooked."""
    plain = Mapping.to_theirs

    def to_theirs(self: Any, _fields: Any, **options: Any) -> Any:
        return plain(self, _every(self), **options)

    with patch.object(Mapping, "to_theirs", to_theirs):
        yield


@engine("no_owned_field_is_dropped")
@contextmanager
def drops_a_field() -> Iterator[None]:
    """A field that is mapped is never written."""
    plain = Mapping.to_theirs

    def to_theirs(self: Any, fields: Any, **options: Any) -> Any:
        needed = {
            node.path.split(".")[0].removesuffix("[]")
            for pair in self.resolution.every()
            for node in pair.ours
            if any(one.required for one in pair.theirs)
        }
        return plain(self, [name for name in fields if name in needed], **options)

    with patch.object(Mapping, "to_theirs", to_theirs):
        yield


@engine("the_store_shows_no_person", "the_store_shows_no_person_of_a_target")
@contextmanager
def seals_nothing() -> Iterator[None]:
    """What is stored is stored in hexadecimal."""
    with (
        patch.object(Box, "seal", lambda _self, payload, _row, _person=None: payload.hex().encode()),
        patch.object(Box, "seal_all", lambda _self, payloads, *_: [each.hex().encode() for each in payloads]),
        patch.object(Box, "open", lambda _self, sealed, _row, _person=None: bytes.fromhex(sealed.decode())),
        patch.object(Box, "open_all", lambda _self, sealed, *_: [bytes.fromhex(each.decode()) for each in sealed]),
    ):
        yield


@engine("what_is_held_back_can_be_opened")
@contextmanager
def seals_without_a_place() -> Iterator[None]:
    """A seal fits every row."""
    seal, seal_all, open_all = Box.seal, Box.seal_all, Box.open_all
    with (
        patch.object(Box, "seal", lambda self, payload, _row, person=None: seal(self, payload, b"", person)),
        patch.object(
            Box, "seal_all", lambda self, them, rows, persons: seal_all(self, them, [b""] * len(rows), persons)
        ),
        patch.object(
            Box, "open_all", lambda self, them, rows, persons: open_all(self, them, [b""] * len(rows), persons)
        ),
    ):
        yield


@engine("a_pseudonym_needs_its_key")
def hashes_without_a_key() -> AbstractContextManager[Any]:
    """A pseudonym is a plain hash."""

    def digest(_self: Any, purpose: str, size: int = 16) -> Callable[[bytes], bytes]:
        return lambda data: blake2b(purpose.encode() + data, digest_size=size).digest()

    return patch.object(Vault, "digest", digest)


@engine("the_ledger_verifies")
@contextmanager
def writes_no_entries() -> Iterator[None]:
    """The ledger has no entry for a record, and no purpose."""
    plain = Ledger.append

    def append(self: Any, connection: Any, context: Any, _entries: Any) -> None:
        plain(self, connection, {name: text for name, text in context.items() if name != "purpose"}, ())

    with patch.object(Ledger, "append", append):
        yield


@engine("a_changed_ledger_is_found")
def believes_the_ledger() -> AbstractContextManager[Any]:
    """Every ledger verifies."""
    return swapped("samspil.ledger.verify", lambda *_: 1_000)


@engine("what_is_held_back_is_counted_and_kept")
def keeps_no_quarantine() -> AbstractContextManager[Any]:
    """What is held back is kept nowhere."""
    return swapped("samspil.store.quarantine.add", lambda *_: None)


@engine("a_damaged_record_is_held_back_alone", "what_is_held_back_is_counted_and_kept")
@contextmanager
def takes_broken_records() -> Iterator[None]:
    """A record that does not fit is mended by leaving out what is wrong."""
    plain = Mapping.to_ours

    def to_ours(self: Any) -> Any:
        mapped_as = plain.func(self) if hasattr(plain, "func") else plain.fget(self)  # type: ignore[attr-defined]
        good: list[Any] = []

        def mended(record: Any) -> Any:
            try:
                good.append(mapped_as(record))
            except Exception:
                if not good:
                    raise
                ids = [value for value in record.values() if isinstance(value, str)]
                return msgspec.structs.replace(good[0], id=ids[0])
            return good[-1]

        return mended

    with patch.object(Mapping, "to_ours", property(to_ours)):
        yield


@mapped("every_field_is_mapped_or_lost")
def forgets_a_field(subject: Subject) -> AbstractContextManager[Path]:
    """A field of the contract is in no mapping."""
    return _changed(subject, lambda document: {**document, "rows": document["rows"][:-1], "lost": []})


@engine("both_ways_speak_one_language")
@contextmanager
def shortens_on_the_way_out() -> Iterator[None]:
    """Texts are cut when they are written."""
    plain = Mapping.to_theirs

    def to_theirs(self: Any, fields: Any, **options: Any) -> Any:
        written = plain(self, fields, **options)
        return lambda ours: texts(written(ours), lambda text: text[:10])

    with patch.object(Mapping, "to_theirs", to_theirs):
        yield


@contextmanager
def _changed(subject: Subject, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kit-mutant-") as folder:
        own = Path(folder, subject.name)
        shutil.copytree(subject.mappings / subject.name, own)
        for file in own.glob("*.yaml"):
            document = yaml.safe_load(file.read_text(encoding="utf-8"))
            file.write_text(yaml.safe_dump(change(document), allow_unicode=True), encoding="utf-8")
        yield Path(folder)


def _every(loaded: Any) -> list[str]:
    return sorted(
        {node.path.split(".")[0].removesuffix("[]") for pair in loaded.resolution.every() for node in pair.ours}
    )
