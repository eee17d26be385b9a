"""Connectors of ``kind: drop``: CSV, XLSX and fixed-width files on an SFTP server, read and written as declared."""

from __future__ import annotations

from pathlib import Path

from samspil.connector import Connector, Reads, Writes
from samspil.declared.drop.checks import require
from samspil.declared.drop.connector import Drop, DropSettings, ReadingDrop, WritingDrop
from samspil.declared.drop.declaration import Declaration
from samspil.declared.settings import settings_class
from samspil.yamlfile import YamlFile

__all__ = ["Declaration", "Drop", "DropSettings", "connector", "declaration"]


def declaration(path: Path) -> Declaration:
    """A ``connector.yaml`` of this kind. Raises SettingsError with file, line and field."""
    return _read(path).value


def connector(path: Path) -> type[Connector]:
    """The class that a declaration describes. Raises SettingsError with file, line and field."""
    file = _read(path)
    declared = file.value
    name = "".join(word.capitalize() for word in path.parent.name.split("_"))
    reads = {schema: Reads(one.record) for schema, one in declared.schemas.items() if one.listing}
    writes = {
        schema: Writes(
            one.record,
            batch=one.write.batch,
            deletes=one.write.actions is not None,
            idempotency="key" if one.write.key else "id",
        )
        for schema, one in declared.schemas.items()
        if one.write
    }
    return type(
        name,
        (*([ReadingDrop] if reads else []), *([WritingDrop] if writes else [])),
        {
            "title": declared.title,
            "Settings": settings_class(f"{name}Settings", file, DropSettings),
            "declaration": declared,
            "reads": reads,
            "writes": writes,
            "__module__": __name__,
            "__doc__": f"Declared in {path.parent.name}/{path.name}.",
        },
    )


def _read(path: Path) -> YamlFile[Declaration]:
    file = YamlFile(path, Declaration)
    require(file)
    return file
