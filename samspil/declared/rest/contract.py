"""A declaration held against its OpenAPI file when it is loaded: what the file does not have, nobody can call.

Every error names the declaration's file, line and field, and what the OpenAPI file has instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NoReturn

from samspil.answer import BUSY
from samspil.declared.incremental import NEVER
from samspil.declared.login import header_of
from samspil.declared.rest.declaration import Declaration, Declared, Incremental, List, Put, Write
from samspil.declared.rest.paging import Numbered, Offset
from samspil.declared.rest.writing import PART
from samspil.openapi import Contract, Operation, Schema
from samspil.yamlfile import YamlFile


class Checked:
    """The check itself; making one does it. ``lists`` are the calls that read pages, by schema."""

    def __init__(self, file: YamlFile[Declaration], contract: Contract) -> None:
        self._file, self._contract, self._declaration = file, contract, file.value
        self.lists: dict[str, Operation] = {}
        self._require(self._operation("GET", self._declaration.check, "check"), "check")
        for name, declared in self._declaration.schemas.items():
            self._schema(name, declared, f"schemas.{name}")

    def _schema(self, name: str, declared: Declared, at: str) -> None:
        if declared.record not in self._contract.components:
            self._wrong(
                f"has no component {declared.record}", self._contract.components, declared.record, f"{at}.record"
            )
        record = self._contract.component(declared.record)
        if declared.list is None and declared.write is None:
            raise self._file.error("says neither how it is read (list) nor how it is written (write)", at=at)
        if self._contract.within(record, declared.key) is None:
            self._no_property(record, declared.record, declared.key, f"{at}.key")
        if declared.list is not None:
            self.lists[name] = self._list(declared, declared.list, record, f"{at}.list")
        if declared.fetch is not None:
            where = f"{at}.fetch"
            call = self._operation("GET", declared.fetch.path, f"{where}.path")
            self._parts(call, 1, f"{where}.path")
            self._is_record(call, call.answer, declared.fetch.within, record, f"{where}.within")
            self._require(call, f"{where}.path")
        if declared.write is not None:
            self._write(declared.write, record, f"{at}.write")

    def _list(self, declared: Declared, listing: List, record: Schema, at: str) -> Operation:
        call = self._operation("GET", listing.path, f"{at}.path")
        self._answers(call, declared, listing, record, at)
        paging = listing.pages
        for name in paging.parameters:
            self._parameter(call, name, f"{at}.paging")
        sent = list(paging.parameters)
        incremental = listing.incremental
        if incremental is not None:
            sent.append(incremental.since)
            self._incremental(call, declared, listing, incremental, record, f"{at}.incremental")
        self._require(call, f"{at}.path", sent)
        return call

    def _answers(self, call: Operation, declared: Declared, listing: List, record: Schema, at: str) -> None:
        """The records and what is beside them are in the answer, each of its type."""
        found = self._place(call, call.answer, listing.records, f"{at}.records")
        if self._contract.resolved(found.get("items", {})) != record:
            where = f"at {listing.records} " if listing.records else ""
            raise self._error(call, f"answers {where}no list of {declared.record}", f"{at}.records")
        for name, place in listing.pages.places.items():
            kind = self._place(call, call.answer, place, f"{at}.paging.{name}").get("type")
            if name == "more" and kind != "boolean":
                raise self._error(call, f"answers no boolean at {place}", f"{at}.paging.more")
            if name == "total" and kind != "integer":
                raise self._error(call, f"answers no integer at {place}", f"{at}.paging.total")

    def _incremental(
        self, call: Operation, declared: Declared, listing: List, incremental: Incremental, record: Schema, at: str
    ) -> None:
        if isinstance(listing.pages, Numbered | Offset):
            raise self._file.error(
                "needs paging by after or link: while records change, numbered pages shift and one is missed", at=at
            )
        since = self._parameter(call, incremental.since, f"{at}.since")
        if since.get("format") not in ("date-time", "date"):
            raise self._error(call, f"says not that {incremental.since} is a date-time or date", f"{at}.since")
        if incremental.changed:
            self._changed(declared, record, incremental.changed, f"{at}.changed")
        if incremental.gone != NEVER:
            self._gone(call, declared, listing, incremental, f"{at}.gone")
        if incremental.clock:
            self._place(call, call.answer, incremental.clock, f"{at}.clock")

    def _changed(self, declared: Declared, record: Schema, name: str, at: str) -> None:
        field = self._contract.within(record, name)
        if field is None:
            self._no_property(record, declared.record, name, at)
        if field.get("format") != "date-time":
            raise self._file.error(f"{self._contract.path.name}: {declared.record}.{name} is no date-time", at=at)

    def _gone(self, call: Operation, declared: Declared, listing: List, incremental: Incremental, at: str) -> None:
        gone = incremental.told
        if (bool(gone.field), bool(gone.keys), bool(gone.path)).count(True) != 1:
            raise self._file.error("takes exactly one of keys, field, path", at=at)
        if gone.field:
            record = self._contract.component(declared.record)
            if self._contract.within(record, gone.field) is None:
                self._no_property(record, declared.record, gone.field, f"{at}.field")
        elif gone.keys:
            self._place(call, call.answer, gone.keys, f"{at}.keys")
        else:
            sent = [*listing.pages.parameters, incremental.since]
            deleted = self._operation("GET", gone.path, f"{at}.path")
            for name in sent:
                self._parameter(deleted, name, f"{at}.path")
            self._place(deleted, deleted.answer, listing.records, f"{at}.path")
            self._require(deleted, f"{at}.path", sent)

    def _write(self, write: Write, record: Schema, at: str) -> None:
        other = (BUSY | {401, 403}).intersection(write.receipt.refused)
        if other:
            raise self._file.error(f"{min(other)} is about all calls, not about one record", at=f"{at}.receipt.refused")
        if write.put is not None:
            self._put(write, write.put, record, at)
        elif not write.create or not write.update:
            raise self._file.error("give either put, or create and update", at=at)
        elif not write.keyed and not (write.create.startswith("PUT ") and PART.search(write.create)):
            raise self._file.error(
                "a create that is sent again makes two; name where the idempotency key goes (key), or create with PUT "
                "at a path that has a {field} of the record, where a second one replaces the first",
                at=f"{at}.create",
            )
        for name, spelled in (("create", write.create), ("update", write.update), ("delete", write.delete)):
            if spelled:
                self._call(write, name, spelled, record, f"{at}.{name}")

    def _call(self, write: Write, name: str, spelled: str, record: Schema, at: str) -> None:
        call = self._operation(*_split(spelled), at)
        key, sent = write.key, [write.key.header] if write.key.header else []
        parts = PART.findall(call.path)
        if name != "create" or len(parts) > 1:
            self._parts(call, 1, at)
        elif parts and self._contract.within(record, parts[0]) is None:
            self._no_property(record, "the record", parts[0], at)
        if name != "delete":
            if key.header and call.parameter(key.header, "header") is None:
                raise self._error(call, f"has no header {key.header}", at)
            if key.field:
                self._place(call, call.body, key.field, at, what="takes")
            self._is_record(call, call.body, write.within, record, at, beside=key.field if not write.within else "")
        if name == "create" and not PART.search(call.path):
            self._place(call, call.answer, write.receipt.id, at)
        self._require(call, at, sent)

    def _put(self, write: Write, put: Put, record: Schema, at: str) -> None:
        receipt = write.receipt
        call = self._operation(*_split(put.call), f"{at}.put.call")
        if write.create or write.update or write.key.field or write.within:
            raise self._file.error(
                "is instead of create and update, and has a key and a within of its own", at=f"{at}.put"
            )
        if not receipt.each or not receipt.key:
            raise self._file.error(
                "many records in a call need a receipt each; give `each` and `key`", at=f"{at}.receipt"
            )
        items = self._contract.within(call.body, put.each)
        item = self._contract.resolved(items["items"]) if items and "items" in items else None
        if item is None:
            raise self._error(call, f"takes no list at {put.each}", f"{at}.put.each")
        for name in ("key", "id"):
            self._place(call, item, getattr(put, name), f"{at}.put.{name}", what="takes in an item")
        self._is_record(call, item, put.within, record, f"{at}.put.within")
        results = self._place(call, call.answer, receipt.each, f"{at}.receipt.each")
        result = self._contract.resolved(results.get("items", {}))
        for name in ("key", "id", "status"):
            if place := getattr(receipt, name):
                self._place(call, result, place, f"{at}.receipt.{name}", what="answers in a result")
        self._require(call, f"{at}.put.call")

    def _operation(self, method: str, path: str, at: str) -> Operation:
        found = self._contract.operation(method, path)
        if found is None:
            self._wrong(f"has no call {method} {path}", self._contract.calls, f"{method} {path}", at)
        return found

    def _parameter(self, call: Operation, name: str, at: str) -> Schema:
        found = call.parameter(name, "query")
        if found is None:
            there = ", ".join(one.name for one in call.parameters if one.place == "query") or "none"
            raise self._error(call, f"has no query parameter {name}; it has: {there}", at)
        return found.schema

    def _parts(self, call: Operation, count: int, at: str) -> None:
        if len(PART.findall(call.path)) != count:
            raise self._file.error("needs a path with one {name}, the system's id of the record", at=at)

    def _place(self, call: Operation, schema: Schema | None, place: str, at: str, *, what: str = "answers") -> Schema:
        found = self._contract.within(schema, place)
        if found is None:
            raise self._error(call, f"{what} nothing at {place or 'its top'}, as far as the file says", at)
        return found

    def _is_record(
        self, call: Operation, schema: Schema | None, within: str, record: Schema, at: str, *, beside: str = ""
    ) -> None:
        """The record is there, or all its fields are (beside the idempotency key's, or within an allOf)."""
        found = self._place(call, schema, within, at, what="has")
        if found != record:
            there, mine = (set(self._contract.object(one)[0]) for one in (found, record))
            if there - {beside} != mine:
                raise self._error(call, f"has no such record at {within or 'its top'}", at)

    def _require(self, call: Operation, at: str, sent: Sequence[str] = ()) -> None:
        """All that the call requires is sent: parameters of the query, headers."""
        headers = {
            *(name.lower() for name in (*self._declaration.headers, *sent)),
            header_of(self._declaration.login).lower(),
            "accept",
            "authorization",
            "content-type",
        }
        for one in call.parameters:
            known = {"header": headers, "query": set(sent), "path": {one.name}}.get(one.place, set())
            if one.required and one.name not in known:
                raise self._error(call, f"requires the {one.place} parameter {one.name}, which is not sent", at)

    def _no_property(self, record: Schema, component: str, name: str, at: str) -> NoReturn:
        self._wrong(f"{component} has no property {name}", self._contract.object(record)[0], name, at)

    def _wrong(self, message: str, there: Iterable[str], given: str, at: str) -> NoReturn:
        names = list(there)
        near = get_close_matches(given, names, n=3, cutoff=0.5) or names[:10]
        has = f"; it has: {', '.join(near)}" if near else ""
        raise self._file.error(f"{self._contract.path.name}: {message}{has}", at=at)

    def _error(self, call: Operation, message: str, at: str) -> Exception:
        return self._file.error(f"{self._contract.path.name}:{call.line}: {call.method} {call.path} {message}", at=at)


def _split(call: str) -> tuple[str, str]:
    method, _, path = call.partition(" ")
    return method, path
