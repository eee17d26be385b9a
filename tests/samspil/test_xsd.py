"""Records by their schema: decoded, checked, refused with a path and a reason, and written back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samspil import xml
from samspil.connector import Field
from samspil.cut import RecordShape
from samspil.errors import Refused, SettingsError
from samspil.xsd import RecordType

SHAPE = RecordShape("urn:x", "Sag", "Id", "p")
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:p="urn:x" targetNamespace="urn:x"
  elementFormDefault="qualified">
  <xs:simpleType name="Kode"><xs:restriction base="xs:string">
    <xs:enumeration value="A"/><xs:enumeration value="B"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Kort"><xs:restriction base="xs:string"><xs:maxLength value="5"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Tal"><xs:restriction base="xs:string"><xs:pattern value="[0-9]+"/></xs:restriction></xs:simpleType>
  <xs:complexType name="Del"><xs:sequence>
    <xs:element name="Navn" type="xs:string"/><xs:element name="Antal" type="xs:int" minOccurs="0"/>
  </xs:sequence></xs:complexType>
  <xs:element name="Sag"><xs:complexType><xs:sequence>
    <xs:element name="Id" type="p:Tal"/>
    <xs:element name="Kode" type="p:Kode" minOccurs="0"/>
    <xs:element name="Dato" type="xs:date" nillable="true" minOccurs="0"/>
    <xs:element name="Ja" type="xs:boolean" minOccurs="0"/>
    <xs:element name="Pris" type="xs:decimal" minOccurs="0"/>
    <xs:element name="Kort" type="p:Kort" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="Del" type="p:Del" minOccurs="0" maxOccurs="3"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


@pytest.fixture(scope="module")
def sag(tmp_path_factory) -> RecordType:
    file = tmp_path_factory.mktemp("xsd") / "sag.xsd"
    file.write_text(SCHEMA)
    return RecordType(file, SHAPE)


def raw(inner: str) -> bytes:
    return f"<p:Sag>{inner}</p:Sag>".encode()


def test_fields_are_dotted_paths_with_containers_and_lists(sag):
    expected = {
        "Id": Field(required=True),
        "Kode": Field(required=False),
        "Dato": Field(required=False),
        "Ja": Field(required=False),
        "Pris": Field(required=False),
        "Kort[]": Field(required=False),
        "Del[]": Field(required=False),
        "Del[].Navn": Field(required=True),
        "Del[].Antal": Field(required=False),
    }
    assert expected == sag.fields
    assert list(expected) == list(sag.fields)


def test_a_single_element_that_may_repeat_is_a_list(sag):
    one, none = sag.decode([raw("<p:Id>1</p:Id><p:Kort>a</p:Kort>"), raw("<p:Id>1</p:Id>")])
    assert {"Id": "1", "Kort": ["a"], "Del": []} == one
    assert {"Id": "1", "Kort": [], "Del": []} == none


def test_nil_and_absent_are_absent_and_types_are_read(sag):
    inner = '<p:Id>1</p:Id><p:Dato xsi:nil="true"/><p:Ja> 1 </p:Ja><p:Pris> 1.50 </p:Pris>'
    inner += "<p:Kort> a </p:Kort><p:Kort/><p:Del><p:Navn> x </p:Navn><p:Antal> -3 </p:Antal></p:Del>"
    (found,) = sag.decode([raw(inner)])
    expected = {"Id": "1", "Ja": True, "Pris": "1.50", "Kort": [" a ", ""], "Del": [{"Navn": " x ", "Antal": -3}]}
    assert expected == found


@pytest.mark.parametrize(
    ("inner", "reason", "field"),
    [
        ("", "missing-field", "Id"),
        ("<p:Kode>A</p:Kode>", "missing-field", "Id"),
        ("<p:Id>x</p:Id>", "bad-format", "Id"),
        ("<p:Id>1</p:Id><p:Kode>C</p:Kode>", "unknown-code", "Kode"),
        ("<p:Id>1</p:Id><p:Dato>31-12-2025</p:Dato>", "bad-date", "Dato"),
        ("<p:Id>1</p:Id><p:Dato>2025-02-30</p:Dato>", "bad-date", "Dato"),
        ("<p:Id>1</p:Id><p:Ja>ja</p:Ja>", "wrong-type", "Ja"),
        ("<p:Id>1</p:Id><p:Pris>1,50</p:Pris>", "wrong-type", "Pris"),
        ("<p:Id>1</p:Id><p:Kort>abcdef</p:Kort>", "bad-length", "Kort[]"),
        ("<p:Id>1</p:Id><p:Del><p:Antal>1</p:Antal></p:Del>", "missing-field", "Del[].Navn"),
        ("<p:Id>1</p:Id><p:Del><p:Navn>x</p:Navn><p:Antal>x</p:Antal></p:Del>", "wrong-type", "Del[].Antal"),
        ("<p:Id>1</p:Id><p:Hej>0101501234</p:Hej>", "unknown-field", "Hej"),
        ("<p:Id>1</p:Id><p:x0101501234/>", "unknown-field", "?"),
        ("<p:Id>1</p:Id><p:Del><p:Navn>x</p:Navn><p:Hej/></p:Del>", "unknown-field", "Del[].Hej"),
        ("<p:Id>1</p:Id><p:Id>2</p:Id>", "unexpected-field", "Id"),
        ("<p:Id>1</p:Id><p:Ja>true</p:Ja><p:Kode>A</p:Kode>", "unexpected-field", "Kode"),
        ("<p:Id>1</p:Id>løs tekst", "wrong-type", ""),
        ('<p:Id a="1">1</p:Id>', "wrong-type", "Id"),
        ("<p:Id>1</p:Ib>", "xml-malformed", ""),
        ("<p:Id>a & b</p:Id>", "xml-malformed", ""),
        ("</p:Sag><p:Sag>", "xml-malformed", ""),
    ],
)
def test_what_is_refused_and_where(sag, inner, reason, field):
    good = raw("<p:Id>1</p:Id>")
    before, error, after = sag.decode([good, raw(inner), good])
    assert {"Id": "1", "Kort": [], "Del": []} == before == after
    assert isinstance(error, Refused)
    assert (reason, field) == (error.reason, error.field)
    assert "0101501234" not in str(error)


def test_another_element_is_refused(sag):
    (error,) = sag.decode([b"<p:Andet/>"])
    assert isinstance(error, Refused)
    assert ("unknown-field", "Andet") == (error.reason, error.field)


def test_check_refuses_what_decode_refuses(sag):
    problems = sag.check([raw("<p:Id>1</p:Id>"), raw("")])
    assert [None, "missing-field"] == [problem and problem.reason for problem in problems]


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))
records = st.fixed_dictionaries(
    {"Id": st.integers(0, 9999).map(str)},
    optional={
        "Kode": st.sampled_from("AB"),
        "Ja": st.booleans(),
        "Pris": st.decimals(-1000, 1000, places=2).map(str),
        "Kort": st.lists(texts.filter(lambda text: len(text) <= 5), min_size=1, max_size=3),
        "Del": st.lists(
            st.fixed_dictionaries({"Navn": texts}, optional={"Antal": st.integers(-9, 9)}), min_size=1, max_size=3
        ),
    },
)


@given(records)
def test_what_is_written_reads_back(sag, record):
    written = sag.encode(dict(reversed(record.items())))  # the schema's order, not the dict's
    assert [{"Kort": [], "Del": [], **record}] == sag.decode([written])
    assert written == xml.canonical(xml.parse(xml.wrap([written], SHAPE.prefixes))[0], SHAPE.prefixes)


@pytest.mark.parametrize(
    ("record", "reason", "field"),
    [
        ({"Id": "a\x00"}, "bad-character", "Id"),
        ({"Id": "1", "Hej": "x"}, "unknown-field", "Hej"),
        ({"Id": "1", "Del": [{"Hej": "x"}]}, "unknown-field", "Del[].Hej"),
        ({"Id": "1", "Del": {"Navn": "x"}}, "wrong-type", "Del[]"),
        ({"Id": "1", "Del": ["x"]}, "wrong-type", "Del[]"),
        ({"Id": 1.5}, "wrong-type", "Id"),
        ({"Id": ["1"]}, "wrong-type", "Id"),
    ],
)
def test_what_cannot_be_written(sag, record, reason, field):
    with pytest.raises(Refused) as caught:
        sag.encode(record)
    assert (reason, field) == (caught.value.reason, caught.value.field)


def test_nothing_is_written_for_none(sag):
    assert b"<p:Sag><p:Id>1</p:Id></p:Sag>" == sag.encode({"Id": "1", "Ja": None})


IMPORT = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:import namespace="urn:y" schemaLocation="{}"/></xs:schema>'


@pytest.mark.parametrize("location", ["http://127.0.0.1:9/y.xsd", "../y.xsd", "missing.xsd"])
def test_a_schema_imports_from_its_own_folder_only(tmp_path, location):
    folder = tmp_path / "schemas"
    folder.mkdir()
    (tmp_path / "y.xsd").write_text(SCHEMA)
    (folder / "x.xsd").write_text(IMPORT.format(location))
    with pytest.raises(SettingsError):
        RecordType(folder / "x.xsd", SHAPE)


@pytest.mark.parametrize("content", ["", "<x/>", "<!DOCTYPE x><x/>", SCHEMA.replace("Sag", "Andet"), SCHEMA[:-20]])
def test_a_file_that_is_no_such_schema_is_a_settings_error(tmp_path, content):
    (tmp_path / "x.xsd").write_text(content)
    with pytest.raises(SettingsError) as caught:
        RecordType(tmp_path / "x.xsd", SHAPE)
    assert "x.xsd" in caught.value.file
