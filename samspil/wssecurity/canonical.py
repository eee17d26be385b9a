"""Exclusive canonical XML (libxml2's), and what WS-Security asks on top of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import etree

from samspil import xml
from samspil.errors import Refused

NO_FORM = "it has no canonical form, such as with a namespace that is no full address"


def canonical(element: etree._Element, prefixes: Sequence[str] = ()) -> bytes:
    """The element as it is hashed. ``prefixes`` is the PrefixList of InclusiveNamespaces; ``#default`` for none.

    lxml looks for the listed prefixes on the element itself only, so with a list the element is first written out
    with every declaration that is in scope where it stands. Raises Refused (``signature-invalid``) if it has no such form.
    """
    if prefixes and element.getparent() is not None:
        element = etree.fromstring(etree.tostring(element, with_tail=False), etree.XMLParser(**xml.SAFE))
    options: dict[str, object] = {"inclusive_ns_prefixes": list(prefixes)} if prefixes else {}
    try:
        found: bytes = etree.tostring(element, method="c14n", exclusive=True, with_comments=False, **options)  # type: ignore[call-overload]  # the stubs have no prefixes
    except etree.C14NError:
        raise Refused("signature-invalid", hint=NO_FORM) from None
    return found


def dereferenced(token: etree._Element) -> bytes:
    """A token as the STR-Transform hashes it (WS-Security 1.1, section 8.3): always with a default namespace."""
    data = canonical(token, ("#default",))
    start = data[: data.index(b">")]
    if re.search(rb'\sxmlns="', start):
        return data
    name = re.match(rb"<[^\s>/]+", data)
    at = name.end() if name else 0
    return data[:at] + b' xmlns=""' + data[at:]
