"""The stand-in for a declared system is strict: what the contract does not have is not accepted."""

import uuid

import pytest
import requests
import yaml

from samspil.openapi import Contract
from samspil.testing.rest import RestSandbox
from samspil.testing.rest.body import closed, problem
from samspil.testing.rest.example import Example

ONE = {"id": "A1", "cpr": "0101900000", "kind": "start", "heldAt": "2026-05-01T10:00:00+02:00"}


def call(small, method, path, **more):
    return requests.request(method, f"http://127.0.0.1:{small.sandbox.port}{path}", timeout=10, **more)


@pytest.mark.parametrize(
    "query", ["pages=1", "page=0", "page=x", "pageSize=51", "pageSize=", "page=1&page=2", "since=yesterday"]
)
def test_a_parameter_that_the_contract_does_not_have_is_refused(system, query):
    assert 400 == call(system(), "GET", f"/v1/meetings?{query}").status_code


@pytest.mark.parametrize("token", ["x", "cGFnZSAteA==", "cGFnZSAtMQ=="])
def test_a_token_that_was_not_given_out_is_refused(system, token):
    paging = {"after": "token", "size": "limit", "next": "next"}
    small = system(**{"schemas.meeting.list.paging": paging})
    assert 400 == call(small, "GET", "/v1/meetings", params={"token": token}).status_code


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"\xff"])
def test_a_body_that_is_no_record_is_refused(system, body):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    assert 400 == call(system(), "POST", "/v1/meetings", data=body, headers=headers).status_code


def test_a_write_without_its_key_is_refused(system):
    small = system()
    assert [400, 400] == [
        call(small, method, path, json=ONE).status_code
        for method, path in (("POST", "/v1/meetings"), ("DELETE", "/v1/meetings/M1"))
    ]


def test_pages_stay_put_while_they_are_read(system, world):
    """A night that comes in between is not seen before the next first page."""
    small = system()
    reading = small.connect(page_size=5).read("meeting")
    keys = [key.decode() for key in next(iter(reading)).keys]
    small.sandbox.to_night(2)
    keys += [key.decode() for page in reading for key in page.keys]
    assert [fact["id"] for fact in world.records("meeting", 1)] == keys


@pytest.mark.parametrize(
    ("schema", "value", "reason", "field"),
    [
        ({"type": "string", "nullable": True}, None, "", ""),
        ({"type": "string", "enum": ["a"], "nullable": True}, None, "", ""),
        ({"type": "string", "enum": ["a"]}, "b", "unknown-code", ""),
        ({"properties": {"x": {"type": "integer"}}}, {"x": "1"}, "bad-type", "x"),
        ({"properties": {"x": {"type": "integer", "maximum": 5}}}, {"x": 6}, "out-of-range", "x"),
        ({"properties": {"x": {}}, "required": ["x"]}, {}, "missing-field", "x"),
        ({"properties": {"x": {}}}, {"y": 1}, "unknown-field", "y"),
        ({"properties": {"x": {"readOnly": True}}, "required": ["x"]}, {}, "", ""),
        ({"allOf": [{"properties": {"x": {}}}, {"properties": {"y": {}}}]}, {"x": 1, "y": 1}, "", ""),
        ({"allOf": [{"properties": {"x": {}}}, {"properties": {"y": {}}}]}, {"z": 1}, "unknown-field", "z"),
        ({"items": {"properties": {"x": {"type": "string", "maxLength": 2}}}}, [{"x": "abc"}], "too-long", "[0].x"),
        ({"type": "string", "format": "date"}, "2026-02-29", "bad-date", ""),
        ({"type": "string", "format": "date-time"}, "2026-02-28T10:00:00", "bad-date", ""),
        ({"type": "string", "format": "date-time"}, "2026-02-28T10:00:00.1234567Z", "", ""),
        ({"properties": {"cprNumber": {"pattern": "^[0-9]{10}$"}}}, {"cprNumber": "1"}, "bad-cpr", "cprNumber"),
        ({"allOf": [{"type": "string", "minLength": 2}], "nullable": True}, "a", "too-short", ""),
    ],
)
def test_a_body_is_held_against_the_contract_field_by_field(tmp_path, schema, value, reason, field):
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump({"components": {"schemas": {"A": schema}}}))
    contract = Contract(tmp_path / "openapi.yaml")
    assert (problem(closed(contract, contract.component("A")), value) or ("", "")) == (reason, field)


def test_without_a_look_of_its_own_a_record_is_made_from_the_contract(folder, world):
    place = folder()
    kind = type("FreshSandbox", (RestSandbox,), {"folder": place})
    contract = Contract(place / "openapi.yaml")
    example = Example(contract, "Meeting", "id")
    fact = world.records("meeting")[0]
    assert {"id": fact["id"], "cpr": fact["cpr"], "kind": "start"} == {
        name: example(fact)[name] for name in ("id", "cpr", "kind")
    }
    assert problem(closed(contract, contract.component("Meeting")), example(fact)) is None
    with kind(world) as sandbox:
        answer = requests.get(f"http://127.0.0.1:{sandbox.port}/v1/meetings?page=1&pageSize=2", timeout=10)
    assert [fact["id"] for fact in world.records("meeting")[:2]] == [one["id"] for one in answer.json()["data"]]
