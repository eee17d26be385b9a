"""What a WSDL offers: its operations by name, each with the elements of its request and its answer."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree
from zeep.wsdl.bindings import Soap11Binding
from zeep.wsdl.messages import DocumentMessage

from samspil import soap
from samspil.cut import RecordShape
from samspil.declared.soap import references
from samspil.declared.soap.compiled import compiled
from samspil.declared.soap.documents import documents
from samspil.declared.soap.schemas import Element, Schemas
from samspil.errors import SettingsError
from samspil.xsd import RecordType

PREFIX = "r"  # for records, where the declaration does not say what the system writes


class Operation(NamedTuple):
    """One operation. ``action`` is its SOAPAction without quotation marks."""

    name: str
    action: str
    request: Element
    answer: Element


class Contract:
    """A WSDL 1.1 with a SOAP 1.1 port in document style. Raises SettingsError for any other, with file and line."""

    def __init__(self, wsdl: Path) -> None:
        self.wsdl = wsdl
        found = documents(wsdl)
        references.check(found)
        self.schemas = Schemas(found)
        client = soap._client(wsdl)  # noqa: SLF001  # read once a process, and the one that is called later
        binding: Any = client.service._binding  # noqa: SLF001  # zeep has no other way
        if not isinstance(binding, Soap11Binding):
            raise SettingsError("its first port is not one of SOAP 1.1", file=str(wsdl), field=str(binding.name))
        self._operations: dict[str, Any] = binding._operations  # noqa: SLF001  # zeep has no other way

    @property
    def names(self) -> list[str]:
        """Every operation's name."""
        return sorted(self._operations)

    def operation(self, name: str) -> Operation:
        """One operation. Raises SettingsError naming those there are."""
        found = self._operations.get(name)
        if found is None:
            raise SettingsError(f"there is no operation {name}; there are {', '.join(self.names)}", field=name)
        elements = []
        for message in (found.input, found.output):
            body = message.body if isinstance(message, DocumentMessage) else None
            element = None if body is None else self.schemas.element(body.qname.text)
            if element is None:
                raise SettingsError(f"{name} is not document/literal with one element each way", field=name)
            elements.append(element)
        return Operation(name, found.soapaction or "", *elements)

    def record_type(self, element: Element, *, key: str = "", prefix: str = "") -> RecordType:
        """An element as records are read and written by."""
        schema = self.whole if element.is_global else compiled(self.schemas, element)
        return RecordType.of(shape(element, key=key, prefix=prefix), element.node(), schema)

    @cached_property
    def whole(self) -> etree.XMLSchema:
        """Validates every message."""
        return compiled(self.schemas)


def shape(element: Element, *, key: str = "", prefix: str = "") -> RecordShape:
    """How to cut an element out of an answer."""
    return RecordShape(element.namespace, element.name, key, (prefix or PREFIX) if element.namespace else "")
