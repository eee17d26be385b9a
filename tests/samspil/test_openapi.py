import pytest

from samspil.connector import Field
from samspil.errors import SettingsError
from samspil.openapi import fields

CONTRACT = """
components:
  schemas:
    Base: {required: [id], properties: {id: {type: string}}}
    Day: {type: string}
    Order:
      allOf:
        - $ref: "#/components/schemas/Base"
        - required: [goals]
          properties:
            start: {allOf: [{$ref: "#/components/schemas/Day"}], nullable: true}
            citizen: {required: [cpr], properties: {cpr: {type: string}}}
            goals:
              type: array
              items: {required: [title], properties: {title: {}, tags: {items: {type: string}}}}
    Loop: {properties: {next: {$ref: "#/components/schemas/Loop"}}}
    Away: {properties: {next: {$ref: "other.yaml#/x"}}}
"""


@pytest.fixture
def contract(tmp_path):
    path = tmp_path / "contract.yaml"
    path.write_text(CONTRACT)
    return path


def test_fields_are_dotted_paths_in_the_contracts_order(contract):
    assert list(fields(contract, "Order").items()) == [
        ("id", Field(required=True)),
        ("start", Field(required=False)),
        ("citizen", Field(required=False)),
        ("citizen.cpr", Field(required=True)),
        ("goals[]", Field(required=True)),
        ("goals[].title", Field(required=True)),
        ("goals[].tags[]", Field(required=False)),
    ]


def test_json_is_read_too(tmp_path):
    path = tmp_path / "contract.json"
    path.write_text('{"components": {"schemas": {"A": {"properties": {"x": {"type": "string"}}}}}}')
    assert dict(fields(path, "A")) == {"x": Field(required=False)}


@pytest.mark.parametrize(
    ("component", "message"), [("None", "is not in the file"), ("Loop", "refers to itself"), ("Away", "is not in the")]
)
def test_a_contract_that_cannot_be_read_names_its_file(contract, component, message):
    with pytest.raises(SettingsError, match=message) as caught:
        fields(contract, component)
    assert caught.value.file == str(contract)
