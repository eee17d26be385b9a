"""What a declared system says: an answer by its WSDL, with records in it, or a fault."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from samspil.declared.soap.contract import Operation, shape
from samspil.declared.soap.schemas import Element
from samspil.declared.soap.system import SoapSystem
from samspil.mtom import Attachment, Multipart, Placed
from samspil.soap import ENVELOPE
from samspil.testing.soap.instances import instance
from samspil.testing.soap.words import leaves
from samspil.wssecurity.verification import Expand
from samspil.xsd import RecordType, tags

Seal = Callable[[bytes, Expand], bytes]  # signs an envelope, whose attachments the second puts where they belong


class Answers:
    """Writes the messages of one system. Every answer is an instance of the schema, with what is given put in."""

    def __init__(self, system: type[SoapSystem]) -> None:
        self._checked = system.checked
        self._prefix = system.checked.declaration.prefix or "r"
        self._types: dict[str, RecordType] = {}

    def answer(
        self,
        operation: Operation,
        given: Mapping[str, Any] | None = None,
        *,
        status: str = "",
        record: Element | None = None,
        raws: Sequence[bytes] = (),
    ) -> bytes:
        """``raws`` go where ``record`` stands; ``status`` is the business status, the first of those that pass."""
        errors = self._checked.declaration.errors
        paths = dict(given or {})
        if errors.status:
            places = operation.answer.below(errors.status)
            paths |= {path: status or errors.passed[0] for path, _ in places if path not in paths}
        mark = b""
        wanted = shape(operation.answer, prefix=self._message_prefix(operation, record))
        if record is not None:
            (path, found), *_ = operation.answer.below(record.name)
            if raws:
                paths[path] = [{}] if found.many else {}
                mark = "".join(tags(found.node(), wanted)).encode()
            else:
                paths[path] = [] if found.many else None
        name = f"{operation.name}/{wanted.prefix}"
        if name not in self._types:
            self._types[name] = RecordType.of(wanted, operation.answer.node(), self._checked.contract.whole)
        body = self._types[name].encode(instance(operation.answer, paths))
        body = body.replace(mark, b"".join(raws), 1) if mark else body
        return self._enveloped(body, {wanted.prefix: wanted.namespace, **self._record_prefix(record)})

    def fault(self, code: str, text: str, *, server: bool) -> bytes:
        """A fault with the code where the declaration says it stands."""
        role, detail = "soap:Server" if server else "soap:Client", ""
        errors = self._checked.declaration.errors
        element = self._fault_element(errors.code) if errors.code else None
        if element is not None:
            wanted = shape(element, prefix="f")
            kind = RecordType.of(wanted, element.node(), self._checked.contract.whole)
            raw = kind.encode(instance(element, {path: code for path, _ in element.below(errors.code)})).decode()
            start = f"<f:{element.name}"
            detail = f'<detail>{start} xmlns:f="{element.namespace}"{raw.removeprefix(start)}</detail>'
        else:
            role = f"soap:{code}"
        body = (
            f"<soap:Fault><faultcode>{role}</faultcode><faultstring>{escape(text)}</faultstring>{detail}</soap:Fault>"
        )
        return self._enveloped(body.encode(), {})

    def _fault_element(self, name: str) -> Element | None:
        """The first element on its own that has the code's inside and is no answer."""
        contract = self._checked.contract
        answers = {contract.operation(each).answer.tag for each in contract.names}
        found = (element for element in contract.schemas.roots if element.tag not in answers and element.below(name))
        return next(found, None)

    def _message_prefix(self, operation: Operation, record: Element | None) -> str:
        return self._prefix if record is not None and record.namespace == operation.answer.namespace else "svar"

    def _record_prefix(self, record: Element | None) -> dict[str, str]:
        return {self._prefix: record.namespace} if record is not None and record.namespace else {}

    @staticmethod
    def _enveloped(body: bytes, prefixes: Mapping[str, str]) -> bytes:
        declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in prefixes.items() if prefix and uri)
        start = f'<soap:Envelope xmlns:soap="{ENVELOPE}"{declared}><soap:Body>'
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{start}'.encode() + body + b"</soap:Body></soap:Envelope>"


def multipart(body: bytes, element: Element, seal: Seal) -> Multipart | None:
    """A message with the binary content of its records in parts of their own, sealed; None if the records have no such."""
    placed = Placed()
    names = {child.name for _, child in leaves(element) if child.type_name == "base64Binary"}
    if not names:
        return None
    pattern = re.compile(rf"(<(?:\w+:)?(?:{'|'.join(sorted(names))})>)([^<]+)(</)".encode())

    def apart(found: re.Match[bytes]) -> bytes:
        return found[1] + placed.put(Attachment(b64decode(found[2]))).encode() + found[3]

    return placed.compose(seal(pattern.sub(apart, body), placed.expand), "text/xml")


def unsealed(data: bytes, _expand: Expand) -> bytes:
    """The message of a system that signs nothing."""
    return data
