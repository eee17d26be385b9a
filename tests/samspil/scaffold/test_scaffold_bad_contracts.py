"""A contract that cannot be used is one clear line that names file and place, and leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from samspil.errors import SettingsError
from samspil.scaffold import new

CONTRACTS = Path(__file__).parents[1] / "cli" / "contracts"
PLACEMENT, NOTE, COMPANY = (new.wanted([text]) for text in ("placement=Praktik", "journal_note", "company"))

OPENAPI = """\
openapi: 3.0.3
info: {title: Notes, version: "1"}
paths:
  /notes:
    get:
      responses:
        "200":
          description: all
          content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Note"}}}}
components:
  schemas:
    Note: {type: object, required: [id], properties: {id: {type: string}}}
"""


@pytest.fixture
def portal(tmp_path):
    """A copy of the WSDL that a test may spoil: (text → its replacement, file) → the error's text."""
    shutil.copytree(CONTRACTS / "portal", tmp_path / "portal")

    def spoiled(old, new_text, name="portal.wsdl"):
        file = tmp_path / "portal" / name
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new_text, 1), "utf-8")
        with pytest.raises(SettingsError) as error:
            new.from_wsdl("portal", tmp_path / "portal/portal.wsdl", PLACEMENT, tmp_path / "into")
        assert not (tmp_path / "into").exists()
        assert "\n" not in str(error.value)
        return str(error.value).removeprefix(f"{tmp_path}/portal/")

    return spoiled


def openapi(tmp_path, text, name="api.yaml"):
    file = tmp_path / name
    file.write_text(text, "utf-8")
    return new.from_openapi("notes", file, NOTE, tmp_path / "into")


def refused(tmp_path, text, name="api.yaml"):
    with pytest.raises(SettingsError) as error:
        openapi(tmp_path, text, name)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{tmp_path}/")


def sample(tmp_path, data, name="firms_20261030.csv"):
    (tmp_path / name).write_bytes(data)
    return new.from_csv("firms", tmp_path / name, COMPANY, tmp_path / "into")


def unread(tmp_path, data):
    with pytest.raises(SettingsError) as error:
        sample(tmp_path, data)
    return str(error.value).removeprefix(f"{tmp_path}/")


def test_a_wsdl_that_does_not_parse(portal):
    assert portal("<wsdl:types>", "<wsdl:types").startswith("portal.wsdl:")


def test_an_xml_bomb(portal):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n<!-- A portal'
    assert portal("<!-- A portal", bomb).startswith("portal.wsdl:2: has a document type")


def test_an_xml_bomb_in_what_it_imports(portal):
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    assert portal(head, f"{head}<!DOCTYPE x>\n", "xsd/numre.xsd").startswith("xsd/numre.xsd:2: has a document type")


def test_a_missing_import(portal):
    text = portal('schemaLocation="numre.xsd"', 'schemaLocation="nosuch.xsd"', "xsd/praktik.xsd")
    assert "xsd/praktik.xsd:4: nosuch.xsd: there is no such file to import" == text


def test_an_import_over_the_network(portal):
    text = portal('schemaLocation="xsd/praktik.xsd"', 'schemaLocation="http://vendor.example/praktik.xsd"')
    assert text.startswith("portal.wsdl:8: http://vendor.example/praktik.xsd: is not imported from elsewhere")


def test_a_type_that_is_nowhere(portal):
    assert portal('type="p:PNummer"', 'type="p:Nowhere"', "xsd/praktik.xsd").startswith("xsd/praktik.xsd:7: p:Nowhere")


def test_what_is_no_wsdl(tmp_path):
    (tmp_path / "a.wsdl").write_text("<html/>")
    with pytest.raises(SettingsError, match=r"a\.wsdl:1: is not a WSDL 1\.1: its root is html"):
        new.from_wsdl("portal", tmp_path / "a.wsdl", PLACEMENT, tmp_path)


@pytest.mark.parametrize("make", [new.from_wsdl, new.from_openapi, new.from_csv])
def test_no_such_file(tmp_path, make):
    with pytest.raises(SettingsError, match=r"nosuch: cannot be read \(No such file or directory\)"):
        make("portal", tmp_path / "nosuch", COMPANY, tmp_path)


def test_an_openapi_file_without_paging_is_an_open_decision(tmp_path):
    made = openapi(tmp_path, OPENAPI)
    text = made.files["connectors/notes/connector.yaml"].decode()
    question = "paging: !TODO \"how does the list end? Look for page, offset or next in the vendor's answer"
    assert question in text
    assert "(its query has no parameters)" in text
    assert 'login: !TODO "how does one log in?' in text


def test_swagger_2(tmp_path):
    assert "api.yaml:1: swagger: is not OpenAPI 3: it is Swagger 2; convert it first" == refused(
        tmp_path, OPENAPI.replace("openapi: 3.0.3", 'swagger: "2.0"')
    )


def test_no_openapi_at_all(tmp_path):
    assert "it does not begin with `openapi: 3.…`" in refused(tmp_path, "a: 1")
    assert "it does not begin with `openapi: 3.…`" in refused(tmp_path, "[1, 2]")


def test_what_is_no_yaml(tmp_path):
    assert refused(tmp_path, OPENAPI + "  x: [").startswith("api.yaml:14: is not YAML")


def test_a_reference_to_another_file(tmp_path):
    text = refused(tmp_path, OPENAPI.replace("#/components/schemas/Note", "other.yaml#/Note"))
    assert text.startswith("api.yaml:9: paths./notes.get.responses.200.content")
    assert text.endswith("refers to another file, which is not fetched; put everything into one file ($ref: '#/…')")


def test_a_reference_over_the_network(tmp_path):
    assert "refers to another file" in refused(
        tmp_path, OPENAPI.replace("#/components/schemas/Note", "http://x.example/N")
    )


def test_a_reference_to_nothing(tmp_path):
    text = refused(tmp_path, OPENAPI.replace('"#/components/schemas/Note"', '"#/components/schemas/Noet"'))
    assert text.startswith("api.yaml:9: ")
    assert text.endswith("refers to what is not in the file")


def test_an_openapi_file_without_records_of_a_name(tmp_path):
    inline = OPENAPI.replace('{$ref: "#/components/schemas/Note"}', "{type: object}")
    assert "has no call that answers or takes a record" in refused(tmp_path, inline)


def test_openapi_in_json_stays_json(tmp_path):
    made = openapi(
        tmp_path,
        '{"openapi": "3.0.0", "paths": {"/n": {"get": {"responses": {"200": {"content": {"application/json": {"schema":'
        ' {"type": "array", "items": {"$ref": "#/components/schemas/N"}}}}}}}}},'
        ' "components": {"schemas": {"N": {"type": "object", "properties": {"id": {"type": "string"}}}}}}',
        "api.json",
    )
    assert "connectors/notes/openapi.json" in made.files
    assert b"openapi: openapi.json\n" in made.files["connectors/notes/connector.yaml"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "firms_20261030.csv:1: is empty; a header is needed"),
        (
            b"1;29189609;Firma\r\n2;29189609;Firma\r\n",
            "has no header with the columns' names: cell 1 of the first row is a value",
        ),
        (b"Nummer;;Navn\r\n1;2;3\r\n", "cell 2 of the first row is empty"),
        (b"Nummer;Navn;Nummer\r\n1;2;3\r\n", "has the same name twice in its header: cells 1 and 3"),
        ("Nummer;Navn\r\n1;Å\r\n".encode("utf-16"), "firms_20261030.csv:1: is UTF-16 or no text at all"),
        (b"Nummer;Navn\r\n1;\xff\xfe\xfa\xfb\x81\x8d\r\n", "firms_20261030.csv:2: is in an unknown encoding"),
        (b"Nummer Navn\r\n1 2\r\n", "has no columns"),
        (b"A;B,C;D\r\n1;2,3;4\r\n", "firms_20261030.csv:1: may be cut by ; and ,"),
        (b"Nummer;Navn\r\n1;2;3\r\n1;2\r\n", "has no columns"),
    ],
)
def test_a_csv_file_that_cannot_be_read(tmp_path, data, said):
    text = unread(tmp_path, data)
    assert said in text
    assert not {"29189609", "Firma"} & set(text.replace(";", " ").split())


@pytest.mark.parametrize(
    ("data", "encoding", "delimiter"),
    [
        ("Nummer;Navn\r\n1;Å\r\n".encode(), "utf-8", '";"'),
        ("Nummer,Navn\r\n1,Å\r\n".encode("utf-8-sig"), "utf-8", '","'),
        ("Nummer\tNavn\r\n1\tÅ\r\n".encode("latin-1"), "latin-1", '"\\t"'),
        ("Nummer|Navn\r\n1|Ål € ø\r\n".encode("cp1252"), "cp1252", '"|"'),
        (b"Nummer;Navn\r\n1;A,b\r\n", '!TODO "in which encoding?', '";"'),
    ],
)
def test_encoding_and_separator_are_seen(tmp_path, data, encoding, delimiter):
    text = sample(tmp_path, data).files["connectors/firms/connector.yaml"].decode()
    assert f"    encoding: {encoding}" in text
    assert f"    delimiter: {delimiter}\n" in text


def test_a_csv_file_carries_one_schema(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"A;B\r\n1;2\r\n")
    with pytest.raises(SettingsError, match="a CSV file carries one schema"):
        new.from_csv("firms", tmp_path / "a.csv", new.wanted(["company", "case"]), tmp_path)
