"""A mapping file as it is written: rows, lost fields, and a municipality's own rows laid over them.

::

    record: Bestilling
    rows:
      - {theirs: BestillingId, ours: id}
      - {theirs: Periode.Start, ours: start, as: date}
      - theirs: Maal.Element[]
        ours: goals[]
        rows: [{theirs: Id, ours: id}]
      - {theirs: Kilde, constant: samspil}         # only when written
    lost:
      - {theirs: InternNote, why: no legal basis to pass it on}
      - {ours: price_package, why: the system has no field for it}

A municipality's file has the same form. A row of it replaces every row and lost field that has one of its ``theirs``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from samspil.errors import SettingsError
from samspil.yamlfile import YamlFile

Paths = str | list[str]
Why = Annotated[str, msgspec.Meta(min_length=3)]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row: fields of theirs and of ours, the converter between them; or a constant; or the rows of a list."""

    theirs: Paths
    ours: Paths = []
    convert: str | dict[str, Any] = msgspec.field(name="as", default="text")
    constant: str | int | float | bool | None = None
    rows: list[Row] | None = None


class Lost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field of one side that has no counterpart on the other, and why that is right. Paths from the top."""

    theirs: str = ""
    ours: str = ""
    why: Why


class MappingFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as a whole. ``record`` is the system's name of the record."""

    record: str = ""
    rows: list[Row] = []
    lost: list[Lost] = []


class Place(NamedTuple):
    """Where something is written, so that an error can point at it."""

    file: YamlFile[MappingFile]
    at: str

    def error(self, message: str) -> SettingsError:
        return self.file.error(message, at=self.at)

    def below(self, at: str) -> Place:
        return Place(self.file, f"{self.at}.{at}" if self.at else at)


class Placed(NamedTuple):
    """A row or lost field with its place."""

    item: Any
    place: Place


class Layers(NamedTuple):
    """The system's file with the municipality's laid over it."""

    base: Place  # the top of the system's file
    record: str
    rows: list[Placed]
    lost: list[Placed]


def paths(value: Paths) -> list[str]:
    """One path or several, as a list."""
    return [value] if isinstance(value, str) else value


def read(folder: Path, system: str, schema: str, municipality: str | None) -> Layers:
    """Read ``<folder>/<system>/<schema>.yaml`` and, if it is there, ``<schema>.<municipality>.yaml``."""
    base = YamlFile(folder / system / f"{schema}.yaml", MappingFile)
    top = Place(base, "")
    if not base.value.record or not base.value.rows:
        raise top.error("needs `record`, the system's name of it, and `rows`")
    rows, lost = _placed(base)
    own = folder / system / f"{schema}.{municipality}.yaml"
    if municipality is not None and own.exists():
        rows, lost = _overlay(rows, lost, YamlFile(own, MappingFile))
    return Layers(top, base.value.record, rows, lost)


def _placed(file: YamlFile[MappingFile]) -> tuple[list[Placed], list[Placed]]:
    rows = [Placed(row, Place(file, f"rows[{index}]")) for index, row in enumerate(file.value.rows)]
    lost = [Placed(item, Place(file, f"lost[{index}]")) for index, item in enumerate(file.value.lost)]
    for item, place in lost:
        if bool(item.theirs) == bool(item.ours):
            raise place.error("a lost field is either `theirs` or `ours`")
    return rows, lost


def _overlay(rows: list[Placed], lost: list[Placed], own: YamlFile[MappingFile]) -> tuple[list[Placed], list[Placed]]:
    own_rows, own_lost = _placed(own)
    known = {name for item, _ in (*rows, *lost) for name in _theirs(item)}
    taken: set[str] = set()
    for item, place in (*own_rows, *own_lost):
        names = _theirs(item)
        if isinstance(item, Row) and not names & known:
            raise place.error(f"replaces nothing: the system's file has no {' or '.join(sorted(names))}")
        if isinstance(item, Lost) and item.theirs and not names & known:
            raise place.error(f"replaces nothing: the system's file has no {item.theirs}")
        taken |= names
    mapped = {_plain(name) for item, _ in own_rows for name in paths(item.ours)}
    own_ours = {_plain(item.ours) for item, _ in own_lost if item.ours}
    kept_rows = [placed for placed in rows if not _theirs(placed.item) & taken]
    kept_lost = [
        placed
        for placed in lost
        if not _theirs(placed.item) & taken and _plain(placed.item.ours) not in mapped | own_ours - {""}
    ]
    return kept_rows + own_rows, kept_lost + own_lost


def _theirs(item: Row | Lost) -> set[str]:
    return {_plain(name) for name in paths(item.theirs) if name}


def _plain(path: str) -> str:
    return path.replace("[]", "")
