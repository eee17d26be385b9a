"""STAR's side of a SOAP message: a request read and checked as strictly as STAR does it, an answer, a fault.

Used by the sandbox only; the connector has a SOAP client.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from lxml import etree

from connectors.star.faults import CPR, FAULTS
from samspil import xml
from samspil.errors import Refused

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
STAR: Final = "urn:samspil:star:activity:1"
ORGANISATION: Final = "http://rep.oio.dk/ams.dk/xml/schemas/2005/09/01/"
USER: Final = "http://service.bm.dk/pjaktass/2015/01/21/RequestUserStructure/"

_FOLDER = Path(__file__).parent
_HTML = re.compile(r"<\s*[/!a-zA-Z]")


class StarFault(Exception):
    """A request that STAR answers with a fault."""

    def __init__(self, code: int) -> None:
        super().__init__(FAULTS[code].text)
        self.code = code


class Request(NamedTuple):
    """A valid request. ``organisation`` is the jobcenter's five digits; ``body`` has the request's own elements."""

    operation: str
    organisation: str
    body: dict[str, object]


def envelope(data: bytes) -> etree._Element:
    """A request's envelope. Raises StarFault 1014 if it is not one."""
    try:
        root = xml.parse(data)
    except Refused:
        raise StarFault(1014) from None
    if root.tag != f"{{{SOAP}}}Envelope":
        raise StarFault(1014)
    return root


def organisation(root: etree._Element) -> str:
    """Who asks, from the headers. Raises StarFault 8232 to 8235."""
    header = _header(root, ORGANISATION, "ActiveOrganisationHeader", missing=8232)
    _header(root, USER, "RequestUserMetadata", missing=8234)
    return header.findtext(f"{{{ORGANISATION}}}OrganisationCode") or ""


def request(root: etree._Element) -> Request:
    """The whole request. Raises StarFault: headers as above, then the message (1001, 1014, 4933)."""
    asking = organisation(root)
    messages = root.findall(f"{{{SOAP}}}Body/*")
    if len(messages) != 1:
        raise StarFault(1014)
    _check(messages[0])
    operation = etree.QName(messages[0]).localname.removesuffix("Request")
    return Request(operation, asking, _fields(messages[0]))


def answer(operation: str, fields: dict[str, object]) -> bytes:
    """The envelope of an answer; ``fields`` in the order of the contract, lists as repeated elements."""
    root, body = _envelope()
    _fill(etree.SubElement(body, f"{{{STAR}}}{operation}Response"), fields)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def fault(code: int) -> bytes:
    """The envelope of a fault."""
    root, body = _envelope()
    element = etree.SubElement(body, f"{{{SOAP}}}Fault")
    etree.SubElement(element, "faultcode").text = "soap:Server" if FAULTS[code].kind == "busy" else "soap:Client"
    etree.SubElement(element, "faultstring").text = FAULTS[code].text
    details = etree.SubElement(etree.SubElement(element, "detail"), f"{{{STAR}}}FaultDetails")
    _fill(details, {"ErrorCode": str(code), "Message": FAULTS[code].text})
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


@cache
def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_FOLDER / name))


def _header(root: etree._Element, namespace: str, name: str, *, missing: int) -> etree._Element:
    found = root.findall(f"{{{SOAP}}}Header/{{{namespace}}}{name}")
    if not found:
        raise StarFault(missing)
    if len(found) > 1 or not _schema("organisation.xsd" if namespace == ORGANISATION else "user.xsd").validate(
        found[0]
    ):
        raise StarFault(missing + 1)
    return found[0]


def _check(message: etree._Element) -> None:
    if any(_HTML.search(element.text or "") for element in message.iter()):
        raise StarFault(4933)
    schema = _schema("star.xsd")
    if not schema.validate(message) or not etree.QName(message).localname.endswith("Request"):
        log: Any = schema.error_log  # the stubs know no iteration
        invalid = [entry.path or "" for entry in log]
        raise StarFault(1001 if invalid and all(CPR in path for path in invalid) else 1014)


def _fields(element: etree._Element) -> dict[str, object]:
    return {etree.QName(child).localname: _fields(child) if len(child) else (child.text or "") for child in element}


def _envelope() -> tuple[etree._Element, etree._Element]:
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "star": STAR})
    return root, etree.SubElement(root, f"{{{SOAP}}}Body")


def _fill(parent: etree._Element, fields: dict[str, object]) -> None:
    for name, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            child = etree.SubElement(parent, f"{{{STAR}}}{name}")
            if isinstance(item, dict):
                _fill(child, item)
            else:
                child.text = str(item)
