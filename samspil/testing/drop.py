"""The stand-in for a declared drop: files and receipts made from the same ``connector.yaml`` as the connector.

A sandbox is a class with ``file``, the declaration, and ``row``, which says a fact in the file's own words::

    class CompanyListSandbox(DropSandbox):
        file = Path(__file__).with_name("connector.yaml")

        def row(self, schema, fact):
            return {"Nummer": fact["id"], …}
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from samspil.declared.drop import declaration
from samspil.declared.drop.declaration import CsvWriting, FixedWriting
from samspil.files import Column
from samspil.testing.dropfiles import Row, vouching, written
from samspil.testing.droppedfiles import Answer, Import, Unreadable, receipts
from samspil.testing.facts import TODAY, Fact
from samspil.testing.filesandbox import FileSandbox
from samspil.testing.world import World

IMPORT_DELAY = 0.01  # seconds from a delivery's arrival to its receipt
_REFUSED = "REFUSED"


class DropSandbox(FileSandbox):
    """Exports the world's facts every night and imports what is dropped; children of CSV files are left to a subclass.

    Faults of its own: ``half-batch`` (the import stops in the middle, so does its receipt file) and ``file-refused``
    (the import cannot read the file). ``settings`` are what the account has for the declaration's own settings.
    """

    file: ClassVar[Path]
    settings: ClassVar[Mapping[str, str]] = {}

    def __init__(self, world: World, *, night: int = 1) -> None:
        self.declaration = declaration(self.file)
        self.folders = sorted({self._folder(folder) for folder in self._declared_folders()})
        super().__init__(world, night=night)
        self.importing = True  # False: the receiver's import job does not run
        self._imports = {
            schema: Import(writing, self.kept[schema]) for schema, writing in self.declaration.writes.items()
        }

    @abstractmethod
    def row(self, schema: str, fact: Fact) -> Row:
        """A fact in the words of the schema's file: every column, None for nothing."""

    def extra(self) -> dict[str, Any]:
        return {"receipt_timeout": 10.0, "receipt_poll": 0.02, **self.settings}

    def export(self) -> None:
        for schema, reading in self.declaration.reads.items():
            folder = self.root / self._folder(reading.folder)
            rows, marks = self._rows(schema)
            data = written(reading, rows, marks)
            name = self._name(reading.files, self.night)
            for night in range(self.night + 1, self.night + 50):  # the world went back to an earlier night
                for later in folder.glob(f"{self._name(reading.files, night)}*"):
                    later.unlink()
            if reading.how.beside:
                self.put(str(folder / f"{name}{reading.how.beside}"), vouching(reading.how.beside, data))
            self.put(str(folder / name), data)

    def arrived(self, path: str) -> bool:
        for schema, writing in self.declaration.writes.items():
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

    def _rows(self, schema: str) -> tuple[list[Row], list[str]]:
        """The night's rows, and for each the damage to the file's form."""
        kind = self.declaration.reads[schema].kind
        broken = self.world.broken(schema, self.night)
        rows, marks = [], []
        for fact in self.world.records(schema, self.night):
            row = self.row(schema, fact)
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
        dropped.unlink()
        if self.faults.take("file-refused", path) is not None:
            data = b""
        said = writing.receipts
        try:
            answers, status = self._imports[schema].take(data, half=half), _REFUSED
        except Unreadable:
            answers, status = [Answer("", code="FORM")], "" if isinstance(said, str) else said.unreadable or _REFUSED
        if answer and not isinstance(said, str):
            names = {"key": writing.delivery, "status": said.status, "theirs": said.theirs}
            names |= {"reference": said.reference, "code": said.code, "field": said.field}
            file = f"{self._folder(said.folder).strip('/')}/{dropped.name}"
            self.put(file, receipts(answers, names, (said.ok, status), said.trailer))

    def _name(self, pattern: str, night: int) -> str:
        day = TODAY + timedelta(days=night - 1)
        name = pattern.replace("{date}", day.strftime("%Y%m%d")).replace("{number}", f"{night:06d}")
        return name.replace("{part}", "")

    def _folder(self, folder: str | None) -> str:
        name = self.declaration.folder if folder is None else folder
        for setting, value in self.settings.items():
            name = name.replace(f"{{{setting}}}", value)
        return name

    def _declared_folders(self) -> list[str | None]:
        folders: list[str | None] = []
        for reading in self.declaration.reads.values():
            folders += [reading.folder, *([] if isinstance(reading.taken, str) else [reading.taken.move])]
        for writing in self.declaration.writes.values():
            folders += [writing.folder, *([] if isinstance(writing.receipts, str) else [writing.receipts.folder])]
        return folders


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
