"""The persons planted in a trial: the values that must turn up nowhere but in records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from samspil import registry
from samspil.connector import Connector
from samspil.mapping import tree
from samspil.testing.conformance.trial import Trial
from samspil.testing.leaks.forms import SHORTEST


def planted(trial: Trial, schema: str) -> set[str]:
    """Every value of the schema's facts that is sensitive or identifies a person; keys of records and codes do not count."""
    marked = {
        node.path.replace("[]", "")
        for node in tree.ours(registry.schema(schema)).walk()
        if node.path and _telling(node.path, node.extra)
    }
    found = set()
    for fact in trial.world.records(schema, trial.night):
        found |= {value for path, value in _texts(fact) if path in marked and len(value) > SHORTEST}
    words = _words(trial.subject.connector, schema)
    return {value for value in found if value.lower() not in words}


def _words(connector: type[Connector], schema: str) -> str:
    """The contract's own words: an error names a field, and a fact's text may happen to be called as the field is."""
    told = [said[schema].record for said in (connector.reads, connector.writes) if schema in said]
    return " ".join([*told, *connector.fields(schema)]).lower()


def _telling(path: str, extra: Any) -> bool:
    name = path.replace("[]", "").rpartition(".")[2]
    if name == "id" or name.endswith("_id") or extra.get("code_list"):
        return False
    return name == "cpr" or extra.get("sensitivity") in ("identifier", "sensitive")


def _texts(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _texts(below, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for below in value:
            yield from _texts(below, at)
    elif isinstance(value, str):
        yield at, value
