"""A mapping: one file, read, checked against both sides, and compiled to one function for each direction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from collections.abc import Mapping as Table
from datetime import date, datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from samspil import codes, registry
from samspil.connector import Field
from samspil.errors import SettingsError
from samspil.mapping import dates, reader, rows, tree, writer
from samspil.mapping.pairs import TO_OURS, TO_THEIRS, Resolution, resolve

FOLDER = Path(__file__).resolve().parents[2] / "mappings"

ToOurs = Callable[[dict[str, Any]], Any]
ToTheirs = Callable[[Any], dict[str, Any]]


class Mapping:
    """How one system's record and one shared schema become each other. Made by :func:`load`."""

    def __init__(
        self, system: str, schema: str, record: str, resolution: Resolution, directions: Collection[str], on: date
    ) -> None:
        self.system, self.schema, self.record = system, schema, record
        self.resolution, self.directions, self.on = resolution, frozenset(directions), on

    def __repr__(self) -> str:
        return f"Mapping({self.system}/{self.schema})"

    @cached_property
    def to_ours(self) -> ToOurs:
        """Their record (a dict) as our struct, validated. Raises Refused with the path of their field.

        None counts as absent, an empty text does not. A field the contract does not know is refused, and so is a code that is not valid on
        the day the schema names (``valid_on``) or else on the day of loading.
        """
        self._wants(TO_OURS)
        return reader.compiled(self.resolution, self.on, name=self._name)

    def to_theirs(self, allowed: Iterable[str], *, protected: bool = False) -> ToTheirs:
        """Our struct as their record, from the top-level fields in ``allowed`` only: no other is in the function.

        ``protected`` leaves out the fields that address protection hides. Raises SettingsError if a field that the
        system requires cannot be filled from what is left; the function raises Refused for a single record.
        """
        self._wants(TO_THEIRS)
        return writer.compiled(self.resolution, frozenset(allowed), protected=protected, name=self._name)

    @cached_property
    def digest(self) -> bytes:
        """16 bytes that change with the rows, the converters' version and the code lists used; the same everywhere."""
        state = blake2b(digest_size=16)
        for line in sorted(_lines(self.resolution, self.on)):
            state.update(line.encode() + b"\n")
        return state.digest()

    @property
    def _name(self) -> str:
        return f"{self.system}/{self.schema}"

    def _wants(self, direction: str) -> None:
        if direction not in self.directions:
            raise SettingsError(f"was not loaded {direction}", field=f"mapping {self._name}")


def folder_of(system: str) -> Path:
    """Where a system's folder of mappings lies: among ours, or in the package that brings its connector."""
    brought = None if (FOLDER / system).is_dir() else registry.package(system)
    return brought / FOLDER.name if brought else FOLDER


def load(
    system: str,
    schema: str,
    municipality: str | None = None,
    *,
    fields: Table[str, Field],
    struct: type,
    folder: Path | None = None,
    directions: Collection[str] = (TO_OURS, TO_THEIRS),
    on: date | None = None,
    lists: Table[str, codes.CodeList] | None = None,
) -> Mapping:
    """Read and check a mapping, with the municipality's own rows if it has a file of them.

    ``fields`` is the connector's contract and ``struct`` the shared schema; every field of both must be mapped or
    declared lost. A field required on the side written may not be lost, so a system that only gives this schema is
    loaded with ``directions=("to_ours",)``, one that only takes it with ``("to_theirs",)``. ``on`` is the day on
    which codes must be valid (today in Denmark), ``lists`` the code lists (those in ``schemas/codes``), ``folder``
    where the systems' folders are (see ``folder_of``).

    Raises SettingsError with file and line.
    """
    unknown = set(directions) - {TO_OURS, TO_THEIRS}
    if unknown or not directions:
        raise SettingsError(f"directions are {TO_OURS} and {TO_THEIRS}", field=f"mapping {system}/{schema}")
    layers = rows.read(folder or folder_of(system), system, schema, municipality)
    found = resolve(
        layers, tree.theirs(fields), tree.ours(struct), codes.load_all() if lists is None else lists, directions
    )
    return Mapping(system, schema, layers.record, found, directions, on or datetime.now(dates.DENMARK).date())


def _lines(resolution: Resolution, on: date) -> Iterable[str]:
    """What decides the outcome, a line each: rows, contract fields, and the codes as they are judged."""
    for node in resolution.theirs.walk():
        yield f"theirs {node.path} {node.required}"
    for pair in resolution.every():
        mine, yours = (",".join(node.path for node in nodes) for nodes in (pair.theirs, pair.ours))
        how = f"constant {pair.constant!r}" if pair.converter is None else pair.converter.identity
        yield f"row {mine} = {yours} by {how}"
        codes_used = pair.converter.code_list if pair.converter else None
        if codes_used is not None:
            yield f"list {codes_used.name} {codes_used.digest.hex()}"
            if not pair.ours[0].extra.get("valid_on"):
                yield f"valid {codes_used.name} {[code.code for code in codes_used.on(on)]}"
