"""A WSDL looked through for a scaffold: its records, and the operations, headers and codes they have to do with."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from samspil import xml
from samspil.declared.soap.contract import Contract, Operation
from samspil.declared.soap.documents import WSDL, XSD
from samspil.declared.soap.schemas import Element
from samspil.errors import SettingsError
from samspil.scaffold.elements import described, inner
from samspil.scaffold.fields import Described, Record
from samspil.scaffold.terms import plain
from samspil.scaffold.text import listed

_IMPORTS = {f"{{{WSDL}}}import": "location"} | {
    f"{{{XSD}}}{name}": "schemaLocation" for name in ("import", "include", "redefine")
}
_CODES = ("kode", "code", "status")
_SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
_POLICIES = ("http://schemas.xmlsoap.org/ws/2004/09/policy", "http://www.w3.org/ns/ws-policy")


class Uses(NamedTuple):
    """The operations a record has to do with."""

    lists: list[Operation]
    fetches: list[Operation]
    sends: list[Operation]


class Wsdl:
    """A WSDL with all it imports. Raises SettingsError with file and line for one that cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path, self.contract = path, Contract(path)
        if not self.contract.names:
            raise SettingsError("has no operations", file=str(path))
        self.operations = [self.contract.operation(name) for name in self._in_order()]

    @property
    def files(self) -> dict[str, bytes]:
        """The WSDL and every file it imports, by their paths below its folder."""
        folder, found = self.path.resolve().parent, dict[str, bytes]()
        waiting = [self.path.resolve()]
        while waiting:
            file = waiting.pop()
            name = str(file.relative_to(folder))
            if name not in found:
                found[name] = file.read_bytes()
                root = xml.parse(found[name])
                locations = (one.get(_IMPORTS[str(one.tag)]) for one in root.iter(*_IMPORTS))
                waiting += [(file.parent / there.removeprefix("file://")).resolve() for there in locations if there]
        return found

    @property
    def has_policy(self) -> bool:
        """Whether it says by WS-Policy how messages are secured."""
        tags = [f"{{{namespace}}}Policy" for namespace in _POLICIES]
        return any(next(xml.parse(data).iter(*tags), None) is not None for data in self.files.values())

    @property
    def records(self) -> list[str]:
        """The elements that are carried as records: those in lists first, then what is fetched alone."""
        lists, ones = list[str](), list[str]()
        for operation in self.operations:
            for _, child in inner(operation.answer):
                if child.children and child.name not in lists:
                    (lists if child.many else ones).append(child.name)
        sent = {child.name for operation in self.operations for _, child in inner(operation.request)}
        return list(dict.fromkeys([*lists, *(name for name in ones if name in sent)]))

    def element(self, record: str) -> Element:
        """The element of a record."""
        found = [
            child for one in self.operations for side in (one.answer, one.request) for _, child in side.below(record)
        ]
        if not found or not found[0].children:
            raise SettingsError(
                f"has no record {record}; there is {listed(self.records, most=15)}", file=str(self.path)
            )
        return found[0]

    def record(self, name: str) -> Record:
        """A record's fields."""
        element = self.element(name)
        fields = self.contract.record_type(element).fields
        found = {path: Described(one.required, *described(element, path)) for path, one in fields.items()}
        return Record(name, found)

    def uses(self, record: str) -> Uses:
        """The operations that answer or take a record."""
        lists, fetches, sends = list[Operation](), list[Operation](), list[Operation]()
        for one in self.operations:
            found = one.answer.below(record)
            if found:
                (lists if any(child.many for _, child in found) else fetches).append(one)
            if one.request.below(record):
                sends.append(one)
        return Uses(lists, fetches, sends)

    @cached_property
    def headers(self) -> list[Element]:
        """The SOAP headers that the requests carry."""
        root = xml.parse(self.path.read_bytes())
        parts = {
            (message.get("name"), part.get("name")): part
            for message in root.iter(f"{{{WSDL}}}message")
            for part in message.iter(f"{{{WSDL}}}part")
        }
        found: dict[str, Element] = {}
        for one in root.iterfind(f".//{{{WSDL}}}input/{{{_SOAP}}}header"):
            part = parts.get(((one.get("message") or "").rpartition(":")[2], one.get("part")))
            name = part.get("element") if part is not None else None
            element = (
                self.contract.schemas.element(self.contract.schemas.tag(part, name))
                if part is not None and name
                else None
            )
            if element is not None:
                found.setdefault(element.name, element)
        return list(found.values())

    @cached_property
    def fault_codes(self) -> list[str]:
        """Elements in faults that look like a code."""
        root = xml.parse(self.path.read_bytes())
        names = {
            (one.get("message") or "").rpartition(":")[2]
            for one in root.iterfind(f".//{{{WSDL}}}portType//{{{WSDL}}}fault")
        }
        found: dict[str, None] = {}
        for message in root.iter(f"{{{WSDL}}}message"):
            for part in message.iter(f"{{{WSDL}}}part") if message.get("name") in names else ():
                element = self.contract.schemas.element(self.contract.schemas.tag(part, part.get("element") or ""))
                below = {} if element is None else dict(inner(element))
                found |= dict.fromkeys(one.name for one in below.values() if plain(one.name).endswith(_CODES))
        return list(found)

    @cached_property
    def statuses(self) -> list[str]:
        """Elements in most ordinary answers that look like a status."""
        counts: dict[str, int] = {}
        for one in self.operations:
            near = {child.name for path, child in inner(one.answer) if path.count(".") < 3 and not child.children}
            for name in near:
                if plain(name).endswith(_CODES):
                    counts[name] = counts.get(name, 0) + 1
        return [name for name, count in counts.items() if count * 2 > len(self.operations)]

    def _in_order(self) -> list[str]:
        """The operations as the file has them."""
        root = etree.fromstring(self.path.read_bytes(), etree.XMLParser(**xml.SAFE))
        order = [one.get("name") for one in root.iterfind(f".//{{{WSDL}}}portType/{{{WSDL}}}operation")]
        return sorted(self.contract.names, key=lambda name: order.index(name) if name in order else len(order))
