"""WSDLs that cannot be used: bombs, entities, imports that lead elsewhere or nowhere; and odd ones that can be."""

import pytest
from lxml import etree

from samspil.declared.soap.compiled import compiled
from samspil.declared.soap.contract import Contract
from samspil.declared.soap.documents import documents
from samspil.declared.soap.schemas import Schemas

BOMB = "<!DOCTYPE x [" + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9)) + "]>"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
SCHEMA = '<xs:schema targetNamespace="urn:vendor" elementFormDefault="qualified">\n'
PROBLEMS = {
    "a bomb": (HEAD, f"{HEAD}{BOMB}", "vendor.wsdl:2: has a document type, which is never accepted; take it out"),
    "an external entity": (
        HEAD,
        f'{HEAD}\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        "vendor.wsdl:3: has a document type, which is never accepted; take it out",
    ),
    "an end in the middle": ("</w:service>", "", "vendor.wsdl:101: is not well-formed XML"),
    "a network import": (
        SCHEMA,
        f'{SCHEMA}<xs:import namespace="urn:x" schemaLocation="http://192.0.2.1/x.xsd"/>\n',
        (
            "vendor.wsdl:7: http://192.0.2.1/x.xsd: is not imported from elsewhere; save it in the WSDL's folder and name it here "
            "by its file's name"
        ),
    ),
    "an import from above": (
        SCHEMA,
        f'{SCHEMA}<xs:import namespace="urn:x" schemaLocation="../x.xsd"/>\n',
        (
            "vendor.wsdl:7: ../x.xsd: is not imported from elsewhere; save it in the WSDL's folder and name it here by its "
            "file's name"
        ),
    ),
    "a missing import": (
        SCHEMA,
        f'{SCHEMA}<xs:import namespace="urn:x" schemaLocation="x.xsd"/>\n',
        "vendor.wsdl:7: x.xsd: there is no such file to import",
    ),
    "a type from nowhere": (
        'type="v:Group"',
        'type="v:Groups"',
        "vendor.wsdl:14: v:Groups: there is no such complexType; is an import missing?",
    ),
    "a prefix from nowhere": (
        'type="v:Group"',
        'type="x:Group"',
        "vendor.wsdl:14: x:Group: there is no such complexType; is an import missing?",
    ),
    "an element from nowhere": (
        'element="v:Hello"',
        'element="v:Hallo"',
        "vendor.wsdl:73: v:Hallo: there is no such element; is an import missing?",
    ),
    "a message from nowhere": (
        'input message="v:GetIn"',
        'input message="v:GetOn"',
        "vendor.wsdl:86: v:GetOn: there is no such message; is an import missing?",
    ),
    "something else": ("w:definitions", "w:description", "vendor.wsdl:3: is not a WSDL 1.1: its root is description"),
    "a record in itself": (
        '<xs:element name="Kle" type="xs:string"/>',
        '<xs:element name="Kle" type="xs:string"/><xs:element name="Part" type="v:Booking" minOccurs="0"/>',
        "vendor.wsdl:7: Part: contains itself, which a record cannot",
    ),
    "a schema that is ambiguous": (
        '<xs:element name="Changed" type="xs:dateTime" minOccurs="0"/>',
        '<xs:element name="Changed" type="xs:dateTime" minOccurs="0"/><xs:any minOccurs="0"/>',
        "vendor.wsdl:8: is not a usable schema: complex type 'Booking': The content model is not determinist.",
    ),
    "encoded calls": (
        'binding style="document"',
        'binding style="rpc"',
        "connector.yaml:10: check.operation: Hello is not document/literal with one element each way",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_wsdl_that_cannot_be_used_is_one_line_with_its_place(vendor, name):
    old, new, problem = PROBLEMS[name]
    vendor.swap(old, new, "vendor.wsdl")
    found = vendor.problem()
    assert problem.split(":")[0] == found.split(":")[0]
    assert problem.partition(": ")[2] == found.partition(": ")[2]


def test_an_imported_file_is_looked_at_as_closely(vendor):
    vendor.swap(SCHEMA, f'{SCHEMA}<xs:import namespace="urn:x" schemaLocation="x.xsd"/>\n', "vendor.wsdl")
    (vendor.folder / "x.xsd").write_text(f"{HEAD}{BOMB}<a/>")
    assert "x.xsd:2: has a document type, which is never accepted; take it out" == vendor.problem()


def test_files_that_include_each_other_are_read_once(tmp_path):
    start = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" '
    (tmp_path / "a.xsd").write_text(
        f'{start} targetNamespace="urn:t" elementFormDefault="unqualified"><xs:include schemaLocation="b.xsd"/>'
        '<xs:element name="List"><xs:complexType><xs:sequence><xs:element name="One" maxOccurs="9"><xs:complexType>'
        '<xs:sequence><xs:element name="Id" type="t:Key"/></xs:sequence></xs:complexType></xs:element></xs:sequence>'
        "</xs:complexType></xs:element></xs:schema>"
    )
    (tmp_path / "b.xsd").write_text(  # of no namespace: it takes that of the file that includes it
        f'{start}><xs:include schemaLocation="a.xsd"/><xs:simpleType name="Key"><xs:restriction base="xs:string">'
        '<xs:maxLength value="3"/></xs:restriction></xs:simpleType></xs:schema>'
    )
    (tmp_path / "t.wsdl").write_text(
        '<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema"><w:types>'
        '<xs:schema><xs:import namespace="urn:t" schemaLocation="a.xsd"/></xs:schema></w:types></w:definitions>'
    )
    found = documents(tmp_path / "t.wsdl")
    assert ["", "urn:t", "urn:t"] == [document.namespace for document in found]
    schemas = Schemas(found)
    record = schemas.elements("List")[0].children["One"]
    assert ("One", "", True) == (record.tag, record.namespace, record.many)
    schema = compiled(schemas, record)
    assert schema.validate(etree.fromstring("<One><Id>abc</Id></One>"))
    assert not schema.validate(etree.fromstring("<One><Id>abcd</Id></One>"))


def test_what_an_operation_takes_and_gives_is_known(vendor):
    contract = Contract(vendor.folder / "vendor.wsdl")
    assert ["Find", "Get", "Hello", "Put", "Save"] == contract.names
    operation = contract.operation("Put")
    assert ("urn:vendor/Put", "{urn:vendor}Put", "{urn:vendor}PutResult") == (
        operation.action,
        operation.request.tag,
        operation.answer.tag,
    )
    assert ["Code", "Key", "Number", "Field"] == list(operation.answer.children)
