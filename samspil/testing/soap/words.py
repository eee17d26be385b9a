"""A world's facts in a declared system's own words, and as the XML it would send, whole or damaged.

The words come of the connector's mapping read backwards; where there is none yet, of the WSDL alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec

from samspil import mapping, registry
from samspil.declared.soap.schemas import Element
from samspil.declared.soap.system import SoapSystem
from samspil.declared.soap.values import got, put
from samspil.errors import SettingsError
from samspil.mapping import Mapping
from samspil.testing.facts import Fact
from samspil.testing.soap.instances import example, instance
from samspil.testing.spoken import Spoken

Record = dict[str, Any]
_SHOWN = "7"  # a fact whose key ends so also shows what the mapping leaves behind


class Words:
    """One schema of one system."""

    def __init__(self, system: type[SoapSystem], schema: str, folder: Path) -> None:
        self._kind, self._key = system.kinds[schema], system.checked.schemas[schema].key
        self._shape, self._element = system.shape(schema), system.checked.records[schema]
        security = system.checked.declaration.security
        self._signed = security is not None and security.signed
        self._mapping, self._struct = _loaded(system, schema, folder)
        self._to_theirs: Callable[[Any], Record] | None = None
        if self._mapping:
            names = [node.path for node in self._mapping.resolution.ours.children.values()]
            self._to_theirs = self._mapping.to_theirs(names)
            self._spoken = Spoken(self._mapping)

    @property
    def mapped(self) -> bool:
        """Whether there is a mapping; else nothing is known of the fields but what the WSDL says."""
        return self._mapping is not None

    def record(self, fact: Fact) -> Record:
        """A fact as the system's record."""
        if self._mapping is None or self._to_theirs is None:
            return instance(self._element, {self._key: fact["id"]})
        made = self._to_theirs(msgspec.convert(self._spoken(fact), self._struct))
        if str(fact["id"]).endswith(_SHOWN):
            for side, node, _ in self._mapping.resolution.lost:
                element = self._element.find(node.path) if side == "theirs" and "[]" not in node.path else None
                if element is not None and not element.children:
                    more = put(deepcopy(made), {node.path: example(element)})
                    if self._kind.check([self.raw(more)]) == [None]:  # one of a choice may be there already
                        made = more
        return made

    def raw(self, record: Record) -> bytes:
        """A record as it stands in an answer."""
        return self._kind.encode(record)

    def damaged(self, record: Record, kind: str) -> bytes:
        """A record with one kind of damage (see ``World.broken``)."""
        if kind == "broken-syntax" and self._signed:
            kind = "unknown-field"  # what is no XML cannot be signed
        name = f"{self._shape.prefix}:{self._kind.name}" if self._shape.prefix else self._kind.name
        end = f"</{name}>".encode()
        if kind == "broken-syntax":
            return self.raw(record).removesuffix(end)
        if kind == "unknown-field":
            name = f"{self._shape.prefix}:Ukendt" if self._shape.prefix else "Ukendt"
            return self.raw(record).removesuffix(end) + f"<{name}>1</{name}>".encode() + end
        record = msgspec.json.decode(msgspec.json.encode(record))
        places = {"bad-date": (self._dates, "2026-13-45"), "unknown-code": (self._codes, "UKENDT")}
        places["bad-cpr"] = (self._cprs, "9999999999")  # no such day
        find, value = places.get(kind, (self._needed, None))
        for path in find():
            if value is None or got(record, path) is not None:
                put(record, {path: value})
                return self.raw(record)
        raise SettingsError(f"the sandbox cannot show {kind} in this record", field=self._kind.name)

    def _dates(self) -> Iterator[str]:
        return (path for path, leaf in leaves(self._element) if leaf.node().kind == "date" and path != self._key)

    def _codes(self) -> Iterator[str]:
        return self._pairs(lambda pair: pair.converter is not None and pair.converter.code_list is not None)

    def _cprs(self) -> Iterator[str]:
        return self._pairs(lambda pair: pair.converter is not None and pair.converter.name == "cpr")

    def _needed(self) -> Iterator[str]:
        return (path for path, leaf in leaves(self._element) if leaf.required and path != self._key)

    def _pairs(self, wanted: Callable[[Any], bool]) -> Iterator[str]:
        pairs = self._mapping.resolution.pairs if self._mapping else []
        return (pair.theirs[0].path for pair in pairs if wanted(pair))


def _loaded(system: type[SoapSystem], schema: str, folder: Path) -> tuple[Mapping | None, type]:
    """The mapping, None if it is not there or not all decided yet."""
    if not (folder / system.name / f"{schema}.yaml").is_file():
        return None, dict
    struct = registry.schema(schema)
    try:
        fields = system.fields(schema)
        return mapping.load(
            system.name, schema, fields=fields, struct=struct, folder=folder, directions=("to_theirs",)
        ), struct
    except SettingsError:
        return None, struct


def leaves(element: Element, at: str = "") -> Iterator[tuple[str, Element]]:
    """The leaves that do not repeat, with their paths."""
    for name, child in element.children.items():
        if child.children and not child.many:
            yield from leaves(child, f"{at}{name}.")
        elif not child.children and not child.many:
            yield f"{at}{name}", child
