"""A declared system's operations, called with values of the declaration instead of envelopes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samspil.cut import RecordShape
from samspil.declared.login import Access
from samspil.declared.soap.checks import Checked
from samspil.declared.soap.contract import Operation, shape
from samspil.declared.soap.declaration import Call, Errors
from samspil.declared.soap.security import securing
from samspil.declared.soap.values import filled, put
from samspil.errors import AccessError, Refused, SettingsError, Unavailable
from samspil.http import Session
from samspil.soap import Codes, Kind, Reading, Soap
from samspil.xsd import RecordType


class Service:
    """One account's way to the system. ``soap.retried()`` goes around what may be done twice."""

    def __init__(self, system: str, checked: Checked, settings: Any, requests: dict[str, RecordType]) -> None:
        self.system, self._checked, self._settings, self._requests = system, checked, settings, requests
        self._security = securing(checked.declaration.security, settings, system)
        self._session = Session(system, settings, passed=(500,))
        self._access = Access(checked.declaration.login, self._session, settings)
        self.soap = Soap(
            self._session,
            checked.contract.wsdl,
            url=settings.url,
            system=system,
            codes=codes(checked.declaration.errors),
            attempts=settings.attempts,
            security=self._security,
        )

    def call(self, call: Call, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer as nested dicts. ``given`` are values by path, besides those declared. Raises as ``Soap.call``."""
        message = self._message(call, given or {})
        return self.soap.call(call.operation, {}, message=message, **self._around)

    def read(self, call: Call, wanted: RecordShape, given: Mapping[str, Any] | None = None) -> Reading:
        """The records of an answer. Raises as ``Soap.read``."""
        message = self._message(call, given or {})
        return self.soap.read(call.operation, {}, wanted, message=message, **self._around)

    def close(self) -> None:
        self._session.close()
        if self._security:
            self._security.close()

    @property
    def _around(self) -> dict[str, Any]:
        headers = {
            self._checked.header(name).tag: filled(given, self._settings)
            for name, given in self._checked.declaration.headers.items()
        }
        return {"headers": headers, "http_headers": self._access.headers()}

    def _message(self, call: Call, given: Mapping[str, Any]) -> bytes:
        operation = self._checked.contract.operation(call.operation)
        values = put(filled(call.values, self._settings), given)
        try:
            return declared(operation, self._request(operation).encode(values))
        except Refused as error:
            raise SettingsError(
                f"a value of the request does not fit the WSDL ({error.reason})",
                file=str(self._checked.file.path),
                field=f"{call.operation}: {error.field}",
            ) from None

    def _request(self, operation: Operation) -> RecordType:
        if operation.name not in self._requests:
            self._requests[operation.name] = self._checked.contract.record_type(operation.request)
        return self._requests[operation.name]


def declared(operation: Operation, raw: bytes) -> bytes:
    """A request's element with the declaration that encoding leaves out."""
    wanted = shape(operation.request)
    if not wanted.namespace:
        return raw
    start = f"<{wanted.prefix}:{wanted.record}"
    return f'{start} xmlns:{wanted.prefix}="{wanted.namespace}"'.encode() + raw[len(start) :]


def codes(errors: Errors) -> Codes:
    """The declared codes, by the error's type."""
    kinds: dict[str, Kind] = {
        **dict.fromkeys(errors.access, AccessError),
        **dict.fromkeys(errors.unavailable, Unavailable),
        **dict.fromkeys((*errors.refused, *errors.missing), Refused),
    }
    elements = (errors.code,) if errors.code else ()
    return Codes(faults=kinds, elements=elements, status=errors.status, passed=frozenset(errors.passed))
