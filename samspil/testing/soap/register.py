"""What a declared system was sent: checked, kept, and answered with a receipt per record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lxml import etree

from samspil import xml
from samspil.declared.soap.declaration import Receipt, Schema, Sending, Writing
from samspil.declared.soap.schemas import Element
from samspil.declared.soap.system import SoapSystem
from samspil.declared.soap.values import got, put
from samspil.errors import Refused
from samspil.testing.sandbox import Kept
from samspil.testing.soap.history import History
from samspil.testing.soap.instances import instance
from samspil.testing.soap.words import Record

Refuses = Callable[[str, Record], tuple[str, str] | None]  # schema and record → the system's code and field


class Register:
    """One schema's records by their key. The same idempotency key again gets the same receipt and changes nothing,
    and with other content a refusal.
    """

    def __init__(
        self, system: type[SoapSystem], schema: str, writing: Writing, history: History, kept: Kept, refuses: Refuses
    ) -> None:
        self._system, self._name, self._writing, self._history, self._kept = system, schema, writing, history, kept
        self._schema: Schema = system.checked.schemas[schema]
        self._refuses = refuses
        self._receipts: dict[str, tuple[bytes, Record]] = {}  # by idempotency key, with what was sent
        self._senders: dict[str, str] = {}  # our own number → the sender's key

    def key(self, number: str) -> str:
        """The key of the record that we call so."""
        return self._senders.get(number, number)

    def deliver(self, way: str, items: Iterable[etree._Element], night: int) -> list[Record]:
        """A receipt for each, by path."""
        return [self._deliver(way, self._writing.ways[way], item, night) for item in items]

    def failed(self, way: str, items: Iterable[etree._Element]) -> list[Record]:
        """A receipt for each that says the system failed at it; nothing is kept."""
        wanted = self._writing.receipt
        return [
            {wanted.key: text(item, self._writing.ways[way].key), wanted.status: "".join(wanted.again[:1])}
            for item in items
        ]

    def _deliver(self, way: str, sending: Sending, item: etree._Element, night: int) -> Record:
        key = text(item, sending.key) if sending.key else ""
        content: bytes = etree.tostring(item, method="c14n", exclusive=True)
        before, receipt = self._receipts.get(key.lower(), (content, None))
        if receipt is not None and before == content:
            return receipt
        receipt = self._refused("ANDETINDHOLD", "") if before != content else self._handled(way, sending, item, night)
        if self._writing.receipt.key:
            receipt[self._writing.receipt.key] = key
        if key and before == content:
            self._receipts[key.lower()] = content, receipt
        return receipt

    def _handled(self, way: str, sending: Sending, item: etree._Element, night: int) -> Record:
        element = item.find(f".//{self._system.checked.records[self._name].tag}")
        record: Record | Refused | None = None
        if element is not None:
            raw = xml.canonical(element, self._system.shape(self._name).prefixes)
            record = self._system.kinds[self._name].decode([raw])[0]
        if isinstance(record, Refused):
            return self._refused("UGYLDIG", record.field)
        given = text(item, sending.id) if sending.id else ""
        sender = str(got(record, self._schema.key)) if record is not None else self.key(given)
        if given and self.key(given) != sender:
            return self._refused("UKENDT", sending.id)
        there = sender in self._kept or sender in self._history.shown(night)
        if way == "delete":
            if not there:
                return self._refused("UKENDT", self._schema.key)
            self._kept.pop(sender, None)
            self._history.withdraw(sender, night)
            return self._accepted(sender)
        if (way == "update" and not there) or (way == "create" and sender in self._kept):
            return self._refused("UKENDT" if way == "update" else "FINDES", self._schema.key)
        if record is None:
            return self._refused("UGYLDIG", "")
        if why := self._refuses(self._name, record):
            return self._refused(*why)
        self._kept[sender] = record
        self._history.take(sender, record, night)
        return self._accepted(sender)

    def _accepted(self, sender: str) -> Record:
        wanted, receipt = self._writing.receipt, Record()
        if wanted.status:
            receipt[wanted.status] = wanted.passed[0]
        if wanted.id:
            receipt[wanted.id] = f"N-{sender}"
            self._senders[f"N-{sender}"] = sender
        if wanted.reference:
            receipt.setdefault(wanted.reference, f"KV-{len(self._receipts) + 1:06}")
        return receipt

    def _refused(self, code: str, field: str) -> Record:
        wanted, receipt = self._writing.receipt, Record()
        if wanted.status:
            receipt[wanted.status] = self._refusal(wanted)
        if wanted.code:
            receipt[wanted.code] = code
        if wanted.field and field:
            receipt[wanted.field] = field
        return receipt

    def _refusal(self, wanted: Receipt) -> str:
        """A status that neither passes nor asks to send again: the first such in the WSDL."""
        sending = next(iter(self._writing.ways.values()))
        answer = self._system.checked.contract.operation(sending.operation).answer
        path = f"{wanted.each}.{wanted.status}" if wanted.each else wanted.status
        element = answer.find(path)
        codes = [] if element is None else enumerated(element)
        return next((code for code in codes if code not in (*wanted.passed, *wanted.again)), "AFVIST")


def enumerated(element: Element) -> list[str]:
    """The codes that an element's type lists."""
    definition, _ = element.schemas.type_of(element.definition)
    found = [] if definition is None else list(definition.iter("{http://www.w3.org/2001/XMLSchema}enumeration"))
    return [one.get("value") or "" for one in found]


def text(item: etree._Element, path: str) -> str:
    """The text at a dotted path of local names."""
    return (item.findtext("/".join(f"{{*}}{step}" for step in path.split("."))) or "").strip()


def receipts(answer: Element, writing: Writing, found: list[Record]) -> dict[str, Any]:
    """The receipts as an answer's values by path."""
    each = writing.receipt.each
    if not each:
        return found[0] if found else {}
    item = answer.find(each)
    return {each: [instance(item, one) if item else put({}, one) for one in found]}
