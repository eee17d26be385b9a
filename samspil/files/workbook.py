"""An XLSX workbook (ISO/IEC 29500) as rows of typed cells, read as a stream; what a spreadsheet may hide is refused.

Read with ``zipfile`` and lxml, not with a spreadsheet library. openpyxl looks through all of a workbook's styles,
themes and links with descriptors that refuse files which other programs write, and parses them without asking for a
document type; python-calamine holds the whole sheet and cannot tell a value from a formula's. Here only four members
are opened, none before the sizes that the archive declares are looked at, and a number keeps the digits it has in the
file. Written with the test suites' openpyxl, read with this: two implementations that agree.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

from lxml import etree

from samspil.files.workbookparts import Book, NotAWorkbook, Relations, Row, Sheet, Strings, Styles
from samspil.xml import SAFE

UNPACKED = 512 << 20  # bytes that all members together may declare
RATIO = 200  # unpacked to packed, of a member above a megabyte; real sheets have 5 to 40
STRINGS = 128 << 20  # bytes of shared strings, the only part of a workbook that is held
MEMBERS = 1_000
CHUNK = 1 << 16


class Torn(Exception):
    """The file is part of a workbook."""


class Workbook:
    """A workbook held packed in memory. Raises NotAWorkbook or Torn, and so does reading its rows."""

    def __init__(self, data: bytes) -> None:
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            if data.startswith(b"PK\x03\x04"):
                raise Torn from None  # the list of members stands at the end
            raise NotAWorkbook("not-xlsx") from None
        self._members = {info.filename: info for info in self._archive.infolist()}
        self._look()
        book = self._target(self._relations(""), "/officeDocument")
        relations = self._relations(book)
        part = self._parsed(book, Book())
        self._from_1904 = part.from_1904
        self.sheets: dict[str, str] = {name: relations[key][1] for name, key in part.sheets if key in relations}
        styles, strings = self._found(relations, "/styles"), self._found(relations, "/sharedStrings")
        self._dates = self._parsed(styles, Styles()).dates() if styles else []
        if strings and self._members[strings].file_size > STRINGS:
            raise NotAWorkbook("too-large", "shared strings")
        self._strings = self._parsed(strings, Strings()) if strings else Strings()

    def rows(self, sheet: str) -> Iterator[Row]:
        """The rows of a sheet that have a cell, in their order."""
        cells = Sheet(self._strings, self._dates, from_1904=self._from_1904)
        for _ in self._fed(self.sheets[sheet], cells):
            yield from cells.rows
            cells.rows.clear()

    def _look(self) -> None:
        """Judge the archive by what it declares of itself; more than that no member gives (``zipfile`` sees to it)."""
        infos = self._archive.infolist()
        if len(infos) > MEMBERS or len(self._members) != len(infos) or sum(i.file_size for i in infos) > UNPACKED:
            raise NotAWorkbook("zip-bomb", "more than a workbook has")
        for info in infos:
            if info.file_size > max(1 << 20, RATIO * info.compress_size):
                raise NotAWorkbook("zip-bomb", f"a member unpacks to more than {RATIO} times its size")
            if info.flag_bits & 1:
                raise NotAWorkbook("encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise NotAWorkbook("not-xlsx", "a compression that XLSX has not")

    def _relations(self, of: str) -> dict[str, tuple[str, str]]:
        """What a member points at: id → (type, name of a member of this archive)."""
        folder, name = posixpath.split(of)
        found = self._parsed(posixpath.join(folder, "_rels", f"{name}.rels"), Relations()).found
        absolute = {key: (kind, posixpath.normpath(posixpath.join("/", folder, to))[1:]) for key, kind, to in found}
        return {key: (kind, to) for key, (kind, to) in absolute.items() if to in self._members}

    def _found(self, relations: dict[str, tuple[str, str]], kind: str) -> str:
        return next((to for name, to in relations.values() if name.endswith(kind)), "")

    def _target(self, relations: dict[str, tuple[str, str]], kind: str) -> str:
        if not (found := self._found(relations, kind)):
            raise NotAWorkbook("not-xlsx", "no workbook in the archive")
        return found

    def _parsed(self, member: str, target: Any) -> Any:
        for _ in self._fed(member, target):
            pass
        return target

    def _fed(self, member: str, target: Any) -> Iterator[None]:
        """Feed a member to a parser's target, stopping after each piece."""
        if member not in self._members:
            raise NotAWorkbook("not-xlsx", "a part of the workbook is missing")
        parser = etree.XMLParser(target=target, **SAFE)
        try:
            with self._opened(member) as stream:
                for piece in _pieces(stream):
                    parser.feed(piece)
                    yield
            parser.close()
            yield
        except etree.XMLSyntaxError as error:
            raise NotAWorkbook("xml-malformed", f"{posixpath.basename(member)}, line {error.lineno}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise Torn from None

    def _opened(self, member: str) -> IO[bytes]:
        try:
            return self._archive.open(member)
        except (ValueError, NotImplementedError, RuntimeError):  # it points before the file, or wants what XLSX has not
            raise Torn from None


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(CHUNK):
        yield piece
