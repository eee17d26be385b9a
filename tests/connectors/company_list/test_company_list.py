"""The company list: a workbook over real SFTP, read, mapped and delivered."""

from __future__ import annotations

import io

import msgspec
import openpyxl
import pytest

from connectors.company_list.sandbox import CompanyListSandbox
from samspil import mapping, registry
from samspil.errors import Refused, Unavailable
from samspil.testing.world import World

SCHEMA = "company"
CompanyList = registry.connector("company_list")

OFFICE = """
    kind: drop
    title: An office that takes companies as CSV
    folder: ind
    schemas:
      company:
        record: Virksomhed
        key: Nummer
        write:
          file: Virksomheder_{delivery}.csv
          format: csv
          delimiter: ","
          key: Leverance
          id: VoresNr
          actions: {column: Handling, put: GEM, delete: SLET}
          trailer: Antal
          receipt:
            {folder: kvittering, status: Status, passed: [OK], id: VoresNr, reference: Kvittering, code: Fejl, field: Felt}
          columns:
            - {name: Leverance, length: 36, required: true}
            - {name: Handling, type: code, required: true, values: [GEM, SLET]}
            - {name: VoresNr}
            - {name: Nummer, required: true}
            - {name: CVR, type: digits, length: 8, required: true}
            - {name: PNummer, title: P-nr., type: digits, length: 10, required: true}
            - {name: Virksomhed, required: true}
            - {name: Adresse}
            - {name: Postnr, type: digits, length: 4}
            - {name: By}
            - {name: Pladser, type: integer, required: true}
            - {name: LedigePladser, title: Ledige pladser, type: integer, required: true}
"""


@pytest.fixture
def companies():
    with CompanyListSandbox(World("760", citizens=120)) as sandbox:
        yield sandbox


@pytest.fixture
def connector(companies):
    made = CompanyList(companies.account)
    yield made
    made.close()


def everything(connector):
    """(key → record or reason, reasons of what was rejected)."""
    found, rejected = {}, []
    for page in connector.read(SCHEMA):
        records = connector.decode(SCHEMA, page.raws)
        found |= {key.decode(): record for key, record in zip(page.keys, records, strict=True)}
        rejected += [item.error.reason for item in page.rejected]
    return found, rejected


def edited(companies, edit):
    """Let somebody open the list in a spreadsheet, change it and save it."""
    (path,) = (companies.root / "virksomheder").glob("*.xlsx")
    book = openpyxl.load_workbook(path)
    edit(book["Virksomheder"])
    stream = io.BytesIO()
    book.save(stream)
    path.write_bytes(stream.getvalue())


def test_every_field_arrives_as_the_world_has_it(companies, connector):
    to_ours = mapping.load(
        "company_list",
        SCHEMA,
        fields=CompanyList.fields(SCHEMA),
        struct=registry.schema(SCHEMA),
        directions=["to_ours"],
    ).to_ours
    companies.to_night(4)  # by then everything is mended
    found, rejected = everything(connector)
    assert [] == rejected
    expected = {fact["id"]: fact for fact in companies.world.records(SCHEMA, 4)}
    assert expected == {key: msgspec.to_builtins(to_ours(record)) for key, record in found.items()}


def test_a_night_of_damages_costs_the_damaged_only(companies, connector):
    companies.to_night(3)
    found, rejected = everything(connector)
    reasons = {key: record.reason for key, record in found.items() if isinstance(record, Refused)}
    assert set(companies.world.broken(SCHEMA, 3)) == set(reasons)
    assert {"missing-field", "field-count", "formula"} == set(reasons.values())
    assert [] == rejected


def test_a_formula_names_file_row_and_column(companies, connector):
    edited(companies, lambda sheet: sheet.cell(5, 9, "=H5"))
    found, _ = everything(connector)
    (refused,) = [record for record in found.values() if isinstance(record, Refused) and record.reason == "formula"]
    assert "Virksomheder_20261030.xlsx:5:LedigePladser" == refused.field


def test_an_empty_list_is_a_list_without_companies(companies, connector):
    edited(companies, lambda sheet: sheet.delete_rows(4, 1000))
    assert ({}, []) == everything(connector)


@pytest.mark.parametrize("fault", ["truncate", "status:503"])
def test_part_of_a_workbook_is_unavailable(companies, connector, fault):
    companies.faults.add(fault, path="/virksomheder/")
    with pytest.raises(Unavailable):
        everything(connector)


def test_no_workbook_at_all_is_rejected_and_nothing_is_complete(companies, connector):
    companies.faults.add("garbage", path="/virksomheder/")
    assert ({}, ["not-xlsx"]) == everything(connector)


def test_three_nights_reach_an_office_that_takes_csv(drop_flow):
    flow = drop_flow(CompanyListSandbox(World("760", citizens=120)), SCHEMA, OFFICE)
    first = flow.night(1)
    broken = len(flow.source.world.broken(SCHEMA, 1))
    assert (first.delivered, first.held_back) == (first.read - broken, broken)
    assert flow.expected(1) == flow.held
    again = flow.night(1)
    assert first.creates == again.creates  # the same run, planned once
    flow.night(2)
    flow.night(4)
    assert flow.expected(4) == flow.held
    assert [] == [key for key in flow.target.doubled(SCHEMA) if key not in changed(flow)]


def changed(flow):
    """Ids of companies that were other some night, which are put again rightly."""
    nights = [{fact["id"]: fact for fact in flow.source.world.records(SCHEMA, night)} for night in (1, 2, 4)]
    return {key for key in nights[0] if any(night.get(key) != nights[0][key] for night in nights)}


def test_a_torn_workbook_deletes_nothing(drop_flow):
    flow = drop_flow(CompanyListSandbox(World("760", citizens=120)), SCHEMA, OFFICE)
    flow.night(1)
    held = flow.held
    flow.source.faults.add("truncate", path="/virksomheder/")
    with pytest.raises(Unavailable):
        flow.night(2)
    assert held == flow.held
