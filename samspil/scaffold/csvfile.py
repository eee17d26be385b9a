"""A scaffold from a CSV file: its encoding, its separator and its columns; of its rows nothing is kept."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from samspil import identifiers
from samspil.errors import Refused, SettingsError
from samspil.scaffold.fields import Described, Record
from samspil.scaffold.terms import plain
from samspil.scaffold.text import Ask, flow, listed, scalar

LIMIT = 5_000_000  # bytes of a sample; its header and some rows are all that is looked at
ROWS = 500

_DELIMITERS = (";", ",", "\t", "|")
_FIELD = re.compile(r"[^\W\d][\w-]*")
_FORMS = {  # what all cells of a column look like → what is proposed
    r"[0-3]\d-[01]\d-\d{4}": "{date: dd-mm-yyyy}",
    r"\d{4}-[01]\d-[0-3]\d": "date",
    r"-?\d+,\d+": "decimal_comma",
    r"-?\d+\.\d+": "decimal_point",
}
_NO_NAME = re.compile(r"[\d\s.,:/+-]+|.*@.*")


class Title(NamedTuple):
    """One column: the field's name, what the header calls it, and how the sample's cells look (a converter)."""

    name: str
    title: str
    about: str


class CsvSample:
    """A sample file. Raises SettingsError, with the line and never with a cell, if it is no CSV file with a header."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as stream:
                data = stream.read(LIMIT)
        except OSError as error:
            raise SettingsError(f"cannot be read ({error.strerror})", file=str(path)) from None
        text = self._text(data)
        self.delimiter, rows = self._cut(text)
        self.columns = self._header(rows)

    @property
    def pattern(self) -> str:
        """What the files are called, as far as one name tells: a date in it stands for any."""
        return re.sub(r"\d{8}|\d{4}-\d\d-\d\d", "{date}", self.path.name)

    @property
    def word(self) -> str:
        """The first word of the file's name, for the record."""
        found = re.match(r"[^\W\d_]+", self.path.stem)
        return found[0] if found else "Record"

    def record(self, name: str) -> Record:
        """The columns as fields."""
        return Record(name, {column.name: Described(about=column.about) for column in self.columns})

    def _text(self, data: bytes) -> str:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:10_000]:
            raise self._wrong(1, "is UTF-16 or no text at all; save it as UTF-8, cp1252 or latin-1")
        self.encoding = "utf-8"
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if len(data) == LIMIT and error.end >= LIMIT - 3:  # the sample ends within a letter
                return data[: error.start].decode("utf-8-sig")
            self.encoding = "cp1252" if re.search(rb"[\x80-\x9f]", data) else "latin-1"
            line = data[: error.start].count(b"\n") + 1
            letters = re.findall(rb"[\x80-\xff]", data)
            if not letters or sum(chr(one[0]) in "æøåÆØÅéÉüÜöÖäÄ§½°" for one in letters) * 2 < len(letters):
                raise self._wrong(
                    line, "is in an unknown encoding: neither UTF-8 nor Latin-1; save it as UTF-8"
                ) from None
            text = data.decode(self.encoding, errors="replace")
        if data.isascii():
            self.encoding = ""  # nothing tells
        return text

    def _cut(self, text: str) -> tuple[str, list[list[str]]]:
        """The separator that cuts every row alike, and the first rows."""
        fitting: dict[str, list[list[str]]] = {}
        for delimiter in _DELIMITERS:
            try:
                reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
                rows = [row for _, row in zip(range(ROWS), reader, strict=False) if row]
            except csv.Error:
                continue
            widths = Counter(len(row) for row in rows[:-1] or rows)  # the last may be a trailer
            if rows and len(rows[0]) > 1 and len(widths) == 1:
                fitting[delimiter] = rows
        if not text.strip():
            raise self._wrong(1, "is empty; a header is needed")
        if not fitting:
            raise self._wrong(1, "has no columns: neither ; , | nor a tab cuts every row into as many cells")
        if len(fitting) > 1:
            shown = " and ".join("a tab" if one == "\t" else one for one in fitting)
            raise self._wrong(1, f"may be cut by {shown} alike; put cells that hold the other one in quotes")
        return next(iter(fitting.items()))

    def _header(self, rows: list[list[str]]) -> list[Title]:
        header = [cell.strip() for cell in rows[0]]
        for number, cell in enumerate(header, 1):
            if not cell or _NO_NAME.fullmatch(cell):
                what = "is empty" if not cell else "is a value and no name"
                raise self._wrong(1, f"has no header with the columns' names: cell {number} of the first row {what}")
        titles = [Title(_field(cell), "" if _field(cell) == cell else cell, "") for cell in header]
        names = [one.name for one in titles]
        for number, name in enumerate(names, 1):
            if not _FIELD.fullmatch(name):
                raise self._wrong(1, f"has a header that no field can be called after: cell {number}")
            if names.index(name) != number - 1:
                raise self._wrong(
                    1, f"has the same name twice in its header: cells {names.index(name) + 1} and {number}"
                )
        body = [row for row in rows[1:] if len(row) == len(header)]
        return [one._replace(about=_about([row[at].strip() for row in body])) for at, one in enumerate(titles)]

    def _wrong(self, line: int, message: str) -> SettingsError:
        return SettingsError(message, file=str(self.path), line=line)


def declaration(file: CsvSample, schema: str, record: str, title: str, ask: Ask) -> str:
    """The text of a ``connector.yaml`` of ``kind: drop`` that reads such files."""
    names = [column.name for column in file.columns]
    keys = sorted(names, key=lambda name: not plain(name).endswith(("id", "nummer", "nr", "noegle", "key")))
    encoding = file.encoding or ask("in which encoding? The sample has no æ, ø or å: utf-8, cp1252 or latin-1", "utf-8")
    until = file.pattern if "{date}" in file.pattern else f"{file.path.stem}_{{date}}{file.path.suffix}"
    lines = [
        "kind: drop",
        f"title: {scalar(title)}  # for people: in English, with the Danish term",
        f"folder: {ask('in which folder of the SFTP server, without / in front? empty text: where the account begins', 'ud')}",
        "schemas:",
        f"  {schema}:",
        f"    record: {scalar(record)}",
        f"    key: {ask(f'which column, or list of columns, is the key, the same for ever? {listed(keys, most=4)}', scalar(keys[0]))}",
        "    list:",
        "      # in a file's name {date}, {number} and {part} stand for what changes",
        f"      files: {ask(f'what are the files called from day to day? the sample: {file.pattern}', scalar(until))}",
        "      format: csv",
        f"      encoding: {encoding}",
        f"      delimiter: {scalar(file.delimiter)}",
        f"      complete: {ask('how is a whole file known from half of one? renamed, {trailer: WORD} or {beside: .ok}', 'renamed')}",
        f"      oldest: {ask('after how many hours without a new file is something wrong? daily: 72', '72')}",
        "      taken: leave  # or {move: FOLDER} of what a newer file replaced",
        "      columns:  # required: true for the key and what else is never empty; length: N if not 200",
    ]
    lines += [f"        - {flow(name=column.name, title=column.title)}" for column in file.columns]
    return "".join(f"{line}\n" for line in lines)


def _field(title: str) -> str:
    """What a field is called after a column: its title, or its words in one."""
    if _FIELD.fullmatch(title):
        return title
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"\w+", title))


def _about(cells: list[str]) -> str:
    filled = [cell for cell in cells if cell]
    if not filled:
        return ""
    if all(_is_cpr(cell) for cell in filled):
        return "cpr"
    return next((about for form, about in _FORMS.items() if all(re.fullmatch(form, cell) for cell in filled)), "")


def _is_cpr(cell: str) -> bool:
    try:
        identifiers.cpr_kind(cell)
    except (ValueError, Refused):
        return False
    return True
