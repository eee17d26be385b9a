"""Safe parsing, and bytes that depend on content only."""

from __future__ import annotations

import contextlib
import socket

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lxml import etree

from samspil import xml
from samspil.cut import Cut, RecordShape
from samspil.errors import Refused, Unavailable

PREFIXES = {"p": "urn:x", "xsi": xml.XSI}


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE x><x/>",
        '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>',
        '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/"> %a;]><x/>',
    ],
)
def test_a_document_type_is_refused(document):
    with pytest.raises(Refused) as caught:
        xml.parse(document.encode())
    assert "xml-doctype" == caught.value.reason


def test_a_bomb_is_refused_without_growing():
    layers = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    with pytest.raises(Refused):
        xml.parse(f'<!DOCTYPE x [<!ENTITY e0 "x">{layers}]><x>&e11;</x>'.encode())


@pytest.mark.parametrize("document", [b"", b"<x>", b"<x>&a;</x>", b"<p:x/>", b"<x>\x01</x>", b"<x>\xff</x>"])
def test_malformed_xml_is_refused_without_quoting_it(document):
    with pytest.raises(Refused) as caught:
        xml.parse(document)
    assert "xml-malformed" == caught.value.reason
    assert str(caught.value).removeprefix("xml-malformed").strip(": ") in ("", "line 1")


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a SYSTEM "{url}/a.dtd"><a/>',
        '<!DOCTYPE a PUBLIC "-//x" "{url}/a.dtd"><a/>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "{url}/b">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY % b SYSTEM "{url}/b">%b;]><a/>',
        '<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{url}/c"/></a>',
        '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x {url}/d.xsd"/>',
        '<?xml-stylesheet href="{url}/e.xsl" type="text/xsl"?><a/>',
    ],
)
def test_a_document_makes_nobody_call_its_address(document):
    """The address listens: a call would be there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        data = document.format(url=f"http://127.0.0.1:{server.getsockname()[1]}").encode()
        with contextlib.suppress(Refused):
            xml.parse(data)
        with contextlib.suppress(Unavailable):
            list(Cut([data], RecordShape("", "a", "b", ""), system="x"))
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_depth_is_bounded():
    with pytest.raises(Refused):
        xml.parse(b"<x>" * 10_000 + b"</x>" * 10_000)


def test_text_is_found_in_whatever_namespace():
    root = xml.parse(b'<a xmlns:n="urn:n"><n:Kode> 7 </n:Kode></a>')
    assert "7" == xml.text(root, "Kode")
    assert "" == xml.text(root, "Tekst")
    assert "a" == xml.local(root)


@pytest.mark.parametrize(
    ("spelled", "plain"),
    [
        ("<p:a>x</p:a>", "<p:a>x</p:a>"),
        ("<p:a/>", "<p:a></p:a>"),
        ("<p:a>x<!-- c -->y</p:a>", "<p:a>xy</p:a>"),
        ("<p:a><![CDATA[<&>]]></p:a>", "<p:a>&lt;&amp;&gt;</p:a>"),
        ('<o:a xmlns:o="urn:x" />', "<p:a></p:a>"),
        ('<a xmlns="urn:x"><b xmlns=""/></a>', "<p:a><b></b></p:a>"),
        ('<p:a z="1" b="&quot;"/>', '<p:a b="&quot;" z="1"></p:a>'),
        ('<p:a xsi:nil="true"/>', '<p:a xsi:nil="true"></p:a>'),
        ('<p:a xml:lang="da"/>', '<p:a xml:lang="da"></p:a>'),
        ('<q:a xmlns:q="urn:q" q:b="1"/>', '<other0:a xmlns:other0="urn:q" other0:b="1"></other0:a>'),
    ],
)
def test_one_content_has_one_spelling(spelled, plain):
    (element,) = xml.parse(xml.wrap([spelled.encode()], PREFIXES))
    assert plain.encode() == xml.canonical(element, PREFIXES)


def test_an_element_without_namespace_below_a_default_one():
    (element,) = xml.parse(xml.wrap([b'<a><b xmlns=""><c/></b></a>'], {None: "urn:x"}))
    again = xml.canonical(element, {None: "urn:x"})
    assert b'<a><b xmlns=""><c></c></b></a>' == again


names = st.sampled_from(["{urn:x}a", "{urn:q}b", "{urn:r}c", "d"])
values = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))
trees = st.recursive(
    st.builds(lambda tag, text, attributes: (tag, text, attributes, []), names, values, st.dictionaries(names, values)),
    lambda below: st.tuples(names, values, st.dictionaries(names, values), st.lists(below, max_size=3)),
    max_leaves=8,
)


def build(tree) -> etree._Element:
    tag, text, attributes, below = tree
    element = etree.Element(tag, attributes)
    element.text = text
    element.extend(build(one) for one in below)
    return element


@given(trees, st.sampled_from([PREFIXES, {None: "urn:x", "xsi": xml.XSI}]))
def test_canonical_bytes_parse_back_to_the_same_content(tree, prefixes):
    element = build(tree)
    (again,) = xml.parse(xml.wrap([xml.canonical(element, prefixes)], prefixes))
    assert [(one.tag, one.text or "", dict(one.attrib)) for one in element.iter()] == [
        (one.tag, one.text or "", dict(one.attrib)) for one in again.iter()
    ]
    assert xml.canonical(element, prefixes) == xml.canonical(again, prefixes)


@given(st.text())
def test_escaped_text_reads_back(text):
    assume(all(character in "\t\n\r" or character >= " " for character in text))
    assume(not set(text) & {"\ufffe", "\uffff"} and not any("\ud800" <= character <= "\udfff" for character in text))
    assert text == (xml.parse(b"<x>%s</x>" % xml.escaped(text).encode()).text or "")


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_carry_is_refused(character):
    with pytest.raises(Refused) as caught:
        xml.escaped(f"a{character}b")
    assert "bad-character" == str(caught.value)
