"""A raw record of a file and the dict it stands for.

Framing of a raw record: groups parted by GS, items in a group by RS; the first group is encoding, header line and row,
each further one the dotted path of a list, encoding, header line and that list's rows. A row that could not be cut
properly follows its reason and place, each after a CAN, so that its record is not taken for whole. No row has these
bytes in it.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, NamedTuple

from samspil.errors import Refused
from samspil.files.columns import FileKind
from samspil.files.lines import Line, cells

GROUP, ITEM = b"\x1d", b"\x1e"
SPOILT = b"\x18"
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # control characters but tab and line breaks
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full width, which some run as well
_GUARDED = (*_RUN, "'")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*")

Dict = dict[str, Any]


class _Layout(NamedTuple):
    """Where the cells of a header's rows go: (column, name, required, text that may be guarded)."""

    width: int
    cells: tuple[tuple[int, str, bool, bool], ...]
    parent: int  # column of the parent's key; -1 in a top file
    key: int  # column of its own key; -1 if nothing hangs on it


class Rows:
    """Decodes raw records of one kind of file; remembers the few headers it has seen."""

    def __init__(self, kind: FileKind) -> None:
        self._kind = kind
        self._layouts: dict[tuple[str, bytes, bytes], _Layout] = {}

    def decode(self, raw: bytes) -> Dict | Refused:
        """Cells as text, an empty one as None, the rows of child files as lists of dicts in the file's order."""
        try:
            return self._decode(raw)
        except Refused as refused:
            return refused
        except (ValueError, LookupError):  # bytes that no export was cut into
            return Refused("not-a-record")

    @cached_property
    def _kinds(self) -> dict[str, FileKind]:
        return {"": self._kind, **dict(self._kind.descendants())}

    def _decode(self, raw: bytes) -> Dict:
        top, *groups = raw.split(GROUP)
        encoding, header, row = top.split(ITEM)
        record, key, _ = self._row("", encoding, header, row)
        lists: dict[str, dict[str, list[tuple[Dict, str]]]] = {}
        for group in groups:
            path_bytes, encoding, header, *rows = group.split(ITEM)
            path = path_bytes.decode()
            found = lists.setdefault(path, {})
            for row in rows:
                child, own, parent = self._row(path, encoding, header, row)
                found.setdefault(parent, []).append((child, own))
        _attach(self._kind, record, key, lists, "")
        for path, left in lists.items():
            if left:
                raise Refused("orphan-row", field=_shown(path))
        return record

    def _row(self, path: str, encoding: bytes, header: bytes, row: bytes) -> tuple[Dict, str, str]:
        """The dict of a row, its own key and the key of what it hangs on."""
        layout = self._layouts.get((path, encoding, header)) or self._layout(path, encoding, header)
        if row.startswith(SPOILT):
            _, reason, place, _ = row.split(SPOILT, 3)
            raise Refused(reason.decode(), field=place.decode())
        fields = cells(row)
        if fields is None or len(fields) != layout.width:
            raise Refused("field-count", field=_shown(path))
        try:
            text = [field.decode(encoding.decode()) for field in fields]
        except UnicodeDecodeError:
            raise Refused("not-text", field=_shown(path), hint=f"not {encoding.decode()}") from None
        if encoding != b"utf-8" and not row.isascii() and _is_utf8(row):
            raise Refused("wrong-encoding", field=_shown(path), hint=f"UTF-8, not {encoding.decode()}")
        if _NOT_TEXT.search("".join(text)):
            raise Refused("not-text", field=_shown(path), hint="a control character")
        record: Dict = {}
        for at, name, required, guarded in layout.cells:
            cell = text[at]
            if required and not cell:
                raise Refused("missing-field", field=".".join(part for part in (_shown(path), name) if part))
            record[name] = (unguard(cell) if guarded else cell) or None
        return (
            record,
            text[layout.key] if layout.key >= 0 else "",
            text[layout.parent] if layout.parent >= 0 else "",
        )

    def _layout(self, path: str, encoding: bytes, header: bytes) -> _Layout:
        kind = self._kinds.get(path)
        names = [name.decode(encoding.decode()) for name in cells(header) or ()]
        if kind is None or not (kind.links | set(kind.keys)) <= set(names):
            raise Refused("other-columns", field=_shown(path), hint="kept since before the contract changed")
        known = {column.name: column for column in kind.own()}
        places = tuple(
            (at, name, known[name].required, kind.formulas == "apostrophe" and known[name].type == "text")
            for at, name in enumerate(names)
            if name in known
        )
        parent, key = (
            kind.parent or kind.record,
            kind.keys[0] if kind.keys else "",
        )  # child files have one column for it
        layout = _Layout(len(names), places, names.index(parent) if parent else -1, names.index(key) if key else -1)
        self._layouts[path, encoding, header] = layout
        return layout


def spoilt(line: Line, file: str) -> bytes:
    """A row with a problem, in a form that decodes to its refusal."""
    refusal = line.refusal(file)
    return SPOILT + SPOILT.join((refusal.reason.encode(), refusal.field.encode(), line.data))


def runs(text: str) -> bool:
    """Whether a spreadsheet may run a cell that is no free text: all but a number with its sign."""
    return text.startswith(_RUN) and not _NUMBER.fullmatch(text)


def guard(text: str) -> str:
    """Text that no spreadsheet runs as a formula; :func:`unguard` gives the text back."""
    return f"'{text}" if text.startswith(_GUARDED) else text


def unguard(text: str) -> str:
    """The text that was guarded."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_GUARDED) else text


def _is_utf8(row: bytes) -> bool:
    """Whether letters beyond ASCII are UTF-8: in Latin-1 these pairs of bytes are two signs that no word has."""
    try:
        row.decode()
    except UnicodeDecodeError:
        return False
    return True


def _attach(
    kind: FileKind, record: Dict, key: str, lists: dict[str, dict[str, list[tuple[Dict, str]]]], at: str
) -> None:
    for child in kind.children:
        path = f"{at}.{child.list}" if at else child.list
        found = lists.get(path, {}).pop(key, [])
        record[child.list] = [row for row, _ in found]
        for row, own in found:
            _attach(child, row, own, lists, path)


def _shown(path: str) -> str:
    return ".".join(f"{name}[]" for name in path.split(".")) if path else ""
