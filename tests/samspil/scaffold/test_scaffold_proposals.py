"""What is filled in is certain, what is proposed is a comment, and nothing is decided silently."""

from __future__ import annotations

import pytest
import yaml

from samspil import registry
from samspil.mapping.tree import ours
from samspil.scaffold import new
from samspil.scaffold.fields import Described, Record, converter, paired
from samspil.scaffold.mappings import mapping

API = """\
openapi: 3.0.3
info: {{title: Meetings, version: "1"}}
paths:
  /status: {{get: {{responses: {{"200": {{description: up}}}}}}}}
  /meetings:
    get:
      parameters: [{parameters}]
      responses:
        "200":
          description: some
          {headers}
          content:
            application/json:
              schema:
                type: object
                properties: {{data: {{type: array, items: {{$ref: "#/components/schemas/Meeting"}}}}, {beside}}}
components:
  securitySchemes: {{{schemes}}}
  schemas:
    Meeting: {{type: object, required: [id], properties: {{id: {{type: string}}, when: {{type: string, format: date-time}}}}}}
"""


def query(*names, required=False):
    return ", ".join(
        f"{{name: {name}, in: query, required: {str(required).lower()}, schema: {{type: string}}}}" for name in names
    )


def declared(tmp_path, parameters="", beside="", headers="", schemes="", api=API):
    file = tmp_path / "api.yaml"
    text = api.format(parameters=parameters, beside=beside, headers=headers, schemes=schemes)
    file.write_text(text, "utf-8")
    made = new.from_openapi("meetings", file, new.wanted(["meeting"]), tmp_path)
    return made.files["connectors/meetings/connector.yaml"].decode()


class Loader(yaml.SafeLoader):
    pass


Loader.add_constructor("!TODO", lambda loader, node: f"TODO {node.value}")


def listing(text):
    return yaml.load(text, Loader=Loader)["schemas"]["meeting"]["list"]


@pytest.mark.parametrize(
    ("parameters", "beside", "expected"),
    [
        (
            query("page", "pageSize"),
            "hasMore: {type: boolean}",
            {"page": "page", "size": "pageSize", "more": "hasMore"},
        ),
        (query("side"), "", {"page": "side"}),
        (query("offset", "limit"), "", {"offset": "offset", "size": "limit"}),
        (
            query("cursor", "limit"),
            "nextCursor: {type: string}",
            {"after": "cursor", "next": "nextCursor", "size": "limit"},
        ),
        (
            query("cursor", "antal"),
            "naesteCursor: {type: string}",
            {"after": "cursor", "next": "naesteCursor", "size": "antal"},
        ),
    ],
)
def test_paging_is_read_from_parameters_and_answer(tmp_path, parameters, beside, expected):
    assert expected == listing(declared(tmp_path, parameters, beside))["paging"]


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ("next: {type: string}", "{since: from, changed: when, gone: …}"),
        (
            "deleted: {type: array, items: {type: string}}, asOf: {type: string, format: date-time}",
            "{since: from, changed: when, clock: asOf, gone: {keys: deleted}}",
        ),
    ],
)
def test_reading_changes_only_is_proposed_as_far_as_the_answer_tells(tmp_path, beside, expected):
    since = "{name: from, in: query, schema: {type: string, format: date-time}}"
    assert f"# incremental: {expected}\n" in declared(tmp_path, since, beside)


def test_a_receipt_is_proposed_from_the_answer_and_the_refusal(tmp_path):
    write = """  /meetings/{id}:
    put:
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Meeting"}}}}
      responses:
        "200": {description: ok, content: {application/json: {schema: {type: object, properties: {number: {type: string}}}}}}
        "422": {description: no, content: {application/json: {schema: {type: object, properties: {why: {type: string}}}}}}
components:
"""
    text = declared(tmp_path, api=API.replace("components:\n", write.replace("{", "{{").replace("}", "}}"), 1))
    assert "# of the answer the system's own id: number;" in text
    assert "status: why\n" in text


def test_paging_by_link_is_read_from_the_header(tmp_path):
    text = declared(tmp_path, query("limit"), headers="headers: {Link: {schema: {type: string}}}")
    assert {"link": "header", "size": "limit"} == listing(text)["paging"]


@pytest.mark.parametrize("parameters", ["", query("cursor"), query("page", "offset", "limit"), query("fra")])
def test_paging_that_is_in_doubt_is_asked(tmp_path, parameters):
    assert listing(declared(tmp_path, parameters))["paging"].startswith("TODO how does the list end?")


def test_a_query_that_no_declaration_can_send_is_asked(tmp_path):
    path = listing(declared(tmp_path, query("region", required=True)))["path"]
    assert path.startswith("TODO /meetings requires region in the query, which a declaration cannot send")


@pytest.mark.parametrize(
    ("schemes", "expected"),
    [
        ("a: {type: http, scheme: basic}", "basic"),
        ("a: {type: http, scheme: bearer}", "bearer"),
        ("a: {type: apiKey, in: header, name: X-Key}", {"header": "X-Key"}),
        (
            "a: {type: oauth2, flows: {clientCredentials: {tokenUrl: /token, scopes: {read: r}}}}",
            {"oauth": {"token": "/token", "scope": "read"}},
        ),
    ],
)
def test_the_login_is_read_from_the_only_security_scheme(tmp_path, schemes, expected):
    assert expected == yaml.load(declared(tmp_path, schemes=schemes), Loader=Loader)["login"]


@pytest.mark.parametrize(
    "schemes",
    [
        "",
        "a: {type: http, scheme: basic}, b: {type: http, scheme: bearer}",
        "a: {type: openIdConnect}",
        "a: {type: apiKey, in: query, name: k}",
    ],
)
def test_a_login_that_is_in_doubt_is_asked(tmp_path, schemes):
    assert yaml.load(declared(tmp_path, schemes=schemes), Loader=Loader)["login"].startswith(
        "TODO how does one log in?"
    )


def test_a_header_that_is_required_becomes_a_setting(tmp_path):
    tenant = "{name: X-Tenant, in: header, required: true, schema: {type: string}}"
    text = yaml.load(declared(tmp_path, tenant), Loader=Loader)
    assert ({"X-Tenant": "{tenant}"}, {"tenant": "text"}) == (text["headers"], text["settings"])


@pytest.mark.parametrize(
    ("schema", "record", "theirs", "expected"),
    [
        ("case", "Sag", "Part.CPRnummer", "cpr"),
        ("case", "Sag", "Sagsnummer", "id"),
        ("case", "Sag", "Maalgruppe", "target_group"),
        ("case", "Sag", "Målgruppe", "target_group"),
        ("activity", "Aktivitet", "Periode.StartDato", "start"),
        ("activity", "Aktivitet", "slutdato", "end"),
        ("course_order", "Order", "Address.ZipCode", "address.postal_code"),
        ("course_order", "Bestilling", "Sagsbehandler.Navn", "case_worker"),
        ("placement", "Praktik", "Virksomhed.Navn", "company_name"),
        ("case", "Sag", "Farve", None),
    ],
)
def test_names_that_obviously_match_are_paired(schema, record, theirs, expected):
    left = Record(record, {theirs: Described(required=True)}).tree
    (found,) = [one for one in paired(record, left, ours(registry.schema(schema))) if one.theirs is not None]
    assert expected == (found.ours.path if found.ours else None)


@pytest.mark.parametrize("schema", registry.schemas())
def test_every_field_of_both_sides_is_listed_and_none_is_decided(schema):
    struct = registry.schema(schema)
    fields = {
        "Nummer": Described(required=True),
        "Start": Described(kind="date"),
        "Farve": Described(),
        "Liste[]": Described(),
    }
    text = mapping(schema, struct, Record("Ting", fields))
    found = yaml.load(text, Loader=Loader)
    assert list(fields) == [row["theirs"] for row in found["rows"]]
    assert all(row["ours"].startswith(f"TODO {row['theirs']}: ") for row in found["rows"])
    lost = {one["ours"].removesuffix("[]") for one in found.get("lost", ())}
    assert all(one["why"].startswith("TODO ") for one in found.get("lost", ()))
    named = {words[2] for row in found["rows"] if (words := row["ours"].partition(" is it "))[1]}
    named = {text.partition(" ")[0].rstrip("?").removesuffix("[]") for text in named}
    whole = {node.path.removesuffix("[]") for node in _ends(ours(struct))}
    assert whole == lost | named


@pytest.mark.parametrize(
    ("described", "schema", "field", "expected"),
    [
        (Described(), "case", "cpr", "cpr"),
        (Described(kind="date"), "case", "opened", "date"),
        (Described(about="{date: dd-mm-yyyy}"), "case", "opened", "{date: dd-mm-yyyy}"),
        (Described(), "case", "target_group", "code"),
        (Described(), "company", "places", "{integer: {text: true}}"),
        (Described(kind="integer"), "company", "places", "integer"),
        (Described(about="decimal_comma"), "activity", "hours_per_week", "decimal_comma"),
        (Described(kind="number"), "activity", "hours_per_week", "number"),
        (Described(), "activity", "provider", "p_number"),
        (Described(), "company", "cvr", "cvr"),
        (Described(), "placement", "wage_subsidy", "boolean"),
        (Described(), "document", "content", "base64"),
        (Described(kind="moment"), "meeting", "held_at", "timestamp"),
        (Described(), "company", "name", ""),
    ],
)
def test_a_converter_is_proposed_by_both_types(described, schema, field, expected):
    assert expected == converter(described, ours(registry.schema(schema)).children[field])


def _ends(scope):
    for node in scope.children.values():
        if node.many or not node.children:
            yield node
        else:
            yield from _ends(node)
