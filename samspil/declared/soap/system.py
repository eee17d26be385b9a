"""The connector that a declaration and a WSDL make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from samspil.account import Account
from samspil.connector import Change, Connector, Field, Page, Reads, Receipt, Writes
from samspil.cut import RecordShape
from samspil.declared.soap.checks import Checked
from samspil.declared.soap.contract import shape
from samspil.declared.soap.reading import Listed
from samspil.declared.soap.service import Service
from samspil.declared.soap.source import Source
from samspil.declared.soap.writing import Delivery, place
from samspil.errors import Refused
from samspil.soap import fault_reason
from samspil.xsd import RecordType


class SoapSystem(Connector):
    """Reads and writes what its declaration says. A subclass is made for each declaration."""

    name: ClassVar[str]  # the folder's
    checked: ClassVar[Checked]
    kinds: ClassVar[dict[str, RecordType]]
    requests: ClassVar[dict[str, RecordType]]

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._service = Service(self.name, self.checked, self.settings, self.requests)

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        return cls.kinds[schema].fields

    @classmethod
    def shape(cls, schema: str) -> RecordShape:
        """How the schema's records are cut out of an answer."""
        declared = cls.checked.schemas[schema]
        return shape(cls.checked.records[schema], key=declared.key, prefix=cls.checked.declaration.prefix)

    def check(self) -> None:
        for attempt in self._service.soap.retried():
            with attempt:
                self._service.call(self.checked.check)

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        listing = self.checked.schemas[schema].listing if schema in self.reads else None
        if listing is None:
            return super().read(schema, since)
        return iter(Listed(self._source(schema), listing, self.settings.page_size, since))

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        return self.kinds[schema].decode(raws)

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        declared = self.checked.schemas.get(schema)
        if declared is None or declared.write is None:
            return super().write(schema, batch)
        places = {
            way: place(
                self.checked.contract.operation(sending.operation).request, declared, sending, deletes=way == "delete"
            )
            for way, sending in declared.write.ways.items()
        }
        return Delivery(self._service, declared, declared.write, self.kinds[schema], places).write(batch, self.settings)

    def fetch(self, schema: str, their_id: str) -> dict[str, Any] | None:
        declared = self.checked.schemas.get(schema)
        if declared is None or declared.fetch is None:
            return super().fetch(schema, their_id)
        missing = {fault_reason(code) for code in self.checked.declaration.errors.missing}
        source = self._source(schema)
        for attempt in self._service.soap.retried():
            with attempt:
                try:
                    answer = source.ask(declared.fetch, {declared.fetch.id: their_id})
                except Refused as error:
                    if error.reason in missing:
                        return None
                    raise
        for one in answer.rejected:
            raise one.error
        for found in self.decode(schema, answer.raws):
            if isinstance(found, Refused):
                raise found
            return found
        return None

    def _source(self, schema: str) -> Source:
        return Source(self._service, self.shape(schema))

    def close(self) -> None:
        self._service.close()


def made(path: Path) -> type[SoapSystem]:
    """The class for a ``connector.yaml``. Raises SettingsError with file and line."""
    checked = Checked(path)
    name = path.parent.name
    title = "".join(part.capitalize() for part in name.split("_"))
    prefix = checked.declaration.prefix
    kinds = {
        schema: checked.contract.record_type(checked.records[schema], key=declared.key, prefix=prefix)
        for schema, declared in checked.schemas.items()
    }
    reads = {
        schema: Reads(declared.record, "incremental" if declared.listing.incremental else "snapshot")
        for schema, declared in checked.schemas.items()
        if declared.listing
    }
    writes = {
        schema: Writes(
            declared.record,
            batch=declared.write.batch,
            deletes=declared.write.delete is not None,
            idempotency="key" if all(way.key for way in declared.write.ways.values()) else "id",
        )
        for schema, declared in checked.schemas.items()
        if declared.write
    }
    return type(
        title,
        (SoapSystem,),
        {
            "__module__": f"connectors.{name}",
            "__doc__": checked.declaration.title,
            "title": checked.declaration.title,
            "Settings": checked.settings,
            "name": name,
            "checked": checked,
            "kinds": kinds,
            "requests": {},
            "reads": reads,
            "writes": writes,
            **_cannot(
                reads=bool(reads), writes=bool(writes), fetches=any(one.fetch for one in checked.schemas.values())
            ),
        },
    )


def _cannot(**can: bool) -> dict[str, Any]:
    """The methods of what it does not do, as they are in a connector that never said so."""
    methods = {"reads": ("read", "decode"), "writes": ("write",), "fetches": ("fetch",)}
    return {method: getattr(Connector, method) for name, able in can.items() if not able for method in methods[name]}
