"""Reading the municipalities' files from disk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from samspil.agreement.checks import check
from samspil.agreement.terms import MunicipalityFile, WrittenFile
from samspil.errors import SettingsError
from samspil.yamlfile import YamlFile

_WANTED = {  # last part of a field's path → what belongs there, where the type alone would say too little
    "code": 'write the municipality code as three digits in quotes, such as "730"',
    "cvr": "write the CVR number as eight digits in quotes",
    "schedule": 'write a cron expression in quotes, such as "0 2 * * *"',
    "deadline": 'write the time as HH:MM in quotes, such as "06:00"',
    "rhythm": "write nightly, weekly, monthly or on-change",
    "protected_addresses": "write withheld or sent",
    "between": "name the two systems of the agreement",
    "changes": "write a percentage from 0 to 100",
    "deletions": "write a percentage from 0 to 100",
    "smallest_read": "write a percentage from 0 to 100",
    "pool_slots": "write a whole number of at least 1",
    "rotation": "write mapped or forgotten",
    "zeros": "write shown or hidden",
    "without": "write record, or list the fields that stay",
    "purpose": "say what the data is used for",
    "years": "write a whole number of years from 1 to 100",
    "legal_basis": "name the act and the section",
}


def load_municipality(path: Path | str, schemas: Mapping[str, type]) -> MunicipalityFile:
    """Read one municipality's file and check it against the shared schemas.

    ``schemas`` is ``samspil.registry.schemas()``: name → struct. Raises SettingsError pointing at file, line and
    field for the first thing that is wrong.
    """
    path = Path(path)
    if not re.fullmatch(r"[a-z][a-z0-9_]*\.yaml", path.name):
        raise SettingsError("name the file in a-z, 0-9 and _, ending in .yaml", file=str(path))
    try:
        file = YamlFile(path, WrittenFile)
    except SettingsError as error:
        wanted = _WANTED.get(re.sub(r"(\[[^\]]*\])+$", "", error.field).rpartition(".")[2])
        if wanted is None or not re.search(": (Expected|Invalid) ", str(error)):  # what msgspec says of a wrong value
            raise
        raise SettingsError(wanted, file=error.file, line=error.line, field=error.field) from None
    check(file, schemas)
    return MunicipalityFile.of(file.value, path.stem, str(path))


def load_all(folder: Path | str, schemas: Mapping[str, type]) -> list[MunicipalityFile]:
    """Every ``*.yaml`` of a folder, by file name. Raises SettingsError also if two files are of one municipality."""
    loaded: list[MunicipalityFile] = []
    seen: dict[str, Path] = {}
    for path in sorted(Path(folder).glob("*.yaml")):
        file = load_municipality(path, schemas)
        first = seen.setdefault(file.municipality.code, path)
        if first is not path:
            raise SettingsError(f"is already in {first.name}", file=str(path), field="municipality.code")
        loaded.append(file)
    return loaded
