"""A declaration held against its WSDL: every operation, element and field it names must be there.

An error names file, line and field of the declaration, and what there is instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from samspil.declared.login import login_fields
from samspil.declared.settings import settings_class
from samspil.declared.soap import values
from samspil.declared.soap.contract import Contract, Operation
from samspil.declared.soap.declaration import Call, Declaration, Errors, Incremental, Listing, Schema, Sending, Writing
from samspil.declared.soap.schemas import Element
from samspil.declared.soap.security import security_fields
from samspil.declared.values import require_names
from samspil.errors import SettingsError
from samspil.http import HttpSettings
from samspil.wssecurity import SignedSettings
from samspil.yamlfile import YamlFile

_SHOWN = 15  # names in an error
_PAGE_SIZE = Annotated[int, Meta(ge=0, le=100_000)]  # 0: what the declaration says


class Checked:
    """A declaration that fits its WSDL. Raises SettingsError if it does not.

    ``schemas`` has each schema as declared, ``records`` the element that carries it.
    """

    def __init__(self, path: Path) -> None:
        self.file = YamlFile(path, Declaration)
        self.declaration = self.file.value
        try:
            self.contract = Contract(path.parent / self.declaration.wsdl)
        except SettingsError as error:
            if not (path.parent / self.declaration.wsdl).is_file():
                raise self.file.error("there is no such file in the folder", at="wsdl") from error
            raise
        security = self.declaration.security
        self.settings = settings_class(
            f"{path.parent.name.title().replace('_', '')}Settings",
            self.file,
            SignedSettings if security else HttpSettings,
            more=[*login_fields(self.declaration.login), *security_fields(security), ("page_size", _PAGE_SIZE, 0)],
        )
        self._errors(self.declaration.errors)
        for name, given in self.declaration.headers.items():
            self._header(name, given)
        self.check = self._call(self.declaration.check, "check")
        self.schemas = self.declaration.schemas
        self.records: dict[str, Element] = {}
        for name, schema in self.schemas.items():
            self._schema(name, schema)

    def operation(self, name: str, at: str) -> Operation:
        try:
            found = self.contract.operation(name)
        except SettingsError as error:
            raise self.file.error(str(error).partition(": ")[2], at=at) from None
        security = self.declaration.security
        if security and security.addressing and not found.action:
            message = f"the WSDL names no SOAPAction for {name}, which security with addressing cannot do without"
            raise self.file.error(message, at=at)
        return found

    def header(self, name: str) -> Element:
        """The SOAP header of this name."""
        return self.contract.schemas.elements(name)[0]

    def _errors(self, errors: Errors) -> None:
        if bool(errors.status) != bool(errors.passed):
            raise self.file.error("`status` and `passed` belong together", at="errors")
        for code in errors.missing:
            if not re.fullmatch(r"[A-Za-z][A-Za-z.]{0,39}|[0-9]{1,6}", code):
                raise self.file.error("a code is letters and dots, or up to six digits", at="errors.missing")

    def _header(self, name: str, given: dict[str, Any]) -> None:
        at = f"headers.{name}"
        found = self.contract.schemas.elements(name)
        if len(found) != 1:
            many = "more than one such element; write {namespace}name" if found else "no such element on its own"
            raise self.file.error(f"the WSDL has {many}", at=at)
        self._values(given, found[0], f"the header {name}", at)

    def _call(self, given: str | Call, at: str) -> Call:
        call = given if isinstance(given, Call) else Call(operation=given)
        operation = self.operation(call.operation, f"{at}.operation")
        self._values(call.values, operation.request, f"the request of {call.operation}", f"{at}.values")
        return call

    def _values(self, given: dict[str, Any], element: Element, where: str, at: str) -> None:
        for path, _ in values.leaves(given):
            self._path(path, element, where, f"{at}.{path}")
        require_names(self.file, given, at)

    def _path(self, path: str, element: Element, where: str, at: str) -> Element:
        """The element at a path. Raises SettingsError telling what there is."""
        found, there = element, where
        for step in path.split("."):
            child = found.children.get(step)
            if child is None:
                raise self.file.error(f"{there} has no {step}; there is {_listed(found.children)}", at=at)
            found, there = child, f"{where}: {step}"
        return found

    def _schema(self, name: str, schema: Schema) -> None:
        at = f"schemas.{name}"
        if not (schema.listing or schema.write):
            raise self.file.error("needs a `list` to be read or a `write` to be written", at=at)
        if schema.listing:
            self._call(schema.listing, f"{at}.list")
            self._record(name, schema, self.operation(schema.listing.operation, at).answer, f"{at}.list.operation")
            self._paging(schema.listing, f"{at}.list.paging")
        if schema.fetch:
            operation = self.operation(schema.fetch.operation, f"{at}.fetch.operation")
            self._call(schema.fetch, f"{at}.fetch")
            self._path(schema.fetch.id, operation.request, f"the request of {operation.name}", f"{at}.fetch.id")
            self._record(name, schema, operation.answer, f"{at}.fetch.operation")
        if schema.write:
            self._writing(name, schema, schema.write, f"{at}.write")
        record = self.records[name]
        self._path(schema.key, record, f"the record {schema.record}", f"{at}.key")
        if schema.listing and schema.listing.incremental:
            self._incremental(schema.listing, schema.listing.incremental, record, f"{at}.list.incremental")

    def _record(self, name: str, schema: Schema, within: Element, at: str) -> None:
        """The record's element, the same wherever it stands."""
        found = within.below(schema.record)
        if not found:
            containers = [child for child, one in _all(within) if one.children]
            raise self.file.error(f"{within.name} has no {schema.record}; there is {_listed(containers)}", at=at)
        if not all(self.records.setdefault(name, found[0][1]).same(one) for _, one in found):
            raise self.file.error(f"{within.name} has another {schema.record} than the operation before it", at=at)

    def _paging(self, listing: Listing, at: str) -> None:
        paging = listing.pages
        if paging is None:
            return
        operation = self.contract.operation(listing.operation)
        for name in (*paging.ways, "size"):
            if path := getattr(paging, name):
                self._path(path, operation.request, f"the request of {operation.name}", f"{at}.{name}")
        for name in ("more", "total", "next"):
            if path := getattr(paging, name):
                self._path(path, operation.answer, f"the answer of {operation.name}", f"{at}.{name}")

    def _incremental(self, listing: Listing, incremental: Incremental, record: Element, at: str) -> None:
        operation = self.contract.operation(listing.operation)
        where = f"the answer of {operation.name}"
        self._path(incremental.since, operation.request, f"the request of {operation.name}", f"{at}.since")
        if incremental.clock:
            self._path(incremental.clock, operation.answer, where, f"{at}.clock")
        if incremental.told:
            self._path(incremental.told, operation.answer, where, f"{at}.gone.keys")
        if incremental.changed:
            self._path(incremental.changed, record, f"the record {record.name}", f"{at}.changed")
            if len(record.below(incremental.changed.rpartition(".")[2])) > 1:
                raise self.file.error("stands in more than one place of the record", at=f"{at}.changed")

    def _writing(self, name: str, schema: Schema, writing: Writing, at: str) -> None:
        ways = writing.ways
        if set(ways) - {"delete"} not in ({"put"}, {"create", "update"}, {"create"}):
            raise self.file.error("give either put, or create and update", at=at)
        if schema.fetch is None:
            raise self.file.error("what is written must be read back; give `fetch`", at=at)
        for way, sending in ways.items():
            self._sending(name, schema, sending, f"{at}.{way}", way)
            self._receipts(writing, self.contract.operation(sending.operation), at)
        if writing.create and not writing.create.key:
            raise self.file.error(
                "a create that is sent again makes two; name where the idempotency key goes (key), or use put if a "
                "second one replaces the first",
                at=f"{at}.create",
            )

    def _sending(self, name: str, schema: Schema, sending: Sending, at: str, way: str) -> None:
        operation = self.operation(sending.operation, f"{at}.operation")
        where = f"the request of {operation.name}"
        self._values(sending.values, operation.request, where, f"{at}.values")
        item = operation.request
        if sending.each:
            item = self._path(sending.each, operation.request, where, f"{at}.each")
            where = f"{where}: {sending.each}"
            if not item.many:
                raise self.file.error(f"{sending.each} does not repeat; leave `each` out", at=f"{at}.each")
        for field in ("key", "id"):
            if path := getattr(sending, field):
                self._path(path, item, where, f"{at}.{field}")
        self._values(sending.item, item, where, f"{at}.item")
        if way != "delete" or not sending.id:
            self._record(name, schema, item, f"{at}.operation")

    def _receipts(self, writing: Writing, operation: Operation, at: str) -> None:
        receipt, where = writing.receipt, f"the answer of {operation.name}"
        at = f"{at}.receipt"
        if any(way.each for way in writing.ways.values()) and not receipt.each:
            raise self.file.error("many records in a call need a receipt each; give `each`", at=at)
        if bool(receipt.status) != bool(receipt.passed):
            raise self.file.error("`status` and `passed` belong together", at=at)
        item = operation.answer
        if receipt.each:
            item = self._path(receipt.each, operation.answer, where, f"{at}.each")
            where = f"{where}: {receipt.each}"
        for field in ("key", "id", "reference", "status", "code", "field"):
            if path := getattr(receipt, field):
                self._path(path, item, where, f"{at}.{field}")


def _all(element: Element) -> Iterable[tuple[str, Element]]:
    """Every name below an element, one level of each type."""
    seen = []
    waiting = [element]
    while waiting:
        one = waiting.pop()
        if one.definition not in seen:
            seen.append(one.definition)
            for name, child in one.children.items():
                yield name, child
                waiting.append(child)


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "") if found else "nothing in it"
