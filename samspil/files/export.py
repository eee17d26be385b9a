"""The newest export of one kind of file, read as records without decoding them, and decoded when asked.

A raw record explains itself: encoding, header line and row, then the same for each child file with rows of it. So a
changed header or child row changes the raw record, and it can be decoded long after the file is gone.

Memory: one page of records and ``sftp.WINDOW`` of the file; and **all rows of the child files**, as bytes, because
no vendor promises that they come in the order of their records. More than ``CHILDREN`` bytes of them are refused.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from samspil.connector import Page, Rejected
from samspil.errors import Refused, Unavailable
from samspil.files.columns import FileKind
from samspil.files.csvfile import CsvFile, Encoding, NotThisKind
from samspil.files.rows import GROUP, ITEM, spoilt
from samspil.sftp import RemoteFile, Sftp

CHILDREN = 256 << 20  # bytes of child rows held at once


class Export:
    """How to read one kind of file. ``oldest`` is the age in hours at which an export counts as forgotten."""

    def __init__(
        self, kind: FileKind, *, system: str, encoding: Encoding = "latin-1", page: int = 1_000, oldest: int = 72
    ) -> None:
        self._kind, self._system, self._encoding, self._page, self._oldest = kind, system, encoding, page, oldest

    def pages(self, sftp: Sftp, folder: str) -> Iterator[Page]:
        """Every record of the newest export. A broken row whose key is sure decodes to a Refused with file and line.

        What has no sure key is in ``rejected``: a torn row, a row of a child file whose record is not there, a file.

        Raises Unavailable if there is no export, if it is too old, if a file ends early or does not have as many
        records as its trailer says, or if a broken child row cannot be given to a record: a record without it would
        look whole.
        """
        listed = sftp.files(folder)
        parts = self._newest(listed, self._kind)
        children: list[_Children] = []
        for path, kind in self._kind.descendants():
            for remote in self._newest(listed, kind, day=_day(parts[0])):
                try:
                    children.append(self._children(path, self._open(sftp, folder, remote, kind)))
                except NotThisKind as error:
                    yield Page((), (), [error.rejected])
                    return
        whole = True
        for remote in parts:
            try:
                yield from self._records(self._open(sftp, folder, remote, self._kind), children)
            except NotThisKind as error:
                whole = False
                yield Page((), (), [error.rejected])
        if whole and (orphans := [orphan for child in children for orphan in child.orphans(self._system)]):
            yield Page((), (), orphans)

    def _newest(self, listed: Sequence[RemoteFile], kind: FileKind, *, day: str = "") -> list[RemoteFile]:
        """All parts of the newest export, or of the one of ``day``."""
        pattern = re.compile(re.escape(kind.file) + r"_([0-9]{8})(_[0-9]{1,3})?\.csv")
        dated = [(found[1], remote) for remote in listed if (found := pattern.fullmatch(remote.name))]
        newest = day or max((name for name, _ in dated), default="")
        parts = [remote for name, remote in dated if name == newest]
        if not parts:
            raise self._unavailable(f"no export {kind.file}_{newest or 'YYYYMMDD'}.csv", "file-missing")
        if max(part.modified for part in parts) < time.time() - self._oldest * 3600:
            raise self._unavailable(f"{parts[0].name} is older than {self._oldest} hours", "export-too-old")
        return parts

    def _open(self, sftp: Sftp, folder: str, remote: RemoteFile, kind: FileKind) -> CsvFile:
        return CsvFile(sftp.chunks(folder, remote.name), remote.name, kind, self._encoding)

    def _children(self, path: str, file: CsvFile) -> _Children:
        children = _Children(path, file.name, GROUP + path.encode() + ITEM + file.prefix, {}, set(), [])
        size = 0
        for key, line in file.rows(file.kind.record, self._system):
            size += len(line.data)
            if size > CHILDREN:
                raise self._unavailable(f"{file.name} has more than {CHILDREN} bytes of rows", "file-too-large")
            if line.problem:
                children.spoilt.append((key, line.number))
            row = spoilt(line, file.name) if line.problem else line.data
            children.rows.setdefault(key, []).append(row)
        return children

    def _records(self, file: CsvFile, children: Sequence[_Children]) -> Iterator[Page]:
        raws: list[bytes] = []
        keys: list[bytes] = []
        rejected: list[Rejected] = []
        for key, line in file.rows(self._kind.key, self._system):
            raw = file.prefix + (spoilt(line, file.name) if line.problem else line.data)
            for child in children:
                if rows := child.rows.get(key):
                    child.used.add(key)
                    raw += child.prefix + ITEM.join(rows)
            if key:
                raws.append(raw)
                keys.append(key)
            else:
                rejected.append(Rejected(raw, line.refusal(file.name)))
            if len(raws) + len(rejected) >= self._page:
                yield Page(raws, keys, rejected)
                raws, keys, rejected = [], [], []
        if raws or rejected:
            yield Page(raws, keys, rejected)

    def _unavailable(self, message: str, reason: str) -> Unavailable:
        return Unavailable(message, system=self._system, reason=reason)


class _Children(NamedTuple):
    path: str
    name: str
    prefix: bytes
    rows: dict[bytes, list[bytes]]  # by the key of the record
    used: set[bytes]
    spoilt: list[tuple[bytes, int]]  # key as far as it can be told, and line

    def orphans(self, system: str) -> Iterator[Rejected]:
        """Rows whose record is not in the export. Raises Unavailable if one of them may belong to one that is."""
        for key, number in self.spoilt:
            if key not in self.used:
                message = f"{self.name}:{number} is broken, and it cannot be told which record it belongs to"
                raise Unavailable(message, system=system, reason="broken-child-row")
        for key, rows in self.rows.items():
            if key not in self.used:
                yield Rejected(self.prefix + ITEM.join(rows), Refused("orphan-row", field=self.name))


def _day(remote: RemoteFile) -> str:
    return remote.name.removesuffix(".csv").split("_")[1]
