"""A small declared system that each test changes in one place, with its sandbox on a real socket."""

from __future__ import annotations

import copy
from pathlib import Path

import msgspec
import pytest
import yaml

from samspil.declared import declared
from samspil.testing.rest import RestSandbox
from samspil.testing.world import World

CALENDAR = {
    "kind": "rest",
    "title": "A calendar (kalender)",
    "login": "none",
    "check": "/v1/calendar",
    "schemas": {
        "meeting": {
            "record": "Meeting",
            "list": {"path": "/v1/meetings", "paging": {"page": "page", "size": "pageSize"}},
            "fetch": {"path": "/v1/meetings/{id}"},
            "write": {
                "create": "POST /v1/meetings",
                "update": "PUT /v1/meetings/{id}",
                "delete": "DELETE /v1/meetings/{id}",
                "key": {"header": "Idempotency-Key"},
                "receipt": {
                    "id": "number",
                    "reference": "receipt",
                    "code": "problem.code",
                    "field": "problem.field",
                    "reasons": {"E1": "missing-field", "E2": "unknown-field", "E3": "already-exists"},
                },
            },
        }
    },
}

PARAMETERS = [
    {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}},
    {"name": "pageSize", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 50}},
    {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}},
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 50}},
    {"name": "token", "in": "query", "schema": {"type": "string"}},
    {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}},
    {"name": "day", "in": "query", "schema": {"type": "string", "format": "date"}},
    {"name": "word", "in": "query", "schema": {"type": "string"}},
]
KEYS = [
    {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}},
]


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def json(schema):
    return {"content": {"application/json": {"schema": schema}}}


def shape(**properties):
    return {"type": "object", "properties": properties}


TEXT, TRUTH = {"type": "string"}, {"type": "boolean"}
MEETINGS = {"type": "array", "items": ref("Meeting")}
PAGE = shape(
    data=MEETINGS,
    result=shape(items=MEETINGS, hasMore=TRUTH),
    hasMore=TRUTH,
    count={"type": "integer"},
    next=TEXT,
    deleted={"type": "array", "items": TEXT},
    asOf={"type": "string", "format": "date-time"},
)
ACCEPTED = shape(number=TEXT, receipt=TEXT, problem=shape(code=TEXT, field=TEXT))
WRITTEN = {"responses": {"200": json(ACCEPTED)}}
WITH_KEY = {"allOf": [ref("Meeting"), shape(requestId=TEXT)]}
ID = {"name": "id", "in": "path", "required": True, "schema": TEXT}

OPENAPI = {
    "openapi": "3.1.0",
    "paths": {
        "/v1/calendar": {"get": {"responses": {"200": json(shape(name=TEXT))}}},
        "/v1/meetings": {
            "get": {"parameters": PARAMETERS, "responses": {"200": json(PAGE)}},
            "post": {"parameters": KEYS, "requestBody": json(ref("Meeting")), **WRITTEN},
        },
        "/v1/all": {"get": {"responses": {"200": json(MEETINGS)}}},
        "/v1/deleted": {"get": {"parameters": PARAMETERS, "responses": {"200": json(PAGE)}}},
        "/v1/strict": {
            "get": {
                "parameters": [{"name": "X-Area", "in": "header", "required": True, "schema": TEXT}, *PARAMETERS],
                "responses": {"200": json(PAGE)},
            }
        },
        "/v1/meetings/batch": {
            "post": {
                "requestBody": json(
                    shape(items={"type": "array", "items": shape(key=TEXT, id=TEXT, meeting=ref("Meeting"))})
                ),
                "responses": {
                    "200": json(
                        shape(
                            results={
                                "type": "array",
                                "items": shape(
                                    key=TEXT,
                                    number=TEXT,
                                    receipt=TEXT,
                                    status={"type": "integer"},
                                    problem=shape(code=TEXT, field=TEXT),
                                ),
                            }
                        )
                    )
                },
            }
        },
        "/v1/meetings/{id}": {
            "parameters": [ID],
            "get": {"responses": {"200": json(ref("Meeting"))}},
            "put": {"parameters": KEYS, "requestBody": json(ref("Meeting")), **WRITTEN},
            "delete": {"parameters": KEYS, **WRITTEN},
        },
        "/v1/wrapped": {"post": {"requestBody": json(shape(meeting=ref("Meeting"), requestId=TEXT)), **WRITTEN}},
        "/v1/wrapped/{id}": {
            "parameters": [ID],
            "put": {"requestBody": json(shape(meeting=ref("Meeting"), requestId=TEXT)), **WRITTEN},
        },
        "/v1/keyed": {"post": {"requestBody": json(WITH_KEY), **WRITTEN}},
        "/v1/keyed/{id}": {"parameters": [ID], "put": {"requestBody": json(WITH_KEY), **WRITTEN}},
    },
    "components": {
        "schemas": {
            "Meeting": {
                "type": "object",
                "required": ["id", "cpr", "kind", "heldAt"],
                "properties": {
                    "id": TEXT,
                    "cpr": {"type": "string", "pattern": "^[0-9A-Z]{10}$"},
                    "kind": {"type": "string", "enum": ["start", "status", "network", "follow-up"]},
                    "heldAt": {"type": "string", "format": "date-time"},
                    "minutes": {"type": ["string", "null"]},
                    "changedAt": {"type": "string", "format": "date-time", "readOnly": True},
                    "state": {"type": "string", "readOnly": True},
                },
            },
            "Loop": {"properties": {"next": ref("Loop")}},
        }
    },
}


def meeting(fact):
    return {
        "id": fact["id"],
        "cpr": fact["cpr"],
        "kind": fact["kind"],
        "heldAt": fact["held_at"].isoformat(),
        "minutes": fact["minutes"],
    }


def changed(document, changes):
    """A copy with the values at dotted paths replaced; None takes one away. A step is spelled with / for a dot in it."""
    document = copy.deepcopy(document)
    for path, value in changes.items():
        *above, last = path.split(".")
        inner = document
        for step in above:
            inner = inner.setdefault(step, {})
        if value is None:
            inner.pop(last, None)
        else:
            inner[last] = value
    return document


@pytest.fixture(scope="session")
def world():
    return World("760", citizens=90)


@pytest.fixture
def folder(tmp_path):
    """Writes the system's two files with changes in the declaration, and gives their folder."""

    def write(**changes) -> Path:
        place = tmp_path / "small_calendar"
        place.mkdir(exist_ok=True)
        (place / "connector.yaml").write_text(
            yaml.safe_dump(changed(CALENDAR, changes), allow_unicode=True, sort_keys=False)
        )
        (place / "openapi.yaml").write_text(yaml.dump(OPENAPI, Dumper=Plain, allow_unicode=True, sort_keys=False))
        return place

    return write


class Plain(yaml.SafeDumper):
    """Without anchors, which our reader of YAML refuses."""

    def ignore_aliases(self, data):
        return True


class System:
    """A declared system that runs."""

    def __init__(self, place, world):
        kind = type("SmallSandbox", (RestSandbox,), {"folder": place, "renders": {"meeting": meeting}})
        self.connector, self.sandbox = declared(place / "connector.yaml"), kind(world)
        self.made = []

    def connect(self, **extra):
        account = self.sandbox.account
        account = msgspec.structs.replace(account, extra={**account.extra, "attempts": 1, **extra})
        self.made.append(self.connector(account))
        return self.made[-1]


@pytest.fixture
def system(folder, world):
    """Starts the system with changes in its declaration."""
    started = []

    def start(**changes):
        one = System(folder(**changes), world)
        one.sandbox.start()
        started.append(one)
        return one

    yield start
    for one in started:
        for connector in one.made:
            connector.close()
        one.sandbox.stop()
