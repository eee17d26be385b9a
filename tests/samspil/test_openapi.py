import pytest

from samspil.connector import Field
from samspil.errors import SettingsError
from samspil.openapi import Contract, fields

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


CALLS = """
paths:
  /a/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}, {name: X-One, in: header}]
    get:
      parameters: [{$ref: "#/components/parameters/Size"}, {name: x-one, in: header, required: true}]
      responses:
        "204": {description: nothing}
        "200": {$ref: "#/components/responses/Page"}
        default: {description: an error}
    delete: {}
    summary: not a call
components:
  parameters: {Size: {name: size, in: query, schema: {$ref: "#/components/schemas/Count"}}}
  responses:
    Page:
      content:
        text/plain: {}
        application/hal+json: {schema: {allOf: [{properties: {data: {$ref: "#/components/schemas/Data"}}}]}}
  schemas:
    Count: {type: integer, maximum: 9}
    Data: {properties: {items: {type: array}}}
"""


@pytest.fixture
def calls(tmp_path):
    path = tmp_path / "calls.yaml"
    path.write_text(CALLS)
    return Contract(path)


def test_a_call_is_what_its_path_and_itself_say(calls):
    call = calls.operation("GET", "/a/{id}")
    assert ["GET /a/{id}", "DELETE /a/{id}"] == calls.calls
    assert [("id", "path", True), ("x-one", "header", True), ("size", "query", False)] == [
        (one.name, one.place, one.required) for one in call.parameters
    ]
    assert {"type": "integer", "maximum": 9} == call.parameter("size", "query").schema
    assert call.parameter("X-ONE", "header") is not None
    assert call.parameter("size", "header") is None
    assert (None, 5, {"200", "204", "default"}) == (call.body, call.line, call.statuses)


def test_what_lies_at_a_place_of_an_answer_is_found(calls):
    answer = calls.operation("GET", "/a/{id}").answer
    assert {"type": "array"} == calls.within(answer, "data.items")
    assert answer == calls.within(answer, "")
    assert [None, None] == [calls.within(answer, place) for place in ("items", "data.items.x")]


def test_a_call_that_is_not_there_is_none(calls):
    assert [None, None] == [calls.operation("PUT", "/a/{id}"), calls.operation("GET", "/b")]
    assert calls.operation("DELETE", "/a/{id}").answer is None
    assert ["Count", "Data"] == calls.components
