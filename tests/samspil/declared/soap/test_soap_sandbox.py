"""A sandbox from a WSDL alone: what it answers while no mapping has been written."""

import re

import pytest
from lxml import etree

from samspil.declared.soap.contract import Contract
from samspil.declared.soap.schemas import Element
from samspil.testing.sampled import sampled
from samspil.testing.soap.instances import example, instance


def test_a_fresh_folder_is_answered_from_the_contract(vendor, tmp_path):
    sandbox = vendor.sandbox(mappings=tmp_path)
    connector = vendor.connector(sandbox)
    connector.check()
    pages = list(connector.read("case"))
    assert [fact["id"].encode() for fact in vendor.world.records("case")] == [
        key for page in pages for key in page.keys
    ]
    found = [one for page in pages for one in connector.decode("case", page.raws)]
    assert {"Cpr": "Eksempel", "Opened": "2026-10-30", "Group": "6.0"}.items() <= found[0].items()
    assert found[0] == connector.fetch("case", found[0]["Id"])


def test_a_schema_that_the_world_has_not_is_answered_too(vendor, tmp_path):
    vendor.swap("  case:", "  booking:")
    sandbox = vendor.sandbox(mappings=tmp_path)
    connector = vendor.connector(sandbox)
    assert 20 == sum(len(page.keys) for page in connector.read("booking"))


@pytest.mark.parametrize("name", ["Find", "FindResult", "Save", "SaveResult", "Put", "PutResult", "HelloResult"])
def test_an_instance_fits_its_schema(vendor, name):
    contract = Contract(vendor.folder / "vendor.wsdl")
    element = contract.schemas.elements(name)[0]
    assert contract.whole.validate(written(element, instance(element)))


def test_an_instance_takes_what_is_given_and_makes_what_is_around_it(vendor):
    element = Contract(vendor.folder / "vendor.wsdl").schemas.elements("FindResult")[0]
    made = instance(element, {"Count": "7", "Deleted.Id": ["a", "b"]})
    assert {"Items": {}, "Count": "7", "Deleted": {"Id": ["a", "b"]}} == made


@pytest.mark.parametrize(
    "pattern",
    [r"[0-9]{6}[0-9A-Z]{4}", r"\d{8}", r"(urn|http):[a-z.]+", r"[A-Z]\.[0-9]+-?", r"(ab|c){2,3}x*", r"\+?[0-9 ]{8,20}"],
)
def test_a_sample_matches_its_pattern(pattern):
    assert re.fullmatch(pattern, sampled(pattern))


TYPES = {
    '<xs:restriction base="xs:string"><xs:minLength value="12"/></xs:restriction>': "Eksempelxxxx",
    '<xs:restriction base="xs:string"><xs:maxLength value="3"/></xs:restriction>': "Eks",
    '<xs:restriction base="xs:int"><xs:minInclusive value="7"/></xs:restriction>': "7",
    '<xs:restriction base="xs:string"><xs:enumeration value="A"/><xs:enumeration value="B"/></xs:restriction>': "A",
    '<xs:list itemType="xs:date"/>': "2026-10-30",
    '<xs:union memberTypes="xs:boolean xs:int"/>': "false",
}


@pytest.mark.parametrize("kind", TYPES)
def test_an_example_fits_its_type(vendor, kind):
    vendor.swap(
        '<xs:restriction base="xs:string"><xs:pattern value="6\\.[0-9]{1,2}"/></xs:restriction>', kind, "vendor.wsdl"
    )
    element = Contract(vendor.folder / "vendor.wsdl").schemas.elements("Put")[0].find("Item.Group")
    assert TYPES[kind] == example(element)


def written(element: Element, values: dict) -> etree._Element:
    made = etree.Element(element.tag)
    for name, value in values.items():
        child = element.children[name]
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                made.append(written(child, one))
            else:
                etree.SubElement(made, child.tag).text = one
    return made
