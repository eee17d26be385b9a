"""SOAP 1.1, document/literal: requests built from a WSDL on disk, small answers as dicts, large ones cut unparsed.

zeep knows the WSDL and builds the requests; records go in and out as bytes (``samspil.xsd``,
``samspil.cut``). A WSDL may import files of its own folder only: nothing is fetched at start, or ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import stamina
import zeep
import zeep.exceptions
from lxml import etree

from samspil import elements, mtom, xml
from samspil.cut import Cut, RecordShape, Slices
from samspil.errors import AccessError, Refused, SamspilError, SettingsError, Unavailable
from samspil.exchange import Exchange, Request, Session
from samspil.wssecurity.security import Security

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SMALL = 1 << 24  # bytes a small answer may have
PATIENCE = 30.0  # seconds; a longer Retry-After is left to Airflow

Kind = type[AccessError] | type[Unavailable] | type[Refused]


class Codes(NamedTuple):
    """A system's error codes, by what can be done.

    ``faults`` gives the error's type by the code, which stands in the first element called one of ``elements`` within
    the fault, else in ``faultcode``. An unknown code is Unavailable if the fault is the server's, else Refused.
    A business error inside an ordinary answer: an element called ``status`` whose text is not in ``passed``.
    """

    faults: Mapping[str, Kind]
    elements: Sequence[str] = ("ErrorCode",)
    status: str = ""
    passed: frozenset[str] = frozenset()


class Soap:
    """One service at one address.

    Messages of the errors it raises hold the operation and the system's code, never its text, which may quote a
    record. ``system`` is the name to blame in them.
    """

    def __init__(
        self,
        session: Session,
        wsdl: Path,
        *,
        url: str,
        system: str,
        codes: Codes,
        attempts: int = 1,
        security: Security | None = None,
    ) -> None:
        self._wsdl, self._system, self._codes, self._attempts = wsdl, system, codes, attempts
        self._exchange = Exchange(session, url, system, security)

    def retried(self) -> Iterable[stamina.Attempt]:
        """``for attempt in soap.retried(): with attempt: …``, around what may be done twice.

        Unavailable is tried again up to ``attempts`` times in all, a Retry-After of more than 30 seconds is not.
        """
        return stamina.retry_context(on=_again, attempts=self._attempts, timeout=None)

    def call(
        self,
        operation: str,
        values: Mapping[str, Any],
        *,
        headers: Mapping[str, Mapping[str, Any]] | None = None,
        records: Sequence[bytes] = (),
        prefixes: xml.Prefixes | None = None,
        http_headers: Mapping[str, str] | None = None,
        message: bytes = b"",
        streamed: bool = False,
    ) -> dict[str, Any]:
        """The answer as nested dicts of local names; an element that may repeat is always a list, an absent one
        is None, ``xs:boolean`` and whole numbers are bool and int, and all else is text.

        ``headers`` are SOAP headers by ``{namespace}element``. ``records`` are elements already encoded, put last
        into the request's element; ``prefixes`` are the ones they are written with. ``message`` is the whole request's
        element, already encoded, instead of ``values``. Where a value is an ``mtom.Attachment``, the request has
        attachments. Binary content of the answer is base64 text; what came as an attachment is an Attachment if it
        is to be ``streamed``.
        Raises AccessError, Unavailable, or Refused if the request as a whole is refused: by a fault's code
        (``fault-1014``) or an HTTP status without one (``status-412``).
        """
        attached = mtom.Placed()
        data = self.envelope(
            operation, attached.out(values), headers=headers, records=records, prefixes=prefixes, message=message
        )
        root, placed = self._exchange.small(self._request(operation, data, http_headers, attached), SMALL)
        values = self._decoded(operation, self._answer(operation, root))
        found: dict[str, Any] = placed.back(values, streamed=streamed) if placed else values
        return found

    def read(
        self,
        operation: str,
        values: Mapping[str, Any],
        shape: RecordShape,
        *,
        headers: Mapping[str, Mapping[str, Any]] | None = None,
        http_headers: Mapping[str, str] | None = None,
        message: bytes = b"",
    ) -> Reading:
        """The records of a large answer, as it streams in. Raises as ``call``, most of it while it is iterated."""
        data = self.envelope(operation, values, headers=headers, message=message)
        request = self._request(operation, data, http_headers, mtom.Placed())
        return Reading(self, operation, Cut(self._exchange.streamed(request, shape.tag), shape, system=self._system))

    def envelope(
        self,
        operation: str,
        values: Mapping[str, Any],
        *,
        headers: Mapping[str, Mapping[str, Any]] | None = None,
        records: Sequence[bytes] = (),
        prefixes: xml.Prefixes | None = None,
        message: bytes = b"",
    ) -> bytes:
        """The request. Raises SettingsError if ``values`` or ``headers`` do not fit the WSDL."""
        client = _client(self._wsdl)
        try:
            soap_headers = [client.get_element(name)(**value) for name, value in (headers or {}).items()]
            envelope = (
                _around(message, soap_headers)
                if message
                else client.create_message(client.service, operation, **values, _soapheaders=soap_headers)
            )
        except (zeep.exceptions.Error, AttributeError, TypeError, LookupError, ValueError):
            # zeep quotes the value in its message
            raise SettingsError("the request does not fit the WSDL", file=str(self._wsdl), field=operation) from None
        if not records:
            return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        known: Any = dict(prefixes or {})  # the stubs forbid the default namespace's None
        etree.cleanup_namespaces(envelope, top_nsmap=known, keep_ns_prefixes=list(known))
        request = next(envelope.iterchildren(f"{{{ENVELOPE}}}Body"))[0]
        request.append(etree.Comment("records"))
        data = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        return data.replace(b"<!--records-->", b"".join(records), 1)

    def _request(
        self, operation: str, data: bytes, http_headers: Mapping[str, str] | None, attached: mtom.Placed
    ) -> Request:
        return Request(operation, _action(self._wsdl, operation), data, attached, http_headers or {})

    def _answer(self, operation: str, root: etree._Element) -> etree._Element:
        """The element in the Body, unless it is a fault or a business error."""
        body = root.find(f"{{{ENVELOPE}}}Body")
        if root.tag != f"{{{ENVELOPE}}}Envelope" or body is None or len(body) != 1:
            raise Unavailable(f"the answer to {operation} is not SOAP", system=self._system, reason="answer-not-soap")
        fault = body.find(f"{{{ENVELOPE}}}Fault")
        if fault is not None:
            role = xml.text(fault, "faultcode").rpartition(":")[2].partition(".")[0]
            found = [code for name in self._codes.elements if (code := xml.text(fault, name))]
            raise self._error(operation, found[0] if found else role, Unavailable if role == "Server" else Refused)
        if self._codes.status:
            for status in body.iter(f"{{*}}{self._codes.status}"):
                code = (status.text or "").strip()
                if code not in self._codes.passed:
                    raise self._error(operation, code, Refused)
        return body[0]

    def _error(self, operation: str, code: str, otherwise: Kind) -> SamspilError:
        kind = self._codes.faults.get(code, otherwise)
        shown, reason = _shown(code), fault_reason(code)
        if issubclass(kind, Refused):
            return Refused(reason, hint=f"{self._system} refused {operation}")
        return kind(f"{operation} was answered with fault {shown}", system=self._system, reason=reason)

    def _decoded(self, operation: str, answer: etree._Element) -> dict[str, Any]:
        try:
            node = elements.node(_client(self._wsdl).get_element(str(answer.tag)))
            return _values(answer, node)
        except (zeep.exceptions.Error, LookupError, ValueError):
            raise Unavailable(
                f"the answer to {operation} does not fit the WSDL", system=self._system, reason="answer-invalid"
            ) from None


class Reading:
    """A large answer: iterate its records once, then ``value`` gives the small fields beside them."""

    def __init__(self, soap: Soap, operation: str, cut: Cut) -> None:
        self._soap, self._operation, self._cut = soap, operation, cut

    def __iter__(self) -> Iterator[Slices]:
        yield from self._cut
        if self._cut.rest is not None:
            answer = self._soap._answer(self._operation, self._cut.rest)  # noqa: SLF001  # one module, two nouns
            self._soap._decoded(self._operation, answer)  # noqa: SLF001  # what is beside the records fits the WSDL, too

    @property
    def whole(self) -> bool:
        """Whether the answer was well-formed to its end."""
        return self._cut.rest is not None

    def texts(self, path: str) -> list[str]:
        """The texts of all elements at a dotted path of local names below the answer's element."""
        if self._cut.rest is None:
            return []
        steps = "/".join(f"{{*}}{step}" for step in path.split("."))
        found = self._cut.rest.iterfind(f"{{{ENVELOPE}}}Body/*/{steps}")
        return [(element.text or "").strip() for element in found]

    def value(self, name: str) -> str:
        """The text of an element beside the records, by local name; empty if there is none."""
        return "" if self._cut.rest is None else xml.text(self._cut.rest, name)


def fault_reason(code: str) -> str:
    """The reason that an error with this code of the system's has."""
    return "fault-" + re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", _shown(code)).lower())


def _shown(code: str) -> str:
    return code if re.fullmatch(r"[A-Za-z][A-Za-z.]{0,39}|[0-9]{1,6}", code) else "unknown"


def _around(message: bytes, headers: Sequence[Any]) -> etree._Element:
    """An envelope around a request's element."""
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap-env": ENVELOPE})
    if headers:
        header = etree.SubElement(envelope, f"{{{ENVELOPE}}}Header")
        for value in headers:
            value._xsd_elm.render(header, value)  # noqa: SLF001  # as zeep does it itself
    etree.SubElement(envelope, f"{{{ENVELOPE}}}Body").append(etree.fromstring(message, etree.XMLParser(**xml.SAFE)))
    return envelope


def _values(element: etree._Element, node: elements.Node) -> dict[str, Any]:
    """Nested dicts. zeep's own reader logs values and turns what it cannot read into None."""
    found: dict[str, Any] = {child.name: [] if child.many else None for child in node.children.values()}
    for child in element:
        below = node.children[str(child.tag)]
        if (len(child) and not below.children) or (not below.many and found[below.name] is not None):
            raise ValueError("content where there must be none")  # it would be dropped
        value = _values(child, below) if below.children else elements.CONVERT[below.kind](child.text or "")
        if below.many:
            found[below.name].append(value)
        else:
            found[below.name] = value
    return found


def _again(error: Exception) -> bool | float:
    """Whether to try again at once, or after how many seconds."""
    if not isinstance(error, Unavailable):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= PATIENCE else False


@cache
def _client(wsdl: Path) -> Any:
    """The WSDL, read once per process. Raises SettingsError."""
    client: Any = zeep.Client  # zeep's own types are partial
    try:
        made = client(str(wsdl), transport=elements.Offline(wsdl), settings=zeep.Settings(strict=True, forbid_dtd=True))
        made.service  # noqa: B018  # raises if the file describes none
    except (zeep.exceptions.Error, etree.LxmlError, LookupError, ValueError, AttributeError, TypeError) as error:
        told = " ".join(str(error).split())[:200]  # names of the WSDL; no record is near
        raise SettingsError(f"is not a usable WSDL ({type(error).__name__}: {told})", file=str(wsdl)) from None
    return made


def _action(wsdl: Path, operation: str) -> str:
    action: str = _client(wsdl).service._binding.get(operation).soapaction or ""  # noqa: SLF001  # zeep has no other way
    return action
