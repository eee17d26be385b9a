"""The stand-in for a declared drop: files and receipts made from the same ``connector.yaml`` as the connector."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from samspil.declared import FILE
from samspil.declared.drop import declaration
from samspil.declared.drop.declaration import CsvWriting, Declared, FixedWriting
from samspil.declared.values import filled
from samspil.files import Column
from samspil.testing.drop.folder import FileSandbox
from samspil.testing.drop.taken import Answer, Import, Unreadable, receipts
from samspil.testing.drop.written import Row, vouching, written
from samspil.testing.facts import TODAY, Fact
from samspil.testing.sampled import given
from samspil.testing.world import World

IMPORT_DELAY = 0.01  # seconds from a delivery's arrival to its receipt
_REFUSED = "REFUSED"


class DropSandbox(FileSandbox):
    """Exports the world's facts every night and imports what is dropped; children of CSV files are left to a subclass.

    Faults of its own: ``half-batch`` (the import stops in the middle, so does its receipt file) and ``file-refused``
    (the import cannot read the file). ``settings`` are the account's of the system's own,
    where a value made from their declaration is not enough.
    """

    folder: ClassVar[Path]
    renders: ClassVar[Mapping[str, Callable[[Fact], Row]]] = {}
    settings: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, world: World, *, night: int = 1) -> None:
        self.declaration = declaration(self.folder / FILE)
        self._settings = {**given(self.declaration.settings), **self.settings}
        self.folders = sorted({self._folder(folder) for folder in self._declared_folders()})
        super().__init__(world, night=night)
        self.importing = True  # False: the receiver's import job does not run
        self._imports = {
            schema: Import(declared, declared.write, self.kept[schema])
            for schema, declared in self.declaration.schemas.items()
            if declared.write
        }

    def extra(self) -> dict[str, Any]:
        return {"receipt_timeout": 10.0, "receipt_poll": 0.02, **self._settings}

    def export(self) -> None:
        for schema, declared in self.declaration.schemas.items():
            reading = declared.listing
            if reading is None:
                continue
            folder = self.root / self._folder(reading.folder)
            rows, marks = self._rows(schema, declared)
            data = written(reading, declared.keys, rows, marks)
            name = self._name(reading.files, self.night)
            for night in range(self.night + 1, self.night + 50):  # the world went back to an earlier night
                for later in folder.glob(f"{self._name(reading.files, night)}*"):
                    later.unlink()
            if reading.how.beside:
                self.put(str(folder / f"{name}{reading.how.beside}"), vouching(reading.how.beside, data))
            self.put(str(folder / name), data)

    def arrived(self, path: str) -> bool:
        for schema, declared in self.declaration.schemas.items():
            writing = declared.write
            if writing is None:
                continue
            before, after = writing.file.split("{delivery}")
            folder = re.escape(self._folder(writing.folder).strip("/"))
            if not self.importing or not re.fullmatch(rf"/{folder}/{re.escape(before)}\w+{re.escape(after)}", path):
                continue
            half = self.faults.take("half-batch", path) is not None
            lost = self.faults.take("lost-answer", path) is not None
            imported = partial(self._import, schema, writing, path, half=half, answer=not lost)
            if lost:
                imported()
            else:
                self.server.later(IMPORT_DELAY, imported)
            return lost
        return False

    def _render(self, schema: str, declared: Declared) -> Callable[[Fact], Row]:  # noqa: ARG002  # a hook
        """How a fact of the schema looks in its file."""
        return self.renders[schema]

    def _rows(self, schema: str, declared: Declared) -> tuple[list[Row], list[str]]:
        """The night's rows, and for each the damage to the file's form."""
        kind = declared.read_kind
        broken = self.world.broken(schema, self.night)
        rows, marks, render = [], [], self._render(schema, declared)
        for fact in self.world.records(schema, self.night):
            row = render(fact)
            mark = broken.get(fact["id"], "")
            if mark and mark not in ("unknown-field", "broken-syntax"):
                _damage(row, mark, kind.columns, kind.keys)
                mark = ""
            rows.append(row)
            marks.append(mark)
        return rows, marks

    def _import(self, schema: str, writing: CsvWriting | FixedWriting, path: str, *, half: bool, answer: bool) -> None:
        dropped = self.root / path.strip("/")
        data = dropped.read_bytes()
        if self.faults.take("file-refused", path) is not None:
            data = b""
        said = writing.receipt
        try:
            answers, status = self._imports[schema].take(data, half=half), _REFUSED
        except Unreadable:
            answers, status = [Answer("", code="FORM")], "" if isinstance(said, str) else said.unreadable or _REFUSED
        dropped.unlink()  # it is gone once it is imported, not before
        if answer and not isinstance(said, str):
            names = {"key": writing.key, "status": said.status, "theirs": said.id}
            names |= {"reference": said.reference, "code": said.code, "field": said.field}
            file = f"{self._folder(said.folder).strip('/')}/{dropped.name}"
            self.put(file, receipts(answers, names, (said.passed[0], status), said.trailer))

    def _name(self, pattern: str, night: int) -> str:
        day = TODAY + timedelta(days=night - 1)
        name = pattern.replace("{date}", day.strftime("%Y%m%d")).replace("{number}", f"{night:06d}")
        return name.replace("{part}", "")

    def _folder(self, folder: str | None) -> str:
        name = self.declaration.folder if folder is None else folder
        return str(filled(name, SimpleNamespace(**self._settings)))

    def _declared_folders(self) -> Iterator[str | None]:
        for declared in self.declaration.schemas.values():
            if declared.listing is not None:
                yield declared.listing.folder
                if not isinstance(declared.listing.taken, str):
                    yield declared.listing.taken.move
            if declared.write is not None:
                yield declared.write.folder
                if not isinstance(declared.write.receipt, str):
                    yield declared.write.receipt.folder


def _damage(row: Row, kind: str, columns: tuple[Column, ...], keys: tuple[str, ...]) -> None:
    """Put a damage that lies in a cell into a row; one that it has no column for is a missing field."""
    wanted = {"bad-date": ("date", "timestamp"), "unknown-code": ("code",), "bad-cpr": ("cpr",)}.get(kind, ())
    name = next((column.name for column in columns if column.type in wanted and row[column.name]), "")
    if kind == "bad-date" and name:
        row[name] = "31-02-2026"
    elif kind == "unknown-code" and name:
        row[name] = "ZZ"
    elif kind == "bad-cpr" and name:
        row[name] = row[name][1:]  # as when a spreadsheet took the number for a number and ate the leading zero
    else:
        row[next(column.name for column in columns if column.required and column.name not in keys)] = None
