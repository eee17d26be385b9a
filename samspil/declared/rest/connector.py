"""The connector that a declaration describes. Each declaration is a subclass, made by ``connector``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from samspil import json, openapi
from samspil.account import Account
from samspil.connector import Change, Connector, Field, Page, Reads, Receipt, Writes
from samspil.declared.login import grant_of, login_fields
from samspil.declared.rest.answer import at
from samspil.declared.rest.caller import Caller
from samspil.declared.rest.contract import Checked
from samspil.declared.rest.declaration import Declaration, Declared
from samspil.declared.rest.reading import Reading
from samspil.declared.rest.writing import PART, Writing
from samspil.declared.settings import settings_class
from samspil.declared.values import require_names
from samspil.errors import Refused
from samspil.http import HttpSettings
from samspil.openapi import Contract, Operation
from samspil.yamlfile import YamlFile

PAGE = 1000  # records asked for at once, where the system allows it


class RestConnector(Connector):
    """One account at a system that speaks REST as its ``connector.yaml`` and OpenAPI file say."""

    declaration: ClassVar[Declaration]
    contract: ClassVar[Path]  # the OpenAPI file
    lists: ClassVar[Mapping[str, Operation]]

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._caller = Caller(account, self.declaration, self.settings)

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        return openapi.fields(cls.contract, cls.declaration.schemas[schema].record)

    def check(self) -> None:
        """Raises AccessError, or Unavailable if what answers is no such system: a log-in page, say."""
        path = self.declaration.check
        answer = self._caller.get(path)
        try:
            msgspec.json.decode(answer.body, type=dict[str, Any] | list[Any])
        except (msgspec.MsgspecError, RecursionError, ValueError):
            raise self._caller.strange(f"GET {path}: the answer is no JSON", "answer-invalid") from None

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        """Every page, or those of what changed. One that cannot be cut is yielded as rejected.

        Raises AccessError, or Unavailable if pages repeat or several in a row cannot be cut: the end would be a guess.
        """
        declared = self.declaration.schemas[schema]
        if declared.list is None:
            yield from super().read(schema, since)
            return
        incremental = declared.list.incremental
        found = self.lists[schema].parameter(incremental.since, "query") if incremental else None
        day = found is not None and found.schema.get("format") == "date"
        yield from Reading(self._caller, declared, declared.list, since, day=day)

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        del schema  # all are JSON objects
        return json.decoded(raws)

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        write = self.declaration.schemas[schema].write
        if write is None:
            return super().write(schema, batch)
        return Writing(self._caller, write, self.fields(schema)).send(batch)

    def fetch(self, schema: str, their_id: str) -> dict[str, Any] | None:
        fetch = self.declaration.schemas[schema].fetch
        if fetch is None:
            return super().fetch(schema, their_id)
        parts = dict.fromkeys(PART.findall(fetch.path), their_id)
        answer = self._caller.send("GET", fetch.path, parts=parts)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise self._caller.strange(
                f"GET {fetch.path}: answered with status {answer.status}", f"status-{answer.status}"
            )
        try:
            record = at(msgspec.json.decode(answer.body), fetch.within)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            record = None
        if not isinstance(record, dict):
            raise self._caller.strange(f"GET {fetch.path}: gave a record that is none", "answer-invalid")
        return record

    def close(self) -> None:
        self._caller.close()


def connector(path: Path) -> type[Connector]:
    """The class that the declaration at ``path`` describes. Raises SettingsError with file, line and field.

    The declaration is checked against its OpenAPI file here; nothing is called.
    """
    file = YamlFile(path, Declaration)
    declaration = file.value
    place = path.parent / declaration.openapi
    if place.parent != path.parent or not place.is_file():
        raise file.error(f"no file {declaration.openapi} in the connector's folder", at="openapi")
    checked = Checked(file, Contract(place))
    name = "".join(word.capitalize() for word in path.parent.name.split("_"))
    more = [*login_fields(declaration.login), *_page_size(declaration, checked.lists.values())]
    if declaration.rate is not None:
        limit = Meta(gt=0, le=declaration.rate)  # an account may ask for less, never for more
        more.append(("rate", Annotated[float, limit], declaration.rate))
    kind = settings_class(f"{name}Settings", file, HttpSettings, more=more)
    require_names(file, declaration.headers, "headers")
    if grant := grant_of(declaration.login):
        require_names(file, grant.form, "login.oauth.form")
    for one in declaration.schemas.values():
        openapi.fields(place, one.record)  # a record that refers to itself or away is an error now, not at night
    reads = {schema: found for schema, one in declaration.schemas.items() if (found := _reads(one))}
    writes = {schema: made for schema, one in declaration.schemas.items() if (made := _writes(one))}
    can = {
        "read": reads,
        "decode": reads,
        "write": writes,
        "fetch": any(one.fetch for one in declaration.schemas.values()),
    }
    body: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": f"{declaration.title}, as declared in {path.name}.",
        "title": declaration.title,
        "Settings": kind,
        "declaration": declaration,
        "contract": place,
        "lists": checked.lists,
        "reads": reads,
        "writes": writes,
        # the methods of what it does not do are those of a connector that never said so
        **{name: getattr(Connector, name) for name, able in can.items() if not able},
    }
    return type(name, (RestConnector,), body)


def _reads(declared: Declared) -> Reads | None:
    if declared.list is None:
        return None
    return Reads(declared.record, "incremental" if declared.list.incremental else "snapshot")


def _writes(declared: Declared) -> Writes | None:
    write = declared.write
    if write is None:
        return None
    return Writes(declared.record, write.batch, bool(write.delete), "key" if write.keyed else "id")


def _page_size(declaration: Declaration, lists: Iterable[Operation]) -> list[Any]:
    """The setting, if lists have such a parameter: within the limits that all of them have."""
    sizes = {one.list.pages.size for one in declaration.schemas.values() if one.list} - {""}
    bounds = [parameter.schema for call in lists for parameter in call.parameters if parameter.name in sizes]
    if not bounds:
        return []
    least = max(int(schema.get("minimum", 1)) for schema in bounds)
    most = min(int(schema.get("maximum", 100 * PAGE)) for schema in bounds)
    return [("page_size", Annotated[int, Meta(ge=max(1, least), le=most)], min(PAGE, most))]
