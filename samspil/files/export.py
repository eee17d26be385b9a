"""The newest export of one kind of file, read as records without decoding them, and decoded when asked.

A raw record explains itself: encoding, header line and row, then the same for each child file with rows of it. So a
changed header or child row changes the raw record, and it can be decoded long after the file is gone.

Memory: one page of records and ``sftp.WINDOW`` of the file; and **all rows of the child files**, as bytes, because
no vendor promises that they come in the order of their records. More than ``CHILDREN`` bytes of them are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from samspil.connector import Page, Rejected
from samspil.errors import Refused, Unavailable
from samspil.files.arrival import Arrival, Beside, Stamp
from samspil.files.columns import FileKind
from samspil.files.csvfile import CsvFile, Encoding, NotThisKind, RowFile
from samspil.files.rows import GROUP, ITEM, spoilt
from samspil.sftp import RemoteFile, Sftp

CHILDREN = 256 << 20  # bytes of child rows held at once


Opened = Callable[[Iterator[bytes], str, FileKind], RowFile]  # bytes, name and kind of a file → the file


class Export:
    """How to read one kind of file. ``oldest`` is the age in hours at which an export counts as forgotten.

    ``opened`` makes rows of a file's bytes: a CSV file of our own way if nothing else is said. ``beside`` is explained
    in :class:`~samspil.files.arrival.Arrival`.
    """

    def __init__(
        self,
        kind: FileKind,
        *,
        system: str,
        encoding: Encoding = "latin-1",
        page: int = 1_000,
        oldest: int = 72,
        beside: Beside = "",
        opened: Opened | None = None,
    ) -> None:
        self._kind, self._system, self._page = kind, system, page
        self._opened = opened or (lambda chunks, name, kind: CsvFile(chunks, name, kind, encoding))
        self._arrivals = {
            each.file: Arrival(each.pattern, system=system, oldest=oldest, beside=beside)
            for each in (kind, *(child for _, child in kind.descendants()))
        }

    def pages(self, sftp: Sftp, folder: str) -> Iterator[Page]:
        """Every record of the newest export. A broken row whose key is sure decodes to a Refused with file and line.

        What has no sure key is in ``rejected``: a torn row, a row of a child file whose record is not there, a file.

        Raises Unavailable if there is no export, if it is too old, if a file ends early or does not have as many
        records as its trailer says, if one is replaced or added while they are read, or if a broken child row cannot be
        given to a record: a record without it would look whole.
        """
        listed = sftp.files(folder)
        stamp, parts = self._arrivals[self._kind.file].newest(listed)
        used = {self._kind.file: parts}
        children: list[_Children] = []
        for path, kind in self._kind.descendants():
            used[kind.file] = self._arrivals[kind.file].newest(listed, stamp=stamp)[1]
            for remote in used[kind.file]:
                try:
                    with self._open(sftp, folder, remote, kind) as file:
                        children.append(self._children(path, file))
                except NotThisKind as error:
                    yield Page((), (), [error.rejected])
                    return
        whole = True
        for remote in parts:
            try:
                with self._open(sftp, folder, remote, self._kind) as file:
                    yield from self._records(file, children)
            except NotThisKind as error:
                whole = False
                yield Page((), (), [error.rejected])
        if whole and (orphans := [orphan for child in children for orphan in child.orphans(self._system)]):
            yield Page((), (), orphans)
        self._require_unchanged(sftp.files(folder), stamp, used)

    def _require_unchanged(
        self, listed: Sequence[RemoteFile], stamp: Stamp, used: Mapping[str, Sequence[RemoteFile]]
    ) -> None:
        """What was read one after the other is one delivery only if all of it still is what it was before the first."""
        for file, parts in used.items():
            if self._arrivals[file].newest(listed, stamp=stamp)[1] != parts:
                raise self._unavailable(f"{parts[0].name} changed while it was read", "file-changed")

    def move_replaced(self, sftp: Sftp, folder: str, to: str) -> None:
        """Move the exports that a newer one has replaced; the newest stays, so that a run that is repeated finds it."""
        listed = sftp.files(folder)
        stamp, _ = self._arrivals[self._kind.file].newest(listed)
        for arrival in self._arrivals.values():
            for name in arrival.before(listed, stamp):
                sftp.move(folder, name, to)

    @contextmanager
    def _open(self, sftp: Sftp, folder: str, remote: RemoteFile, kind: FileKind) -> Iterator[RowFile]:
        """The file, closed at the server as soon as it is left, also by an error."""
        with closing(self._arrivals[kind.file].chunks(sftp, folder, remote)) as chunks:
            yield self._opened(chunks, remote.name, kind)

    def _children(self, path: str, file: RowFile) -> _Children:
        children = _Children(path, file.name, GROUP + path.encode() + ITEM + file.prefix, {}, set(), [])
        size = 0
        for key, line in file.rows((file.kind.record,), self._system):
            size += len(line.data)
            if size > CHILDREN:
                raise self._unavailable(f"{file.name} has more than {CHILDREN} bytes of rows", "file-too-large")
            if line.problem:
                children.spoilt.append((key, line.number))
            row = spoilt(line, file.name) if line.problem else line.data
            children.rows.setdefault(key, []).append(row)
        return children

    def _records(self, file: RowFile, children: Sequence[_Children]) -> Iterator[Page]:
        raws: list[bytes] = []
        keys: list[bytes] = []
        rejected: list[Rejected] = []
        for key, line in file.rows(self._kind.keys, self._system):
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
