"""A declaration that does not fit its WSDL is one line with file, line, field, and what there is instead."""

import pytest
from msgspec.structs import fields

from samspil.connector import Field
from samspil.declared import declared

PAGING = "paging: {page: Window.Page, first: 0, size: Window.Take, page_size: 7}"
PROBLEMS = {
    "an operation": (
        "check: Hello",
        "check: Hallo",
        "connector.yaml:10: check.operation: there is no operation Hallo; there are Find, Get, Hello, Put, Save",
    ),
    "an operation of a list": (
        "operation: Find",
        "operation: Found",
        "connector.yaml:16: schemas.case.list.operation: there is no operation Found; there are Find, Get, Hello, Put, Save",
    ),
    "a record": (
        "record: Item",
        "record: Booking",
        "connector.yaml:16: schemas.case.list.operation: FindResult has no Booking; there is Items, Deleted, Item",
    ),
    "a key": (
        "key: Id\n    list",
        "key: Nr\n    list",
        (
            "connector.yaml:14: schemas.case.key: the record Item has no Nr; there is Id, Cpr, Opened, Closed, Kle, Group, "
            "Worker, Team, Changed"
        ),
    ),
    "a place in a request": (
        "page: Window.Page",
        "page: Window.Pages",
        (
            "connector.yaml:18: schemas.case.list.paging.page: the request of Find: Window has no Pages; there is Page, Skip, "
            "After, Take"
        ),
    ),
    "a place in an answer": (
        "first: 0,",
        "first: 0, more: Mere,",
        (
            "connector.yaml:18: schemas.case.list.paging.more: the answer of Find has no Mere; there is Items, More, Count, "
            "Next, Deleted"
        ),
    ),
    "a value": (
        'values: {Office: "{office}"}\n      paging',
        'values: {Offices: "{office}"}\n      paging',
        (
            "connector.yaml:17: schemas.case.list.values.Offices: the request of Find has no Offices; there is Office, Window, "
            "ChangedAfter"
        ),
    ),
    "a setting": (
        'values: {Office: "{office}"}\n      paging',
        'values: {Office: "{desk}"}\n      paging',
        "connector.yaml:17: schemas.case.list.values.Office: {desk} is no setting; there are: host, now, office, path, port, uuid",
    ),
    "an id to fetch": (
        "fetch: {operation: Get, id: Number}",
        "fetch: {operation: Get, id: Nr}",
        "connector.yaml:19: schemas.case.fetch.id: the request of Get has no Nr; there is Number",
    ),
    "a place in a receipt": (
        "code: Code",
        "code: Kode",
        (
            "connector.yaml:30: schemas.case.write.receipt.code: the answer of Save: Receipt has no Kode; there is Code, Key, "
            "Number, Field"
        ),
    ),
    "a header": (
        "errors:",
        "headers:\n  Token: {}\nerrors:",
        "connector.yaml:8: headers.Token: the WSDL has no such element on its own",
    ),
    "an unknown field": ("login:", "logins: x\nlogin:", "connector.yaml:1: Object contains unknown field `logins`"),
    "an unknown field of a schema": (
        "    key: Id\n",
        "    key: Id\n    keys: x\n",
        "connector.yaml:12: schemas.case: Object contains unknown field `keys`",
    ),
    "a login": (
        "login: {header: X-Key}",
        "login: ntlm",
        "connector.yaml:4: login: Invalid enum value 'ntlm'; it may be basic, bearer, certificate, none, or a block of header",
    ),
    "two ways of paging": (
        "{page: Window.Page,",
        "{page: Window.Page, after: Window.After,",
        "connector.yaml:18: schemas.case.list.paging: give one of page, offset and after",
    ),
    "no end of paging": (
        "first: 0, size: Window.Take, ",
        "first: 0, ",
        "connector.yaml:18: schemas.case.list.paging: give size, more, next or total: without, the end cannot be seen",
    ),
    "a moment without a clock": (
        PAGING,
        f"{PAGING}\n      incremental: {{since: ChangedAfter, gone: never}}",
        "connector.yaml:19: schemas.case.list.incremental: give clock or changed: where does the next read start?",
    ),
    "deletions that nobody thought of": (
        PAGING,
        f"{PAGING}\n      incremental: {{since: ChangedAfter, changed: Changed}}",
        "connector.yaml:19: schemas.case.list.incremental: Object missing required field `gone`",
    ),
    "a setting that is taken": (
        "  office: {default: north}",
        "  timeout: {default: north}",
        "connector.yaml:6: settings.timeout: is a setting already",
    ),
    "a pattern": (
        "{default: north}",
        "{default: north, pattern: '['}",
        "connector.yaml:6: settings.office.pattern: is not a regular expression",
    ),
    "a create without a key": (
        '      put:\n        operation: Save\n        values: {Office: "{office}"}\n        each: Entry\n        key: Key\n',
        '      create:\n        operation: Save\n        values: {Office: "{office}"}\n        each: Entry\n',
        (
            "connector.yaml:22: schemas.case.write.create: a create that is sent again makes two; name where the idempotency key "
            "goes (key), or use put if a second one replaces the first"
        ),
    ),
    "what does not repeat": (
        "each: Entry\n        key: Key\n        id: Number\n",
        "each: Office\n",
        "connector.yaml:25: schemas.case.write.put.each: Office does not repeat; leave `each` out",
    ),
    "a written record that nobody reads back": (
        "    fetch: {operation: Get, id: Number}\n",
        "",
        "connector.yaml:19: schemas.case.write: what is written must be read back; give `fetch`",
    ),
    "a status without what passes": (
        "  refused: [Client]",
        "  status: Version",
        "connector.yaml:7: errors: `status` and `passed` belong together",
    ),
    "a WSDL that is not there": (
        "wsdl: vendor.wsdl",
        "wsdl: other.wsdl",
        "connector.yaml:3: wsdl: there is no such file in the folder",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_not_in_the_wsdl_is_one_line_with_its_place(vendor, name):
    old, new, problem = PROBLEMS[name]
    vendor.swap(old, new)
    assert problem == vendor.problem()


def test_the_fields_of_a_record_are_those_of_the_wsdl(vendor):
    kind = declared(vendor.folder / "connector.yaml")
    assert {
        "Id": Field(required=True),
        "Cpr": Field(required=True),
        "Opened": Field(required=True),
        "Closed": Field(required=False),
        "Kle": Field(required=True),
        "Group": Field(required=True),
        "Worker": Field(required=False),
        "Team": Field(required=False),
        "Changed": Field(required=False),
    } == dict(kind.fields("case"))
    assert ("A vendor's bookings", "Vendor") == (kind.title, kind.__name__)


@pytest.mark.parametrize(
    ("login", "needs"),
    [
        ("basic", {"username", "password"}),
        ("certificate", {"certificate"}),
        ("{header: X-Key}", {"password"}),
        ("bearer", {"password"}),
        ("none", set()),
    ],
)
def test_the_settings_are_what_the_login_needs(vendor, login, needs):
    vendor.swap("login: {header: X-Key}", f"login: {login}")
    vendor.swap("{default: north}", "{pattern: '^[a-z]+$', secret: true}")
    settings = declared(vendor.folder / "connector.yaml").Settings
    assert {"url", "office", *needs} == {field.name for field in fields(settings) if field.required}


@pytest.mark.parametrize("login", ["basic", "bearer", "certificate", "none"])
def test_every_login_is_let_in(vendor, login):
    vendor.swap("login: {header: X-Key}", f"login: {login}")
    vendor.connector(vendor.sandbox()).check()
