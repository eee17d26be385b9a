"""A secured SOAP message taken apart, so strictly that there is one way only to read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from samspil import xml
from samspil.errors import Refused
from samspil.wssecurity.names import DS, ENVELOPES, ID, SAML, WSSE, WSU

_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"


class Envelope:
    """One Header, one Body, in it one Security with one Timestamp and one Signature, and every id once.

    Raises Refused: ``signature-missing``, ``signature-invalid``, ``id-duplicated``, ``timestamp-missing``.
    """

    def __init__(self, root: etree._Element) -> None:
        namespace = xml.namespace(root)
        expected = [f"{{{namespace}}}Header", f"{{{namespace}}}Body"]
        if namespace not in ENVELOPES or xml.local(root) != "Envelope":
            raise Refused("signature-invalid", hint="not a SOAP message")
        found = [str(child.tag) for child in root]
        if found == expected[1:]:
            raise Refused("signature-missing", hint="the message has no header")
        if found != expected:
            raise Refused("signature-invalid", hint="not one Header and one Body")
        self.header, self.body = root
        self.ids = identified(root)
        self.security = self._only(self.header, f"{{{WSSE}}}Security", "signature-missing")
        self.signature = self._only(self.security, f"{{{DS}}}Signature", "signature-missing")
        self.timestamp = self._only(self.security, f"{{{WSU}}}Timestamp", "timestamp-missing")

    @staticmethod
    def _only(parent: etree._Element, tag: str, missing: str) -> etree._Element:
        found = parent.findall(tag)
        if not found:
            raise Refused(missing, hint="the message does not have it where it belongs")
        if len(found) > 1:
            raise Refused("signature-invalid", hint="more than one of what there must be one of")
        return found[0]


def identified(root: etree._Element) -> dict[str, etree._Element]:
    """Elements by id. Raises Refused (``id-duplicated``)."""
    found: dict[str, etree._Element] = {}
    for element, name in ids(root):
        if name in found:
            raise Refused("id-duplicated", hint="an id stands twice, so that a signature could mean either")
        found[name] = element
    return found


def ids(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """What may be referred to: ``wsu:Id`` and ``xml:id`` anywhere, ``Id`` in a signature, ``ID`` of an assertion.

    Other attributes called id are the record's own affair and never looked at.
    """
    found: Any = root.xpath(
        "descendant-or-self::*[@*[translate(local-name(), 'ID', 'id') = 'id']]"
    )  # the stubs do not tell which
    for element in found:
        for attribute in (ID, _XML_ID):
            if (name := element.get(attribute)) is not None:
                yield element, name
        namespace = xml.namespace(element)
        own = "Id" if namespace == DS else "ID" if namespace == SAML else ""
        if own and (name := element.get(own)) is not None:
            yield element, name
