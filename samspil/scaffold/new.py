"""New connectors: a scaffold from each kind of contract."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from samspil import registry
from samspil.errors import SettingsError
from samspil.scaffold import csvfile, openapi, python, rest, soap, wsdl
from samspil.scaffold.fields import Record
from samspil.scaffold.names import title
from samspil.scaffold.parts import HEAD, add_rest, add_sandbox
from samspil.scaffold.questions import OF_FILES, of_openapi, of_wsdl
from samspil.scaffold.readme import readme
from samspil.scaffold.scaffold import Scaffold
from samspil.scaffold.text import asked, listed


class Wanted(NamedTuple):
    """A shared schema, and what the contract calls its record; empty if the contract is to tell."""

    schema: str
    record: str


def wanted(given: Sequence[str]) -> list[Wanted]:
    """``case`` or ``case=Sag``, checked against the shared schemas. Raises SettingsError with the list of them."""
    there = registry.schemas()
    if not given:
        raise SettingsError(
            f"say which shared schema its records become: --schema NAME or NAME=RECORD; there are {', '.join(there)}",
            field="--schema",
            reason="no-schema",
        )
    found = [Wanted(*text.partition("=")[::2]) for text in given]
    for one in found:
        registry.schema(one.schema)
    if len({one.schema for one in found}) != len(found):
        raise SettingsError("a schema is given twice", field="--schema")
    return found


def from_openapi(name: str, contract: Path, schemas: Sequence[Wanted], into: Path) -> Scaffold:
    """A declared REST connector. Raises SettingsError."""
    made = Scaffold(name, into)
    file = openapi.OpenApi(contract)
    records = _records(schemas, file.records, contract, file.contract.components)
    copy = "openapi.json" if contract.suffix == ".json" else "openapi.yaml"
    text = rest.declaration(file, copy, records, asked)
    made.add(f"{made.connector}/{copy}", contract.read_bytes())
    made.add(f"{made.connector}/connector.yaml", HEAD.format(contract=contract.name, name=name) + text)
    add_sandbox(made, "MappedRestSandbox", copy, "folder = Path(__file__).parent", module="samspil.scaffold.sandboxes")
    add_rest(made, {schema: file.record(record) for schema, record in records.items()})
    made.add(
        f"{made.connector}/README.md",
        readme(
            name,
            file.title or title(name),
            made=f"A REST system, declared in `connector.yaml` beside its contract, `{copy}`; there is no Python in it.",
            schemas=list(records),
            files=[("connector.yaml", "which call does what"), (copy, "the contract"), ("sandbox.py", "a stand-in")],
            third="See the sandbox's records: it makes them from the mapping as soon as that is decided.",
            connection="Type `https`, host, port, schema (a path above the contract's), login and password as the login wants "
            "them, and in `extra` what `settings` declares. `timeout`, `attempts`, `rate`, `ca`, `certificate`: as every "
            "connector over HTTP.",
            sandbox="Checks the login, every parameter and every body against the contract, closed: nothing unknown passes.",
            questions=of_openapi(file),
        ),
    )
    return made


def from_wsdl(name: str, contract: Path, schemas: Sequence[Wanted], into: Path) -> Scaffold:
    """A declared SOAP connector. Raises SettingsError."""
    made = Scaffold(name, into)
    file = wsdl.Wsdl(contract)
    records = _records(schemas, file.records, contract)
    text = soap.declaration(file, records, title(name), asked)
    for path, data in file.files.items():
        made.add(f"{made.connector}/{path}", data)
    made.add(f"{made.connector}/connector.yaml", HEAD.format(contract=contract.name, name=name) + text)
    add_sandbox(made, "SoapSandbox", contract.name, "folder = Path(__file__).parent", module="samspil.testing.soap")
    add_rest(made, {schema: file.record(record) for schema, record in records.items()})
    others = ", ".join(path for path in file.files if path != contract.name)
    contracts = [(contract.name, f"the contract{f', with {others}' if others else ''}")]
    made.add(
        f"{made.connector}/README.md",
        readme(
            name,
            title(name),
            made=f"A SOAP system of {len(file.operations)} operations, declared in `connector.yaml` beside its WSDL; there is "
            "no Python in it.",
            schemas=list(records),
            files=[("connector.yaml", "which operation does what"), *contracts, ("sandbox.py", "a stand-in")],
            third="See the sandbox's records: it makes them from the mapping as soon as that is decided.",
            connection="Type `https`, host, port, schema (the service's path), login and password or `certificate` and "
            "`certificate_password`, and in `extra` what `settings` declares. `page_size`, `timeout`, `attempts`, `rate`, "
            "`ca`: as every connector over HTTP.",
            sandbox="Checks the login, the SOAPAction, headers and every message by the schema. Operations that "
            "`connector.yaml` says nothing of are answered with an example made from the schema.",
            questions=of_wsdl(file, records),
        ),
    )
    return made


def from_csv(name: str, contract: Path, schemas: Sequence[Wanted], into: Path) -> Scaffold:
    """A declared drop of CSV files. Raises SettingsError."""
    made = Scaffold(name, into)
    file = csvfile.CsvSample(contract)
    if len(schemas) != 1:
        raise SettingsError("a CSV file carries one schema; add the others by hand", field="--schema")
    ((schema, given),) = schemas
    record = given or file.word
    text = csvfile.declaration(file, schema, record, title(name), asked)
    head = HEAD.format(contract=f"the header of {contract.name}; no row of it is kept", name=name)
    made.add(f"{made.connector}/connector.yaml", head + text)
    add_sandbox(
        made,
        "MappedDropSandbox",
        "the columns",
        "folder = Path(__file__).parent",
        module="samspil.scaffold.sandboxes",
    )
    add_rest(made, {schema: file.record(record)})
    made.add(
        f"{made.connector}/README.md",
        readme(
            name,
            title(name),
            made="CSV files that one side leaves on an SFTP server for the other, declared in `connector.yaml`.",
            schemas=[schema],
            files=[("connector.yaml", "the files and their columns"), ("sandbox.py", "a stand-in")],
            third="Say in `columns` what is never empty (`required: true`) and what has codes (`type: code, values: […]`).",
            connection="Type `sftp`, host, port, schema (the folder that all others lie in), login, password or `private_key`, "
            "and `host_key`.",
            sandbox="A real SFTP server with a file a night, written as declared.",
            questions=OF_FILES,
            wire="real SFTP",
        ),
    )
    return made


def by_hand(name: str, schemas: Sequence[Wanted], into: Path) -> Scaffold:
    """A connector in Python, its methods still to be written. Raises SettingsError."""
    made = Scaffold(name, into)
    records = {one.schema: one.record for one in schemas}
    for schema in (one.schema for one in schemas if not one.record):
        raise SettingsError(f"say what the system calls the record: --schema {schema}=RECORD", field="--schema")
    made.add(f"{made.connector}/connector.py", python.connector(name, title(name), records))
    made.add(f"{made.connector}/sandbox.py", python.sandbox(name, title(name)))
    add_rest(made, {one.schema: Record(one.record, {}) for one in schemas})
    made.add(
        f"{made.connector}/README.md",
        readme(
            name,
            title(name),
            made="A connector in Python.",
            schemas=list(records),
            files=[
                ("connector.py", "the connector; samspil/connector.py is its contract"),
                ("sandbox.py", "a stand-in"),
            ],
            third="Let the sandbox speak as the system does, with its habits and its errors: it is what is tested against.",
            connection="Type `https`, host, port, schema (path), and what the settings class declares in `extra`.",
            sandbox="Shows the world's facts at `GET /<schema>` until it is written.",
            questions=("Which calls are there, and is there a machine-readable contract after all (OpenAPI, WSDL)?",),
        ),
    )
    return made


def _records(
    schemas: Sequence[Wanted], there: Sequence[str], contract: Path, described: Sequence[str] = ()
) -> dict[str, str]:
    """The record of each schema: as given, or the only one there is; ``described`` are there, but in no call."""
    found: dict[str, str] = {}
    for one in schemas:
        if not there and not one.record:
            message = "has no call that answers or takes a record which the contract describes by a name of its own"
            raise SettingsError(message, file=str(contract), reason="no-record")
        if one.record and one.record not in {*there, *described}:
            raise SettingsError(
                f"has no record {one.record}; there is {listed(there or described, most=30)}", file=str(contract)
            )
        if not one.record and len(there) > 1:
            raise SettingsError(
                f"say which record is {one.schema}: --schema {one.schema}=RECORD; there is {listed(there, most=30)}",
                file=str(contract),
                reason="no-record",
            )
        found[one.schema] = one.record or there[0]
    return found
