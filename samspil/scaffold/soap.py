"""The ``connector.yaml`` of a SOAP system: which operation does what, as far as its messages leave no doubt."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from samspil.declared.soap.contract import Operation
from samspil.declared.soap.schemas import Element
from samspil.scaffold.elements import is_free, leaves, needed
from samspil.scaffold.paging import CURSORS, MORE, NEXT, OFFSETS, PAGES, PAGING, SIZES, TOTALS, first
from samspil.scaffold.terms import plain
from samspil.scaffold.text import Ask, flow, indented, listed, scalar, supposed
from samspil.scaffold.wsdl import Wsdl
from samspil.testing.soap.instances import example, instance

PINGS = ("ping", "version", "hentversion", "alive", "isalive", "status", "selvtest")


def declaration(file: Wsdl, schemas: Mapping[str, str], title: str, ask: Ask) -> str:
    """The text of a ``connector.yaml`` of ``kind: soap``. ``schemas``: shared schema → the element of its record."""
    text = (
        f"kind: soap\ntitle: {scalar(title)}  # for people: in English, with the Danish term\nwsdl: {file.path.name}\n"
    )
    text += f"login: {ask('how does one log in? none, basic, bearer, certificate, or {header: X-Key}', 'none')}\n"
    if file.has_policy:
        text += "# the WSDL has a WS-Policy: are messages signed? perhaps security: {answers: signed}\n"
    text += "".join(_header(file.headers, ask))
    text += _errors(file, ask)
    empty = [one.name for one in file.operations if not any(child.required for child in one.request.children.values())]
    empty.sort(key=lambda name: plain(name) not in PINGS)
    first = empty[0] if empty else json.dumps(_asking(file.operations[0]), ensure_ascii=False)
    question = "which operation changes nothing and shows that the login is good?"
    text += f"check: {ask(question + (f' perhaps {listed(empty, most=3)}' if empty else ''), first)}\nschemas:\n"
    return text + "".join(indented(_schema(file, schema, record, ask), 2) for schema, record in schemas.items())


def _header(headers: Sequence[Element], ask: Ask) -> Iterator[str]:
    if headers:
        yield '# settings: {name: {about: …, pattern: …}} are the account\'s own; a header takes one as "{name}"\nheaders:\n'
    for one in headers:
        yield f"  {one.name}:\n"
        yield from _values(one, 4, ask)


_SENT = "'{name}' of a setting, '{uuid}', '{now}' or a constant"


def _values(element: Element, deep: int, ask: Ask, *, but: Collection[str] = ()) -> Iterator[str]:
    """A value for each element that must be there, as deep as it stands."""
    for name, child in element.children.items():
        if child.required and plain(name) not in but:
            if child.children:
                yield f"{' ' * deep}{name}:\n"
                yield from _values(child, deep + 2, ask)
            else:
                kind = plain(f"{child.definition.get('type') or ''} {name}")
                shown = "perhaps '{uuid}'" if "uuid" in kind else _SENT
                yield f"{' ' * deep}{name}: {ask(f'what goes there? {shown}', scalar(example(child)))}\n"


def _errors(file: Wsdl, ask: Ask) -> str:
    if not file.fault_codes and not file.statuses:
        return ""
    parts = [f"code: {name}" for name in file.fault_codes[:1]]
    parts += [f'status: {name}, passed: ["…"]' for name in file.statuses[:1]]
    question = "which codes mean what? An error in an ordinary answer must not look like an empty list"
    shape = f"{{{', '.join(parts)}, access: […], unavailable: […]}}"
    return f"# perhaps errors: {shape}\nerrors: {ask(question, '{}')}\n"


def _schema(file: Wsdl, schema: str, record: str, ask: Ask) -> str:
    element, uses = file.element(record), file.uses(record)
    keys = [path for path in needed(element) if (leaf := element.find(path)) and leaf.type_name == "string"]
    keys = keys or [path for path, leaf in leaves(element) if not leaf.many]
    keys.sort(key=lambda path: (path.count("."), not plain(path).endswith(("id", "nummer", "uuid", "noegle", "key"))))
    free = sorted((path for path, leaf in leaves(element) if is_free(leaf)), key=lambda path: path not in keys)
    until = scalar((free or keys)[0])
    key = ask(f"which field is the record's own key, the same for ever? perhaps {listed(keys, most=3)}", until)
    text = f"{schema}:\n  record: {record}\n  key: {key}\n"
    text += indented(_list(record, uses.lists, ask), 2)
    for one in uses.fetches[:1]:
        numbers = list(needed(one.request))
        if len(uses.fetches) == 1 and len(numbers) == 1:
            text += f"  fetch: {{operation: {one.name}, id: {scalar(numbers[0])}}}\n"
        else:
            names = listed(other.name for other in uses.fetches)
            text += (
                f"  # fetch: {{operation: {one.name}, id: …}}  # candidates: {names}; what is written must be fetched\n"
            )
    if uses.sends:
        text += f"  # to write them too (ask first what makes a resend harmless); {listed(one.name for one in uses.sends)} take one:\n"
        text += "  # write: {create: …, update: …, delete: …, receipt: …}\n"
    return text


def _list(record: str, lists: Sequence[Operation], ask: Ask) -> str:
    if not lists:
        question = f"which operation lists every {record}? None answers several; take this out if they are only written"
        return f"list: {ask(question, 'null')}\n"
    one = lists[0]
    name = (
        ask(f"which lists them all? {listed(other.name for other in lists)}", one.name) if len(lists) > 1 else one.name
    )
    request = {plain(leaf.name): path for path, leaf in leaves(one.request)}
    answer = {
        plain(leaf.name): path for path, leaf in leaves(one.answer) if not leaf.many and not _under(path, one, record)
    }
    if not request:
        return f"list:\n  operation: {name}\n  paging: none\n"
    paging = _paging(request, answer)
    ends = {"size", "more", "next", "total"} & set(paging)
    written = "".join(_values(one.request, 4, ask, but=() if ask is supposed and not ends else PAGING))
    text = f"list:\n  operation: {name}\n" + (f"  values:\n{written}" if written else "")
    text += f"  # its request has {listed(request.values())}\n"
    text += f"  # its answer has {listed(answer.values()) or 'nothing'} beside the records\n"
    if paging:
        text += f"  # perhaps paging: {flow(**paging)}\n"
    question = "how does the list end? Look for page, offset or next in the vendor's answer; none if all comes at once"
    text += f"  paging: {ask(question, flow(**paging) if ends else 'none')}\n"
    since = [path for path, leaf in leaves(one.request) if leaf.type_name == "dateTime"]
    for path in since[:1]:
        text += f"  # changes only: incremental: {{since: {path}, clock: …, gone: {{keys: …}}}}  # how are deletions told?\n"
    return text


def _paging(request: dict[str, str], answer: dict[str, str]) -> dict[str, str]:
    """The paging that the names speak for; nothing if they do not."""
    ways = {"page": first(request, PAGES), "offset": first(request, OFFSETS), "after": first(request, CURSORS)}
    way = next((name for name, path in ways.items() if path), "")
    if not way:
        return {}
    found = {way: ways[way], "size": first(request, SIZES), "more": first(answer, MORE), "total": first(answer, TOTALS)}
    found["next"] = first(answer, NEXT) if way == "after" else ""
    return {name: path for name, path in found.items() if path}


def _under(path: str, operation: Operation, record: str) -> bool:
    return any(path == at or path.startswith(f"{at}.") for at, _ in operation.answer.below(record))


def _asking(operation: Operation) -> dict[str, Any]:
    """A call with a value for all that must be there."""
    return {"operation": operation.name, "values": instance(operation.request)}
