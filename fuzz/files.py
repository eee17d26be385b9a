"""CSV, fixed-width and XLSX files, read as their connectors read them, from a folder in memory."""

from __future__ import annotations

import io
import random
import re
import time
import zipfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from lxml import etree

import connectors.company_list.sandbox as company_list
import connectors.cpr_extract.sandbox as cpr_extract
from connectors.journal_files.connector import CONTRACT
from connectors.journal_files.sandbox import JournalFilesSandbox
from fuzz.messages import WORLD, mapped
from fuzz.parser import Lost, Outcome, Parser, chunks
from samspil.declared.drop.declaration import FixedReading, XlsxReading
from samspil.files import Export, Rows
from samspil.files.columns import FileKind
from samspil.files.csvfile import NotThisKind, RowFile
from samspil.files.fixed import FixedFile
from samspil.files.lines import LIMIT, Unfinished, cut
from samspil.files.sheet import SheetFile
from samspil.sftp import RemoteFile
from samspil.testing.drop import DropSandbox

_FRAME = re.compile(rb"[\x18\x1d\x1e]")
_DAY = "20261122"


class Folder:
    """Files in memory, with what ``Export`` wants of an SFTP session."""

    def __init__(self, chance: random.Random, files: dict[str, bytes]) -> None:
        self._chance, self._files = chance, files

    def files(self, _folder: str) -> list[RemoteFile]:
        return [RemoteFile(name, len(data), int(time.time())) for name, data in self._files.items()]

    def chunks(self, _folder: str, name: str) -> Generator[bytes, None, None]:
        yield from chunks(self._chance, self._files[name])


class Csv(Parser):
    """The journal's exports with their child files, one of which is mangled."""

    name = "CSV"
    words = (b";", b'"', b'""', b'";"', b"\t", b'"\n', b"Antal;3\r\n", b"Antal;", b";;;;;;;;", b"a" * 3_000)
    piece = rb"(?m)(?:^|;)([^;\r\n]*)"

    def made(self) -> Sequence[bytes]:
        sandbox = JournalFilesSandbox(WORLD)
        sandbox.export()
        exported = {file.name.partition("_")[0]: file.read_bytes() for file in (sandbox.root / "ud").iterdir()}
        self._places: list[tuple[str, str]] = []
        self._exports: dict[str, dict[str, bytes]] = {}
        self._to_ours: dict[str, Any] = {}
        samples: list[bytes] = []
        for schema, kind in CONTRACT.items():
            if kind.file not in exported:
                continue
            files = [kind.file, *(child.file for _, child in kind.descendants())]
            self._exports[schema] = {f"{file}_{_DAY}.csv": exported[file] for file in files}
            self._to_ours[schema] = mapped("journal_files", schema)
            for file in files:
                self._places.append((schema, f"{file}_{_DAY}.csv"))
                samples.append(exported[file])
        return samples

    def tried(self, chance: random.Random, number: int, data: bytes) -> Outcome:
        outcome = Outcome()
        schema, name = self._places[number]
        files = {**self._exports[schema], name: data}
        export = Export(CONTRACT[schema], system="x", page=7)
        raws: list[bytes] = []
        rejected: list[Any] = []
        folder: Any = Folder(chance, files)
        for page in export.pages(folder, "ud"):
            if len(page.raws) != len(page.keys) or b"" in page.keys:
                raise Lost("a record has no key")
            raws += page.raws
            rejected += page.rejected
        rows = Rows(CONTRACT[schema])
        outcome.decoded([rows.decode(raw) for raw in raws], self._to_ours[schema])
        outcome.reject(rejected)
        if not any(one.error.field == name for one in rejected):  # a file that is none stays where it is
            _look(data, [*raws, *(one.raw for one in rejected)], CONTRACT[schema].trailer.encode())
        return outcome


def _look(data: bytes, kept: Sequence[bytes], trailer: bytes) -> None:
    """Every line but the header and the trailer is in something that was kept."""
    try:
        lines = [line.data for line in cut([data])][1:]
    except Unfinished:
        raise Lost("a file that ends in a line was taken for whole") from None
    if trailer:
        lines = lines[:-1]
    joined = b"\n".join(kept)
    for line in lines:
        if line not in joined and _FRAME.sub(b"?", line) not in joined:
            raise Lost("a line is in no record and was not rejected")
    bare = b"".join(line.data for line in cut([data]))
    if (
        len(bare.translate(None, b"\r\n")) < len(data.translate(None, b"\r\n"))
        and max(map(len, data.split(b"\n"))) < LIMIT
    ):
        raise Lost("bytes between the lines are in none")


class _Declared(Parser):
    """A file of a declared drop."""

    system: str
    sandbox: type[DropSandbox]
    schema: str

    def made(self) -> Sequence[bytes]:
        sandbox = self.sandbox(WORLD)
        sandbox.export()
        self._declared = sandbox.declaration.schemas[self.schema]
        self._to_ours = mapped(self.system, self.schema)
        whole = max((file for file in Path(sandbox.root).rglob("*") if file.is_file()), key=lambda f: f.stat().st_size)
        return [self.shorter(whole.read_bytes())]

    def shorter(self, data: bytes) -> bytes:
        """The sample, short enough that a change hits something."""
        return data

    def read(self, opened: RowFile) -> tuple[Outcome, list[bytes]]:
        """What the file's rows become, and what was kept of each."""
        outcome, rows = Outcome(), Rows(self._declared.read_kind)
        raws: list[bytes] = []
        kept: list[bytes] = []
        for key, line in opened.rows(self._declared.keys, "x"):
            kept.append(line.data)
            if line.problem or not key:
                if not line.problem:
                    raise Lost("a row without a key has no problem")
                outcome["refused" if key else "rejected"] += 1
            else:
                raws.append(opened.prefix + line.data)
        outcome.decoded([rows.decode(raw) for raw in raws], self._to_ours)
        return outcome, kept


class Fixed(_Declared):
    """The CPR extract."""

    name = "fixed width"
    system, schema, sandbox = "cpr_extract", "person", cpr_extract.CprExtractSandbox
    words = (b"000", b"001", b"003", b"005", b"008", b"999", b"99900000003", b" " * 20, b"\xa0", b"\x85")
    piece = rb"(?m)^(00[0-9])[^\r\n]*\r\n"

    def tried(self, chance: random.Random, number: int, data: bytes) -> Outcome:
        del number
        reading = self._declared.listing
        if not isinstance(reading, FixedReading):
            raise TypeError("the CPR extract is a fixed-width file")
        outcome = Outcome()
        kind: FileKind = self._declared.read_kind
        try:
            outcome, kept = self.read(FixedFile(chunks(chance, data), "U1.txt", kind, reading.lines))
        except NotThisKind as error:
            outcome.reject([error.rejected])
            return outcome
        joined = b"\n".join(kept)
        for line in data.split(b"\n"):
            whole = line.removesuffix(b"\r")
            code = whole[:3].rstrip(b" ").decode("latin-1")
            if not whole or code in ("000", "999", *reading.lines.skip) or whole in joined:
                continue
            if _FRAME.sub(b"?", whole) in joined:
                continue
            columns = reading.lines.types.get(code)
            if columns is None or not all(_csv(column.cell(whole)) in joined for column in columns):
                raise Lost("a line is in no record and was not rejected")
        return outcome


def _csv(cell: bytes) -> bytes:
    return cell.replace(b'"', b'""')


class Xlsx(_Declared):
    """The company list: one part of the workbook mangled, or the whole archive."""

    name = "XLSX"
    system, schema, sandbox = "company_list", "company", company_list.CompanyListSandbox
    words = (
        b"<!DOCTYPE a [<!ENTITY b 'b'>]>",
        b"&b;",
        b"<f>1+1</f>",
        b'<c r="A5" t="s"><v>999999</v></c>',
        b'<c r="ZZZ1"/>',
        b't="d"',
        b't="s"',
        b't="b"',
        b' s="99999"',
        b' s="1"',
        b"<v>1e308</v>",
        b"<v>-1</v>",
        b"<v>NaN</v>",
        b"<v>inf</v>",
        b"_x0000_",
        b"_xD800_",
        b"<row r='99999999999'>",
        b"<rPh><t>x</t></rPh>",
        b'Target="../../../etc/passwd"',
        b'Target="/xl/worksheets/sheet1.xml"',
        b"\xef\xbc\x95",
    )
    piece = rb"<(\w+)(?:\s[^<>]*)?>([^<]*)</\w+>|(?:[\w:]+)=\"([^\"]*)\""

    def input(self, chance: random.Random) -> tuple[int, bytes]:
        number = chance.randrange(len(self.samples))
        if chance.random() < 0.25:
            return number, self._mutator.mangled(chance, self.samples[number])
        with zipfile.ZipFile(io.BytesIO(self.samples[number])) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
        hit = chance.choice([name for name in members if "theme" not in name] + [_sheet(members)] * 8)
        members[hit] = self._mutator.mangled(chance, members[hit])
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return number, packed.getvalue()

    def tried(self, chance: random.Random, number: int, data: bytes) -> Outcome:
        del number
        reading = self._declared.listing
        if not isinstance(reading, XlsxReading):
            raise TypeError("the company list is a workbook")
        kind = self._declared.read_kind
        try:
            file = SheetFile(
                chunks(chance, data), "V.xlsx", kind, system="x", sheet=reading.sheet, header=reading.header
            )
            outcome, _ = self.read(file)
        except NotThisKind as error:
            outcome = Outcome()
            outcome.reject([error.rejected])
            return outcome
        there = _filled_rows(data, reading.header)
        if there is not None and there != outcome.total():
            raise Lost(f"{there} rows have a cell, {outcome.total()} came out")
        return outcome


def _sheet(members: dict[str, bytes]) -> str:
    return next(name for name in members if "worksheets/sheet" in name)


def _filled_rows(data: bytes, header: int) -> int | None:
    """How many rows below the header have a cell with something in it, as a plain look at the sheet tells; None where a
    cell's content is elsewhere, or the workbook has another sheet than ours.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if "worksheets/sheet" in name]
            root = etree.fromstring(archive.read(names[0]))
    except (zipfile.BadZipFile, etree.XMLSyntaxError, IndexError, OSError, ValueError, NotImplementedError):
        return None
    if len(names) != 1 or root.find(".//{*}row/{*}row") is not None or any(one.get("t") == "s" for one in root.iter()):
        return None
    if any(
        len(one) and not one.tag.endswith(("row", "c", "is", "sheetData", "worksheet")) for one in root.iter("{*}row")
    ):
        return None
    count, at, below = 0, 0, False
    for row in root.iter("{*}row"):
        number = row.get("r", "")
        at = int(number) if number.isdecimal() and len(number) < 9 else at + 1
        cells = [cell for cell in row.iter("{*}c") if cell.find(".//{*}f") is not None or _texts(cell)]
        if not cells:
            continue
        count += below
        below = below or at >= header  # the first that far down is the header, whatever those after it are called
    return count


def _texts(cell: Any) -> str:
    return "".join(one.text or "" for one in cell.iter("{*}v", "{*}t"))
