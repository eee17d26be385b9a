"""Records as odd schemas have them: in no namespace, in two, with room for anything."""

import uuid

import pytest
from lxml import etree

from samspil.connector import Change
from samspil.declared.soap.contract import Contract
from samspil.errors import Refused

RECORD = {"Id": "A", "Cpr": "0101501234", "Opened": "2026-01-02", "Kle": "15.20.00", "Group": "6.2"}
OTHER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:other" elementFormDefault="qualified">
  <xs:element name="Person"><xs:complexType><xs:sequence><xs:element name="Name" type="xs:string"/></xs:sequence></xs:complexType>
  </xs:element></xs:schema>"""


def test_records_in_no_namespace_are_read_and_written(vendor, good):
    vendor.swap('elementFormDefault="qualified"', "", "vendor.wsdl")
    connector = vendor.connector(vendor.sandbox())
    pages = list(connector.read("case"))
    assert good(1) == {key for page in pages for key in page.keys}
    assert pages[0].raws[0].startswith(b"<Item><Id>")
    (receipt,) = connector.write("case", [Change.of("put", RECORD, None, str(uuid.uuid4()))])
    assert RECORD == connector.fetch("case", receipt.their_id)
    (receipt,) = connector.write("case", [Change.of("put", {**RECORD, "Group": "x"}, None, str(uuid.uuid4()))])
    assert "bad-format: Group" == str(receipt.refused)


def test_the_prefix_of_the_system_may_be_another_than_the_declared_one(vendor, good):
    sandbox = vendor.sandbox()
    vendor.swap("login:", "prefix: vnd\nlogin:")
    pages = list(vendor.connector(sandbox).read("case"))
    assert good(1) == {key for page in pages for key in page.keys}
    assert pages[0].raws[0].startswith(b"<vnd:Item><vnd:Id>")


@pytest.fixture
def mixed(vendor):
    """A record with an element of another namespace, and one of whatever kind."""
    (vendor.folder / "other.xsd").write_text(OTHER)
    vendor.swap(
        'targetNamespace="urn:vendor" elementFormDefault="qualified">\n',
        'targetNamespace="urn:vendor" elementFormDefault="qualified">\n'
        '<xs:import namespace="urn:other" schemaLocation="other.xsd"/>\n',
        "vendor.wsdl",
    )
    vendor.swap(
        '<xs:element name="Kle" type="xs:string"/>',
        '<xs:element xmlns:o="urn:other" ref="o:Person" minOccurs="0"/><xs:element name="Kle" type="xs:string"/>',
        "vendor.wsdl",
    )
    vendor.swap(
        '<xs:element name="Changed" type="xs:dateTime" minOccurs="0"/>',
        '<xs:any namespace="##other" processContents="lax" minOccurs="0"/>',
        "vendor.wsdl",
    )
    contract = Contract(vendor.folder / "vendor.wsdl")
    return contract.record_type(contract.operation("Put").request.children["Item"], key="Id", prefix="v")


def test_a_record_of_two_namespaces_goes_there_and_back(mixed):
    record = {**RECORD, "Person": {"Name": "Åse & søn"}}
    raw = mixed.encode(record)
    assert [None] == mixed.check([raw])
    assert [record] == mixed.decode([raw])
    assert b'<other:Person xmlns:other="urn:other">' in raw
    root = etree.fromstring(b'<x xmlns:v="urn:vendor">%s</x>' % raw)
    assert "Åse & søn" == root.findtext(".//{urn:other}Person/{urn:other}Name")


def test_what_stands_where_anything_may_is_reported_and_not_dropped(mixed):
    raw = mixed.encode(RECORD).replace(b"</v:Item>", b'<z:Secret xmlns:z="urn:z">0101501234</z:Secret></v:Item>')
    (refused,) = mixed.decode([raw])
    assert isinstance(refused, Refused)
    assert "unknown-field: Secret" == str(refused)
