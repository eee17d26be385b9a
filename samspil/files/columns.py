"""The contract of files: ``columns.yaml`` of a connector names, per schema, a file, its columns and its child files.

::

    action_plan:
      file: Handleplaner          # Handleplaner_YYYYMMDD.csv, or _YYYYMMDD_2.csv when the export comes in parts
      key: PlanId
      trailer: Antal              # the last line is "Antal;<number of records>"
      columns:
        - {name: PlanId, required: true}
        - {name: CPR, type: cpr, required: true}
      children:
        - file: Maal
          list: Maal              # the name of the list in the record
          key: MaalId
          record: PlanId          # the column that holds the key of the record it belongs to
          columns: [...]
          children:
            - {file: Delmaal, list: Delmaal, key: DelmaalId, record: PlanId, parent: MaalId, columns: [...]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from samspil.connector import Field
from samspil.yamlfile import YamlFile

_NAME = re.compile(r"[^\W\d][\w-]*")  # what a mapping can name in a path


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column. ``type`` tells a cell's form; ``values`` the codes it may hold; ``length`` its most characters.

    ``title`` is what the file's header calls it, where that is no name for a field (``Ledige pladser``, ``Tlf.``).
    ``envelope`` columns belong to the delivery, not to the record: a mapping never sees them.
    """

    name: str
    title: str = ""
    type: Literal["text", "code", "cpr", "date", "timestamp", "decimal", "integer", "digits", "boolean"] = "text"
    required: bool = False
    length: int = 200
    values: tuple[str, ...] = ()
    envelope: bool = False


class FileKind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of file, and the files whose rows are lists in its records.

    ``formulas``: ``as-is`` leaves text alone; ``apostrophe`` puts one before text that a spreadsheet would run
    (``= + - @``, also in full width, tab, line break, or an apostrophe already there) and takes it away when reading:
    nothing is lost. Cells of another type have no such text: it is refused. A child file that says nothing is written as
    the file above it; a top file that says nothing, as-is.
    """

    file: str
    key: str | tuple[str, ...] = ""  # a child that nothing hangs on needs none
    columns: tuple[Column, ...]
    trailer: str = ""
    formulas: Literal["as-is", "apostrophe"] | None = None
    list: str = ""
    record: str = ""
    parent: str = ""
    children: tuple[FileKind, ...] = ()

    def __post_init__(self) -> None:
        if self.formulas is not None and any(child.formulas is None for child in self.children):
            alike = (
                child if child.formulas is not None else msgspec.structs.replace(child, formulas=self.formulas)
                for child in self.children
            )
            msgspec.structs.force_setattr(self, "children", tuple(alike))

    @property
    def pattern(self) -> str:
        """The file's name with placeholders (see ``samspil.files.arrival``); a bare word stands for a daily CSV file."""
        return self.file if {"{", "."} & set(self.file) else f"{self.file}_{{date}}{{part}}.csv"

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in the order in which they are written; in what is read any order will do."""
        return tuple(column.name for column in self.columns)

    @property
    def titles(self) -> dict[str, str]:
        """What the file's header calls the columns, in their order → their names."""
        return {column.title or column.name: column.name for column in self.columns}

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that make the key: none, one or several."""
        return (self.key,) * bool(self.key) if isinstance(self.key, str) else self.key

    @property
    def links(self) -> frozenset[str]:
        """The columns that only say where a child row belongs."""
        return frozenset((self.record, self.parent)) - {""}

    def own(self) -> Iterator[Column]:
        """The columns that are the record's own."""
        return (column for column in self.columns if not column.envelope and column.name not in self.links)

    def descendants(self, at: str = "") -> Iterator[tuple[str, FileKind]]:
        """Every child file at any depth with the dotted path of its list (``Maal``, ``Maal.Delmaal``)."""
        for child in self.children:
            path = f"{at}.{child.list}" if at else child.list
            yield path, child
            yield from child.descendants(path)

    def fields(self) -> dict[str, Field]:
        """For ``Connector.fields``: dotted paths with ``[]`` after a list."""
        fields = {column.name: Field(column.required) for column in self.own()}
        for child in self.children:
            fields |= {f"{child.list}[].{path}": field for path, field in child.fields().items()}
        return fields


def contract(path: Path) -> dict[str, FileKind]:
    """A ``columns.yaml``, by schema. Raises SettingsError if a file's columns do not carry its key, links or trailer."""
    file = YamlFile(path, dict[str, FileKind])
    for schema, top in file.value.items():
        if problem := fault(top):
            raise file.error(problem, at=schema)
    return file.value


def fault(top: FileKind) -> str:
    """What a kind of file, or a child file of it, lacks to be read at all; empty if nothing."""
    for kind in (top, *(child for _, child in top.descendants())):
        if kind is top and not kind.keys:
            return f"{kind.file}: has no key"
        if missing := (kind.links | set(kind.keys)) - set(kind.names):
            return f"{kind.file}: {', '.join(sorted(missing))} is not among its columns"
        if len(set(kind.names)) != len(kind.names) or len(kind.titles) != len(kind.names):
            return f"{kind.file}: a column is listed twice"
        if odd := [name for name in kind.names if not _NAME.fullmatch(name)]:
            return f"{kind.file}: {odd[0]} is no name for a field; give it one, and this as its title"
        if kind.trailer and len(kind.columns) < 3:
            return f"{kind.file}: a trailer has two cells, so the file needs more columns"
        if kind is not top and not (kind.list and kind.record):
            return f"{kind.file}: a child file needs list and record"
        if kind.children and len(kind.keys) != 1:
            return f"{kind.file}: child files hang on a key of one column"
    return ""
