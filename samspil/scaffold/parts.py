"""The files that every scaffold has: sandbox, package, mappings, tests."""

from __future__ import annotations

from collections.abc import Mapping

from samspil import registry
from samspil.scaffold.fields import Record
from samspil.scaffold.mappings import mapping
from samspil.scaffold.names import class_name, title
from samspil.scaffold.scaffold import Scaffold
from samspil.scaffold.text import WIDTH

HEAD = """\
# Made from {contract}.
# What stands after !TODO is a question: write your decision in the place of both. Those that are left are listed by
# samspil new connector {name} --open
"""

_TESTS = '''"""Every promise of the conformance kit, tried on {name}; while something is to decide, that is what fails."""

from __future__ import annotations
{path}
from connectors.{name}.sandbox import {sandbox}
from samspil.scaffold.testing import undecided
from samspil.testing.conformance import Subject, conformance
{folder}
{test}
'''

_SANDBOX = '''"""{title} on this machine, made of {contract}{more}."""

from __future__ import annotations

from pathlib import Path

from {module} import {base}


class {sandbox}({base}):
    """Shows its world's records as the mapping says them, read backwards."""

    {place}
{mappings}'''


def add_rest(made: Scaffold, records: Mapping[str, Record]) -> None:
    """What every scaffold has: the package, the mappings, the tests."""
    made.add(f"{made.connector}/__init__.py", f'"""{title(made.name)}."""\n')
    for schema, record in records.items():
        made.add(f"{made.mappings}/{schema}.yaml", mapping(schema, registry.schema(schema), record))
    foreign, sandbox = made.foreign, f"{class_name(made.name)}Sandbox"
    given, named = (", MAPPINGS", ", mappings=MAPPINGS") if foreign else ("", "")
    before = f'test_conformance = undecided("{made.name}", {sandbox}{given}) or conformance('
    subject = f'Subject("{made.name}", {sandbox}{named})'
    one_line = f"{before}{subject})"
    made.add(
        f"{made.tests}/test_{made.name}_conformance.py",
        _TESTS.format(
            name=made.name,
            sandbox=sandbox,
            path="\nfrom pathlib import Path\n" if foreign else "",
            folder='\nMAPPINGS = Path(__file__).parents[3] / "mappings"\n' if foreign else "",
            test=one_line if len(one_line) <= WIDTH else f"{before}\n    {subject}\n)",
        ),
    )


def add_sandbox(made: Scaffold, base: str, contract: str, place: str, *, module: str) -> None:
    """A dozen lines: where the contract is. ``place`` is the line that says it."""
    lines = '    mappings = Path(__file__).parents[2] / "mappings"\n' if made.foreign else ""
    made.add(
        f"{made.connector}/sandbox.py",
        _SANDBOX.format(
            title=title(made.name),
            contract=contract,
            more="" if contract == "the columns" else " and connector.yaml",
            module=module,
            base=base,
            sandbox=f"{class_name(made.name)}Sandbox",
            place=place,
            mappings=lines,
        ),
    )
