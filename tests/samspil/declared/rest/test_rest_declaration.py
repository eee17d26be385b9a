"""A declaration that cannot work is one clear line when it is loaded, with file, line and field."""

import re

import pytest
from msgspec.structs import fields

from samspil.account import Account
from samspil.connector import Reads
from samspil.declared import declared
from samspil.errors import SettingsError

M = "schemas.meeting"
LIST, WRITE = f"{M}.list", f"{M}.write"
TOKEN = {"after": "token", "size": "limit", "next": "next"}
SINCE = {"since": "since", "changed": "changedAt", "gone": {"keys": "deleted"}}


def since(**changes):
    return {f"{LIST}.paging": TOKEN, f"{LIST}.incremental": {**SINCE, **changes}}


def put(receipt=None, **changes):
    """The many of one call; ``receipt`` changes where its results are."""
    many = {
        "call": "POST /v1/meetings/batch",
        "each": "items",
        "key": "key",
        "id": "id",
        "within": "meeting",
        **changes,
    }
    found = {"each": "results", "key": "key", **(receipt or {})}
    return {
        f"{WRITE}.create": None,
        f"{WRITE}.update": None,
        f"{WRITE}.key": None,
        f"{WRITE}.put": many,
        **{f"{WRITE}.receipt.{name}": value for name, value in found.items()},
    }


WRONG = {
    # the file itself
    "an unknown word": ({"pages": 1}, "", "unknown field `pages`"),
    "a word unknown further in": ({f"{LIST}.pages": 1}, LIST, "unknown field `pages`"),
    "no title": ({"title": None}, "", "missing required field `title`"),
    "no check": ({"check": None}, "", "missing required field `check`"),
    "no schemas": ({"schemas": {}}, "schemas", "length >= 1"),
    "a setting with a bad name": ({"settings": {"X-1": {}}}, "settings", "regex"),
    "a login there is not": ({"login": "magic"}, "login", "Invalid enum value 'magic'"),
    "a login with half": ({"login": {}}, "login", "takes header or oauth, one of the two"),
    "a paging there is not": ({f"{LIST}.paging": "guess"}, f"{LIST}.paging", "Invalid enum value 'guess'"),
    "a call without a method": ({f"{WRITE}.create": "/v1/meetings"}, f"{WRITE}.create", "regex"),
    "a place that is none": ({f"{LIST}.records": "a..b"}, f"{LIST}.records", "regex"),
    "a path elsewhere": ({"check": "http://example.com/x"}, "check", "regex"),
    "a status that is no refusal": ({f"{WRITE}.receipt.refused": [500]}, f"{WRITE}.receipt.refused[0]", "<= 499"),
    "a status that is about access": ({f"{WRITE}.receipt.refused": [409, 403]}, f"{WRITE}.receipt.refused", "403"),
    "a reason in no kebab-case": (
        {f"{WRITE}.receipt.reasons": {"E1": "Too long"}},
        f"{WRITE}.receipt.reasons.E1",
        "regex",
    ),
    # settings
    "a header from nowhere": (
        {"headers": {"X-Tenant": "{tenant}"}},
        "headers.X-Tenant",
        "{tenant} is no setting; there are: host, now, path, port, uuid",
    ),
    "a token field from nowhere": (
        {"login": {"oauth": {"token": "/t", "form": {"resource": "{area}"}}}},
        "login.oauth.form.resource",
        "{area} is no setting",
    ),
    "a setting that is one already": ({"settings": {"timeout": {}}}, "settings.timeout", "is a setting already"),
    "a setting of the login": ({"settings": {"password": {}}}, "settings.password", "is a setting already"),
    "a default of another type": (
        {"settings": {"area": {"type": "integer", "default": "x"}}},
        "settings.area.default",
        "is no integer within its limits",
    ),
    "a boolean with limits": ({"settings": {"on": {"type": "boolean", "least": 1}}}, "settings.on", "has no limits"),
    # the OpenAPI file
    "no such file": ({"openapi": "other.yaml"}, "openapi", "no file other.yaml in the connector's folder"),
    "a file elsewhere": ({"openapi": "../small_calendar/openapi.yaml"}, "openapi", "in the connector's folder"),
    "an unknown component": ({f"{M}.record": "Meting"}, f"{M}.record", "has no component Meting; it has: Meeting"),
    "an unknown key": ({f"{M}.key": "ids"}, f"{M}.key", "Meeting has no property ids; it has: id"),
    "neither read nor written": ({LIST: None, WRITE: None}, M, "neither how it is read"),
    "an unknown path": (
        {f"{LIST}.path": "/v1/meeting"},
        f"{LIST}.path",
        "openapi.yaml: has no call GET /v1/meeting; it has: GET /v1/meetings",
    ),
    "an unknown check": ({"check": "/v1/me"}, "check", "has no call GET /v1/me"),
    "an unknown method": ({f"{WRITE}.update": "PATCH /v1/meetings/{id}"}, f"{WRITE}.update", "has no call PATCH"),
    "an unknown query parameter": (
        {f"{LIST}.paging": {"page": "pageNo"}},
        f"{LIST}.paging",
        r"openapi.yaml:\d+: GET /v1/meetings has no query parameter pageNo; it has: page, pageSize",
    ),
    "a list that comes at once": (
        {f"{LIST}.path": "/v1/all", f"{LIST}.records": ""},
        f"{LIST}.paging",
        "GET /v1/all has no query parameter page; it has: none",
    ),
    "no records there": ({f"{LIST}.records": "items"}, f"{LIST}.records", "answers nothing at items"),
    "something else there": (
        {f"{LIST}.records": "deleted"},
        f"{LIST}.records",
        "answers at deleted no list of Meeting",
    ),
    "no more there": (
        {f"{LIST}.paging": {"page": "page", "more": "more"}},
        f"{LIST}.paging.more",
        "answers nothing at more",
    ),
    "more that is no boolean": (
        {f"{LIST}.paging": {"page": "page", "more": "next"}},
        f"{LIST}.paging.more",
        "answers no boolean at next",
    ),
    "no token there": ({f"{LIST}.paging": {**TOKEN, "next": "nxt"}}, f"{LIST}.paging.next", "answers nothing at nxt"),
    "a header it requires": (
        {f"{LIST}.path": "/v1/strict"},
        f"{LIST}.path",
        "requires the header parameter x-area, which is not sent",
    ),
    "no paging": ({f"{LIST}.paging": None}, LIST, "missing required field `paging`"),
    "two ways of paging": (
        {f"{LIST}.paging": {"page": "page", "offset": "offset"}},
        f"{LIST}.paging",
        "give one of page, offset, after and link",
    ),
    "an offset without a size": ({f"{LIST}.paging": {"offset": "offset"}}, f"{LIST}.paging", "`offset` needs `size`"),
    "a token from nowhere": ({f"{LIST}.paging": {"after": "token"}}, f"{LIST}.paging", "`next` is the place"),
    "a more that nobody asks": ({f"{LIST}.paging": {**TOKEN, "more": "hasMore"}}, f"{LIST}.paging", "`more` goes with"),
    # incremental
    "no start of the next read": (since(changed=""), f"{LIST}.incremental", "give clock or changed"),
    "changes in numbered pages": ({f"{LIST}.incremental": SINCE}, f"{LIST}.incremental", "paging by after or link"),
    "an unknown since": (since(since="from"), f"{LIST}.incremental.since", "has no query parameter from"),
    "a since that is no time": (since(since="word"), f"{LIST}.incremental.since", "is a date-time or date"),
    "an unknown time of change": (since(changed="changes"), f"{LIST}.incremental.changed", "has no property changes"),
    "a time of change that is none": (
        since(changed="kind"),
        f"{LIST}.incremental.changed",
        "Meeting.kind is no date-time",
    ),
    "no way to tell deletions": (since(gone={}), f"{LIST}.incremental.gone", "exactly one of keys, field, path"),
    "two ways to tell deletions": (
        since(gone={"field": "state", "keys": "deleted"}),
        f"{LIST}.incremental.gone",
        "exactly one of keys, field, path",
    ),
    "deletions in no field": (since(gone={"field": "gone"}), f"{LIST}.incremental.gone.field", "no property gone"),
    "deletions nowhere": (since(gone={"keys": "gone"}), f"{LIST}.incremental.gone.keys", "answers nothing at gone"),
    "deletions in no list": (
        since(gone={"path": "/v1/gone"}),
        f"{LIST}.incremental.gone.path",
        "has no call GET /v1/gone",
    ),
    "deletions in another list": (
        since(gone={"path": "/v1/all"}),
        f"{LIST}.incremental.gone.path",
        "GET /v1/all has no query parameter token",
    ),
    "no clock there": (since(clock="now"), f"{LIST}.incremental.clock", "answers nothing at now"),
    "no overlap": (since(overlap=0), f"{LIST}.incremental.overlap", ">= 1"),
    # fetching and writing
    "a fetch without an id": ({f"{M}.fetch.path": "/v1/all"}, f"{M}.fetch.path", "one {name}"),
    "a fetched record elsewhere": ({f"{M}.fetch.within": "meeting"}, f"{M}.fetch.within", "has nothing at meeting"),
    "no update": ({f"{WRITE}.update": None}, WRITE, "give either put, or create and update"),
    "an update without an id": ({f"{WRITE}.update": "POST /v1/keyed"}, f"{WRITE}.update", "one {name}"),
    "nothing against doubles": ({f"{WRITE}.key": None}, f"{WRITE}.create", "sent again makes two"),
    "a key in two places": (
        {f"{WRITE}.key": {"header": "Idempotency-Key", "field": "key"}},
        f"{WRITE}.key",
        "a header or a field, not both",
    ),
    "a header it does not take": (
        {f"{WRITE}.key": {"header": "X-Request"}},
        f"{WRITE}.create",
        "POST /v1/meetings has no header X-Request",
    ),
    "a field it does not take": ({f"{WRITE}.key": {"field": "key"}}, f"{WRITE}.create", "takes nothing at key"),
    "a record elsewhere": ({f"{WRITE}.within": "meeting"}, f"{WRITE}.create", "has nothing at meeting"),
    "another record": (
        {f"{WRITE}.create": "POST /v1/meetings/batch", f"{WRITE}.key": {"field": "items"}},
        f"{WRITE}.create",
        "has no such record at its top",
    ),
    "an id that the record has not": (
        {f"{WRITE}.create": "PUT /v1/keyed/{number}"},
        f"{WRITE}.create",
        "has no call PUT /v1/keyed/{number}",
    ),
    "no id in the answer": ({f"{WRITE}.receipt.id": "id"}, f"{WRITE}.create", "answers nothing at id"),
    "many without a key": (put(key=""), f"{WRITE}.put.key", "length >= 1"),
    "many without receipts": (put({"each": ""}), f"{WRITE}.receipt", "need a receipt each; give `each` and `key`"),
    "many and one by one": ({**put(), f"{WRITE}.create": "POST /v1/keyed"}, f"{WRITE}.put", "instead of create"),
    "many of nothing": (put(each="orders"), f"{WRITE}.put.each", "takes no list at orders"),
    "many with no place for the key": (put(key="their"), f"{WRITE}.put.key", "takes in an item nothing at their"),
    "many without an id": (put(id="their"), f"{WRITE}.put.id", "takes in an item nothing at their"),
    "many other records": (put(within="meting"), f"{WRITE}.put.within", "has nothing at meting"),
    "many without results": (put({"each": "answers"}), f"{WRITE}.receipt.each", "answers nothing at answers"),
    "many without a status": (
        put({"status": "code"}),
        f"{WRITE}.receipt.status",
        "answers in a result nothing at code",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_declaration_that_cannot_work_is_one_clear_line(folder, name):
    changes, field, message = WRONG[name]
    place = folder(**changes) / "connector.yaml"
    with pytest.raises(SettingsError) as caught:
        declared(place)
    error = caught.value
    assert re.search(message.replace("{", r"\{"), str(error)), str(error)
    assert (str(place), field, 1) == (error.file, error.field, str(error).count("\n") + 1)
    assert error.line >= 1


def test_the_line_is_that_of_the_field(folder):
    place = folder(**{f"{LIST}.path": "/v1/meeting"}) / "connector.yaml"
    with pytest.raises(SettingsError) as caught:
        declared(place)
    assert "path: /v1/meeting" == place.read_text().splitlines()[caught.value.line - 1].strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("openapi: [", "is not YAML"),
        ("- a list", "Expected `object`"),
        ("openapi: 3.1.0", "has no call GET /v1/calendar"),
        ("paths: []", "has no call GET /v1/calendar"),
        ("paths: {/v1/calendar: {get: {parameters: [{$ref: '#/nowhere'}]}}}", "#/nowhere is not in the file"),
        ("paths: {/v1/calendar: {get: {responses: {'200': {$ref: 'http://example.com/x'}}}}}", "is not in the file"),
    ],
)
def test_an_openapi_file_that_is_none_is_one_clear_line(folder, text, message):
    place = folder()
    (place / "openapi.yaml").write_text(text)
    with pytest.raises(SettingsError, match=re.escape(message)) as caught:
        declared(place / "connector.yaml")
    assert str(place) in str(caught.value)


def test_a_record_that_refers_to_itself_is_an_error_at_load(folder):
    place = folder(**{f"{M}.record": "Loop", f"{M}.key": "next", WRITE: None, f"{M}.fetch": None})
    text = (place / "openapi.yaml").read_text().replace("#/components/schemas/Meeting", "#/components/schemas/Loop")
    (place / "openapi.yaml").write_text(text)
    with pytest.raises(SettingsError, match="a schema refers to itself"):
        declared(place / "connector.yaml")


def test_a_declaration_is_a_class_that_calls_nobody(folder):
    kind = declared(folder() / "connector.yaml")
    assert ("SmallCalendar", "A calendar (kalender)") == (kind.__name__, kind.title)
    assert {"meeting": Reads("Meeting")} == kind.reads
    assert ["id", "cpr", "kind", "heldAt", "minutes", "changedAt", "state"] == list(kind.fields("meeting"))
    kind(Account(id="a", host="nowhere.invalid")).close()


def test_a_schema_may_be_read_only_or_written_only(folder):
    kind = declared(folder(**{WRITE: None, f"{M}.fetch": None}) / "connector.yaml")
    one = kind(Account(id="a"))
    with pytest.raises(NotImplementedError):
        one.write("meeting", [])
    with pytest.raises(NotImplementedError):
        one.fetch("meeting", "1")
    assert {} == kind.writes
    one = declared(folder(**{LIST: None}) / "connector.yaml")(Account(id="a"))
    with pytest.raises(NotImplementedError):
        next(iter(one.read("meeting")))
    assert {} == one.reads


def test_the_page_size_has_the_contracts_limits(folder):
    kind = declared(folder() / "connector.yaml")
    (size,) = [field for field in fields(kind.Settings) if field.name == "page_size"]
    assert (50, 1, 50) == (size.default, size.type.__metadata__[0].ge, size.type.__metadata__[0].le)
