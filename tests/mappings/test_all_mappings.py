"""Every mapping file there is, against its connector's contract and its shared schema."""

from pathlib import Path

import msgspec
import pytest

from samspil import mapping, registry
from samspil.mapping import table
from samspil.mapping.mapping import FOLDER

FILES = sorted(path.relative_to(FOLDER) for path in FOLDER.glob("*/*.yaml"))
SYSTEMS = sorted({path.parts[0] for path in FILES})


def _load(path: Path) -> mapping.Mapping:
    schema, _, municipality = path.stem.partition(".")
    connector = registry.connector(path.parts[0])
    directions = [
        direction
        for direction, schemas in (("to_ours", connector.reads), ("to_theirs", connector.writes))
        if schema in schemas
    ]
    return mapping.load(
        path.parts[0],
        schema,
        municipality or None,
        fields=connector.fields(schema),
        struct=registry.schema(schema),
        directions=directions,
    )


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_mapping_file_fits_both_sides(path):
    loaded = _load(path)
    names = [field.name for field in msgspec.structs.fields(registry.schema(loaded.schema))]
    if "to_ours" in loaded.directions:
        assert callable(loaded.to_ours)
    if "to_theirs" in loaded.directions:
        assert callable(loaded.to_theirs(names))
    assert 16 == len(loaded.digest)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_the_table_of_a_mapping_names_every_field_of_both_sides(path):
    loaded = _load(path)
    shown = "\n".join(f"{line.theirs} {line.ours}" for line in table.lines(loaded))
    names = {field.name for field in msgspec.structs.fields(registry.schema(loaded.schema))}
    assert set() == {name for name in names if name not in shown}
    assert all(line.note or line.ours for line in table.lines(loaded))


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_connector_has_a_mapping_for_each_schema_it_reads_or_writes_and_no_other(system):
    connector = registry.connector(system)
    files = {path.stem for path in FILES if path.parts[0] == system and "." not in path.stem}
    assert {*connector.reads, *connector.writes} == files
