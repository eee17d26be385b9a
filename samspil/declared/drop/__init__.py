"""Connectors of ``kind: drop``: CSV, XLSX and fixed-width files on an SFTP server, read and written as declared."""

from __future__ import annotations

from pathlib import Path

import msgspec

from samspil.connector import Connector, Reads, Writes
from samspil.declared.drop.checks import require
from samspil.declared.drop.connector import Drop, DropSettings, ReadingDrop, WritingDrop
from samspil.declared.drop.declaration import Declaration
from samspil.yamlfile import YamlFile

__all__ = ["Declaration", "Drop", "DropSettings", "connector", "declaration"]


def declaration(path: Path) -> Declaration:
    """A ``connector.yaml`` of this kind. Raises SettingsError with file, line and field."""
    file = YamlFile(path, Declaration)
    require(file)
    return file.value


def connector(path: Path) -> type[Connector]:
    """The class that a declaration describes. Raises SettingsError with file, line and field."""
    declared = declaration(path)
    name = "".join(word.capitalize() for word in path.parent.name.split("_"))
    settings = msgspec.defstruct(
        f"{name}Settings",
        [(setting, str) for setting in declared.settings],
        bases=(DropSettings,),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return type(
        name,
        (*([ReadingDrop] if declared.reads else []), *([WritingDrop] if declared.writes else [])),
        {
            "title": declared.title,
            "Settings": settings,
            "declaration": declared,
            "reads": {schema: Reads(reading.record) for schema, reading in declared.reads.items()},
            "writes": {
                schema: Writes(
                    writing.record,
                    batch=writing.batch,
                    deletes=writing.actions is not None,
                    idempotency="key" if writing.delivery else "id",
                )
                for schema, writing in declared.writes.items()
            },
            "__module__": __name__,
            "__doc__": f"Declared in {path.parent.name}/{path.name}.",
        },
    )
