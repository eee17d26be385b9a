"""The mappings: every fact of the world goes there and back, and every field of the contract is seen."""

from __future__ import annotations

import msgspec
import pytest

from connectors.jobcenter.connector import Jobcenter
from connectors.jobcenter.contract import RECORDS, record_type
from connectors.jobcenter.words import WORDS, rendered
from samspil.mapping import load
from samspil.testing.world import World
from schemas import SCHEMAS


def mapping(schema):
    return load("jobcenter", schema, fields=Jobcenter.fields(schema), struct=SCHEMAS[schema])


@pytest.mark.parametrize("schema", RECORDS)
@pytest.mark.parametrize("municipality", ["730", "751"])
def test_every_fact_survives_the_way_there_and_back(schema, municipality):
    table, kind = mapping(schema), record_type(schema)
    for fact in World(municipality, citizens=60).records(schema):
        ours = msgspec.convert(fact, SCHEMAS[schema])
        (theirs,) = kind.decode([kind.encode(table.to_theirs(fact.keys())(ours))])
        assert ours == table.to_ours(theirs)


@pytest.mark.parametrize("schema", WORDS)
def test_what_the_sandbox_shows_reads_as_the_fact_it_is(world, schema):
    table, kind = mapping(schema), record_type(schema)
    for fact in world.records(schema):
        (theirs,) = kind.decode([rendered(RECORDS[schema], WORDS[schema](fact))])
        assert msgspec.convert(fact, SCHEMAS[schema]) == table.to_ours(theirs)


@pytest.mark.parametrize("schema", WORDS)
def test_the_sandbox_shows_every_field_of_the_contract(schema):
    seen = set()

    def walk(value, at):
        if isinstance(value, dict):
            for name, item in value.items():
                many = isinstance(item, list)
                path = f"{at}{name}[]" if many else f"{at}{name}"
                seen.add(path)
                for below in item if many else [item]:
                    walk(below, f"{path}.")

    for fact in World("730", citizens=200).records(schema):
        walk(record_type(schema).decode([rendered(RECORDS[schema], WORDS[schema](fact))])[0], "")
    assert set(Jobcenter.fields(schema)) == seen
