"""Rotation: a recipient's new key, and the one file that tells it which old pseudonym is which new one."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from samspil.agreement.pseudonyms import Pseudonyms
from samspil.errors import Refused, SamspilError, SettingsError
from samspil.flow.compiled import CompiledFlow
from samspil.pseudonym import pseudonyms
from samspil.store import outbox, rotations

if TYPE_CHECKING:
    from samspil.hub import Hub


def write_mapping(hub: Hub, recipient: str, out: Path, *, who: str, why: str) -> int:
    """Write the file (CSV: old, new; readable by its owner only) and return how many pairs it has.

    Only what the recipient holds is in it. It is written once for each version, and that it was is in the ledger.
    Raises SettingsError where the agreement does not allow it, SamspilError if it was written before.
    """
    told = _told(hub, recipient)
    old, new = (pseudonyms(hub.vault, recipient, version) for version in (told.version - 1, told.version))
    values: set[str] = set()
    flows = [hub.flow(flow.name) for flow in hub.file.flows if flow.target == recipient and flow.pseudonyms]
    for flow in flows:
        values |= _held(hub, flow)
    if not values:
        raise SamspilError(f"{recipient} holds no pseudonym yet: there is nothing to map", reason="nothing-to-map")
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(["old", "new"])
    lines.writerows(sorted((old(value), new(value)) for value in values))  # by digest: the order tells nothing
    with hub.store.transaction() as connection:
        if not rotations.claim(connection, hub.file.municipality.code, recipient, told.version):
            done = f"the mapping to version {told.version} was written before; it is written once only"
            raise SamspilError(f"{recipient}: {done}", reason="mapping-written")
        context = {"what": "rotate", "recipient": recipient, "version": told.version, "pairs": len(values)}
        hub.ledger.append(connection, {**context, "who": who, "why": why, **flows[0].context}, ())
        _write(out, text.getvalue().encode())  # last: what cannot be written is not claimed
    return len(values)


def _told(hub: Hub, recipient: str) -> Pseudonyms:
    for number, agreement in enumerate(hub.file.agreements):
        told = agreement.pseudonyms
        if told is not None and told.recipient == recipient:
            at = f"agreements[{number}].pseudonyms"
            if told.rotation == "forgotten":
                raise SettingsError(
                    "the agreement lets nobody keep a mapping", file=hub.file.path, field=f"{at}.rotation"
                )
            if told.version == 1:
                raise SettingsError("the key was never changed", file=hub.file.path, field=f"{at}.version")
            return told
    raise SettingsError("gets no pseudonyms in this file", file=hub.file.path, field=recipient)


def _held(hub: Hub, flow: CompiledFlow) -> set[str]:
    """The values, of records that the recipient holds, that it has pseudonyms of."""
    found: set[str] = set()
    for page in flow.source.read(flow.flow.schema):
        keys = list(map(flow.key, page.keys))
        with hub.store.transaction() as connection:
            there = {key for key, _ in outbox.linked(connection, flow.id, keys)}
        raws = [raw for key, raw in zip(keys, page.raws, strict=True) if key in there]
        for decoded in flow.source.decode(flow.flow.schema, raws):
            try:
                if isinstance(decoded, Refused):
                    raise decoded
                ours = flow.theirs.to_ours(decoded)
            except Refused as refused:
                refused.kept()  # it was sent in an earlier version; the next run tells what is wrong with this one
                continue
            values = (getattr(ours, name) for name in flow.flow.pseudonyms)
            found.update(value for value in values if value is not None)
    return found


def _write(out: Path, data: bytes) -> None:
    try:
        number = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SamspilError(f"{out} is there already: choose another name", reason="file-exists") from None
    except OSError as error:
        raise SettingsError(f"cannot be written ({error.strerror})", file=str(out), field="--out") from None
    with os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
