"""A journal that speaks files, served by a real SFTP server: exports in ``/ud``, orders in ``/ind``, receipts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from connectors.journal_files.connector import CONTRACT
from connectors.journal_files.inbox import Answer, Inbox, UnreadableFile
from connectors.journal_files.words import WORDS, damage, text
from samspil.testing.drop.folder import FileSandbox
from samspil.testing.facts import TODAY
from samspil.testing.world import World

IMPORT_DELAY = 0.01  # seconds from a delivery's arrival to its receipt
ORDERS = CONTRACT["course_order"]


class JournalFilesSandbox(FileSandbox):
    """Notes are exported in UTF-8 with a byte order mark and LF, everything else in Latin-1 and CRLF.

    Faults of its own: ``half-batch`` (the import stops in the middle, so does its receipt file) and ``file-refused``
    (the import cannot read the file). Those of the connection are in ``samspil.testing.drop.sftp``.
    """

    plays = ("half-batch",)

    folders = ("ud", "ind", "kvittering")

    def __init__(self, world: World, *, night: int = 1) -> None:
        super().__init__(world, night=night)
        self.importing = True  # False: the vendor's import job does not run
        self.inbox = Inbox(ORDERS, self.kept["course_order"])

    def extra(self) -> dict[str, Any]:
        return {"receipt_timeout": 10.0, "receipt_poll": 0.02}

    def export(self) -> None:
        """Write the night's files as the vendor's job does: child files first, each as ``.tmp`` and then renamed."""
        day = (TODAY + timedelta(days=self.night - 1)).strftime("%Y%m%d")
        for later in (self.root / "ud").iterdir():
            if later.stem.split("_")[1] > day:  # the world went back to an earlier night
                later.unlink()
        for schema, words in WORDS.items():
            kinds = {kind.file: kind for _, kind in CONTRACT[schema].descendants()}
            kinds[CONTRACT[schema].file] = CONTRACT[schema]
            rows: dict[str, list[dict[str, str]]] = {file: [] for file in kinds}
            marks: dict[str, list[str]] = {file: [] for file in kinds}
            broken = self.world.broken(schema, self.night)
            for fact in self.world.records(schema, self.night):
                tables = words(fact)
                kind = broken.get(fact["id"], "")
                damage(kind, schema, tables)
                for file, found in tables.items():
                    rows[file] += found
                    marks[file] += [kind if file == CONTRACT[schema].file else ""] * len(found)
            encoding, line_end = ("utf-8", "\n") if schema == "journal_note" else ("latin-1", "\r\n")
            for file, kind_of_file in kinds.items():
                data = text(kind_of_file.names, rows[file], marks[file], encoding=encoding, line_end=line_end)
                self.put(f"ud/{file}_{day}.csv", data)

    def arrived(self, path: str) -> bool:
        """A file came into place. Returns whether the sender's connection is to be cut (fault ``lost-answer``)."""
        found = re.fullmatch(rf"/ind/{ORDERS.file}_(\w+)\.csv", path)
        if found is None:
            return False
        batch = found[1]
        if not self.importing:
            return False
        half = self.faults.take("half-batch", path) is not None
        if self.faults.take("lost-answer", path) is not None:
            self._import(batch, half=half, answer=False)
            return True
        self.server.later(IMPORT_DELAY, lambda: self._import(batch, half=half, answer=True))
        return False

    def _import(self, batch: str, *, half: bool, answer: bool) -> None:
        files = {}
        for file in (ORDERS.file, *(kind.file for _, kind in ORDERS.descendants())):
            path = self.root / "ind" / f"{file}_{batch}.csv"
            files[file] = path.read_bytes()
            path.unlink()
        if self.faults.take("file-refused", f"/ind/{ORDERS.file}_{batch}.csv") is not None:
            files[ORDERS.file] = b""
        try:
            answers = self.inbox.take(files, half=half)
        except UnreadableFile:
            answers = [Answer("", "FILFEJL", code="FORMAT")]
        if answer:
            columns = CONTRACT["receipt"].names
            lines = [dict(zip(columns, line, strict=True)) for line in answers]
            data = text(columns, lines, [""] * len(lines), encoding="latin-1", line_end="\r\n")
            self.put(f"kvittering/{ORDERS.file}_{batch}.csv", data)
