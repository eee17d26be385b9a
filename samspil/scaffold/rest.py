"""The ``connector.yaml`` of a REST system: what its OpenAPI file says for certain, and the rest as open decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from samspil.declared.rest.writing import PART
from samspil.errors import SettingsError
from samspil.openapi import Contract, Operation, Schema
from samspil.scaffold.openapi import Answered, OpenApi
from samspil.scaffold.paging import CURSORS, MORE, NEXT, OFFSETS, PAGES, PAGING, SIZES, first
from samspil.scaffold.terms import plain
from samspil.scaffold.text import Ask, flow, indented, listed, scalar

_KEYS = ("idempotencykey", "xidempotencykey", "xrequestid", "requestid")
_SENT = {"accept", "authorization", "content-type"}


def declaration(file: OpenApi, contract: str, schemas: Mapping[str, str], ask: Ask) -> str:
    """The text of a ``connector.yaml`` of ``kind: rest``. ``schemas``: shared schema → component; ``contract``: the file's name."""
    used = [one.call for record in schemas.values() for one in file.answering(record)]
    headers = _headers(used or file.calls, _login_header(file))
    text = f"kind: rest\ntitle: {scalar(file.title or contract)}  # for people: in English, with the Danish term\n"
    text += f"openapi: {contract}\nlogin: {_login(file, ask)}\n"
    if headers:
        sent = {header: f"{{{name}}}" for header, name in headers.items()}
        text += f"headers: {flow(**sent)}\nsettings:  # what an account must give beside its login\n"
        text += "".join(f"  {name}: text\n" for name in headers.values())
    text += f"check: {_check(file, ask)}\n# rate: 5  # calls per second that the vendor welcomes\nschemas:\n"
    return text + "".join(indented(_schema(file, schema, record, ask), 2) for schema, record in schemas.items())


def _schema(file: OpenApi, schema: str, record: str, ask: Ask) -> str:
    fields = file.record(record).fields
    keys = [path for path, one in fields.items() if not {".", "["} & set(path) and one.kind in ("text", "integer")]
    keys.sort(
        key=lambda name: (not fields[name].required, not plain(name).endswith(("id", "reference", "nummer", "key")))
    )
    if not keys:
        raise SettingsError(
            f"{record} has no field of its own that could be its key", file=str(file.path), field=schema
        )
    key = ask(
        f"which field is the record's own key, the same for ever? perhaps {listed(keys, most=3)}", scalar(keys[0])
    )
    text = f"{schema}:\n  record: {record}\n  key: {key}\n"
    answered = file.answering(record)
    lists = [one for one in answered if one.many and not PART.search(one.call.path)]
    text += indented(_list(file, record, lists, ask), 2)
    ones = [one for one in answered if not one.many and len(PART.findall(one.call.path)) == 1]
    if len(ones) == 1:
        text += f"  fetch: {flow(path=ones[0].call.path, within=ones[0].place)}\n"
    return text + "".join(f"  # {line}\n" for line in _write(file, record))


def _list(file: OpenApi, record: str, lists: Sequence[Answered], ask: Ask) -> str:
    if not lists:
        return (
            "list: "
            + ask("which call lists these records? the file has none; take this out if they are only written", "null")
            + "\n"
        )
    one = lists[0]
    paths = [other.call.path for other in lists]
    many = len(set(paths)) > 1
    path = ask(f"which call lists them all? {listed(paths)}", one.call.path) if many else one.call.path
    paging, sent = _paging(file, one, ask)
    needed = [p.name for p in one.call.parameters if p.place == "query" and p.required and p.name not in sent]
    if needed:
        path = ask(
            f"{one.call.path} requires {listed(needed)} in the query, which a declaration cannot send: is there another "
            "list? else write this connector in Python (samspil new connector --python)",
            one.call.path,
        )
    text = f"list:\n  path: {path}\n  records: {scalar(one.place)}\n  paging: {paging}\n"
    moments = [
        p.name for p in one.call.parameters if p.place == "query" and str(p.schema.get("format", "")).startswith("date")
    ]
    if moments:
        text += "".join(f"  # {line}\n" for line in _incremental(file, one, record, moments[0]))
    return text


def _incremental(file: OpenApi, one: Answered, record: str, since: str) -> Iterator[str]:
    """How changes only could be read, as comments: whether deletions are told too is the vendor's to say."""
    times = [path for path, told in file.record(record).fields.items() if told.kind == "moment" and "." not in path]
    places = list(_places(file.contract, one.call.answer, "", 3))
    clocks = [place for place, told in places if told.get("format") == "date-time"]
    keys = [place for place, told in places if "items" in told and place != one.place]
    fields = {"since": since, "changed": times[0] if len(times) == 1 else "…", "clock": clocks[0] if clocks else ""}
    gone = f"{{keys: {keys[0]}}}" if len(keys) == 1 else "…"
    yield "to read changes only, if the vendor tells deletions too; else all is read every night, which is safe:"
    yield f"incremental: {flow(**fields).removesuffix('}')}, gone: {gone}}}"
    yield "gone is {keys: where the answer lists deleted keys}, {field: …, value: …} of a record, or {path: a list of them}"


def _paging(file: OpenApi, one: Answered, ask: Ask) -> tuple[str, list[str]]:
    """How the list is paged if its parameters and its answer leave no doubt, and the parameters that says to send."""
    query = {plain(p.name): p.name for p in one.call.parameters if p.place == "query"}
    beside = dict(_leaves(file.contract, one.call.answer, "", 3))
    size = first(query, SIZES)
    more = next((place for place, kind in beside.items() if kind == "boolean" and _last(place) in MORE), "")
    after = next(
        (place for place, kind in beside.items() if kind in ("string", "integer") and _last(place) in NEXT), ""
    )
    page, offset, token = (first(query, names) for names in (PAGES, OFFSETS, CURSORS))
    ways: list[tuple[str, list[str]]] = []
    if page:
        ways.append((flow(page=page, size=size, more=more), [page, size]))
    if offset and size:
        ways.append((flow(offset=offset, size=size, more=more), [offset, size]))
    if token and after:
        ways.append((flow(after=token, next=after, size=size), [token, size]))
    if not ways and file.links(one.call):
        ways.append((flow(link="header", size=size), [size]))
    if len(ways) == 1:
        return ways[0]
    there = f"its query has {listed(query.values())}" if query else "its query has no parameters"
    question = "how does the list end? Look for page, offset or next in the vendor's answer"
    shapes = "{page: …}, {offset: …, size: …}, {after: …, next: …}, {link: header}, or none if all comes at once"
    return ask(f"{question} ({there}): {shapes}", "none"), [query[name] for name in query if name in PAGING]


def _last(place: str) -> str:
    return plain(place.rpartition(".")[2])


def _leaves(contract: Contract, schema: Schema | None, at: str, deep: int) -> Iterator[tuple[str, str]]:
    """The single values beside the records of an answer, with their types."""
    return ((place, _type(told)) for place, told in _places(contract, schema, at, deep) if "items" not in told)


def _places(contract: Contract, schema: Schema | None, at: str, deep: int) -> Iterator[tuple[str, Schema]]:
    """The single values and the lists of an answer, with what the contract says of them."""
    for name, inner in (contract.object(schema)[0] if schema is not None and deep else {}).items():
        below, path = contract.resolved(inner), f"{at}.{name}" if at else name
        if _type(below) not in ("object", ""):
            yield path, below
        else:
            yield from _places(contract, below, path, deep - 1)


def _type(schema: Schema) -> str:
    kind = schema.get("type", "array" if "items" in schema else "")
    return next((one for one in kind if one != "null"), "") if isinstance(kind, list) else str(kind)


def _login(file: OpenApi, ask: Ask) -> str:
    schemes = file.schemes()
    ways = [_way(one, ask) for one in schemes]
    if len(ways) == 1 and ways[0]:
        return ways[0]
    there = (
        f"; the file names {listed(str(one.get('type')) for one in schemes)}" if schemes else "; the file does not say"
    )
    return ask(
        f"how does one log in? none, basic, bearer, certificate, {{header: X-Key}} or {{oauth: {{token: …}}}}{there}",
        "none",
    )


def _way(scheme: Mapping[str, Any], ask: Ask) -> str:
    kind, scheme_name = scheme.get("type"), str(scheme.get("scheme", "")).lower()
    if kind == "http" and scheme_name in ("basic", "bearer"):
        return scheme_name
    if kind == "apiKey" and scheme.get("in") == "header":
        return flow(header=str(scheme.get("name", "")))
    flows = scheme.get("flows", {}) if kind == "oauth2" else {}
    given = flows.get("clientCredentials") if isinstance(flows, dict) else None
    if not isinstance(given, dict) or not given.get("tokenUrl"):
        return ""
    scopes = list(given.get("scopes") or {})
    scope = scalar(scopes[0]) if len(scopes) == 1 else ask(f"which scopes are asked for? {listed(scopes)}", '""')
    return f"{{oauth: {{token: {scalar(str(given['tokenUrl']))}, scope: {scope}}}}}"


def _login_header(file: OpenApi) -> set[str]:
    return {str(one.get("name", "")).lower() for one in file.schemes() if one.get("in") == "header"}


def _headers(calls: Sequence[Operation], login: set[str]) -> dict[str, str]:
    """The headers that these calls require, each with a setting it can come from."""
    found = [p.name for call in calls for p in call.parameters if p.place == "header" and p.required]
    wanted = [name for name in dict.fromkeys(found) if name not in _SENT | login and plain(name) not in _KEYS]
    return {name.title(): re.sub("[^a-z0-9]+", "_", name.removeprefix("x-")).strip("_") for name in wanted}


def _check(file: OpenApi, ask: Ask) -> str:
    simple = [
        call.path
        for call in file.calls
        if call.method == "GET"
        and not PART.search(call.path)
        and not any(p.required and p.place == "query" for p in call.parameters)
    ]
    if not simple:
        raise SettingsError("has no GET without parameters that could be the check", file=str(file.path), field="paths")
    lists = {one.call.path for name in file.records for one in file.answering(name)}
    simple.sort(key=lambda path: (path in lists, len(path)))
    return ask(f"which GET changes nothing and shows that the login is good? perhaps {listed(simple)}", simple[0])


def _write(file: OpenApi, record: str) -> Iterator[str]:
    """How it could be written, as comments: what makes a resend harmless is the vendor's to say."""
    taking = file.taking(record)
    creates = [call for call in taking if call.method == "POST" and not PART.search(call.path)]
    updates = [call for call in taking if call.method in ("PUT", "PATCH") and PART.search(call.path)]
    if not creates and not updates:
        return
    deletes = [call for call in file.calls if call.method == "DELETE" and call.path in [one.path for one in updates]]
    keys = [
        p.name.title() for call in creates for p in call.parameters if p.place == "header" and plain(p.name) in _KEYS
    ]
    yield "to write them too (ask first what makes a resend harmless):"
    yield "write:"
    for name, calls in (("create", creates), ("update", updates), ("delete", deletes)):
        for call in calls[:1]:
            yield f"  {name}: {call.method} {call.path}"
    yield f"  key: {flow(header=keys[0]) if keys else '{header: …}, or {field: …} of the request'}"
    call = (creates or updates)[0]
    there, wrong = (
        [place for place, _ in _leaves(file.contract, one, "", 3)] for one in (call.answer, file.refusal(call))
    )
    yield f"  receipt: {{id: …, code: …, field: …}}  # of the answer the system's own id: {listed(there) if there else 'id'};"
    yield f"  # of a refusal what is wrong, and where, or all one sees is its status: {listed(wrong) if wrong else 'not said'}"
