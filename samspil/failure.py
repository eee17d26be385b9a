"""What a failed connection means, from the many ways in which requests, urllib3 and OpenSSL say it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import requests
import urllib3

from samspil.errors import AccessError, SamspilError, SettingsError, Unavailable

_REVOCATION = {  # OpenSSL's codes (x509_vfy.h)
    3: ("crl-missing", "no revocation list (crl) for its authority: fetch it"),
    11: ("crl-expired", "the revocation list (crl) is not in force yet"),
    12: ("crl-expired", "the revocation list (crl) has run out: fetch a new one"),
    23: ("server-revoked", "it was revoked; ask the system's owner before anything is sent"),
}


def failure(error: Exception, label: str, *, system: str, timeout: float) -> SamspilError:
    """The error to raise for a call that got no answer. ``label`` names the call, ``timeout`` is in seconds.

    The texts of requests and urllib3 hold the URL, so none is passed on.
    """
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason, why = _REVOCATION.get(cause.verify_code, ("server-certificate", cause.verify_message))
            message = f"{label}: the system's certificate is not trusted ({why})"
            return AccessError(message, system=system, reason=reason)
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            message = f"{label}: the system refuses our certificate or TLS version ({cause.reason})"
            return AccessError(message, system=system, reason="client-certificate")
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, ValueError)):
        return SettingsError("is not the address of a system that speaks HTTP", field=system)
    unsent = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    if any(isinstance(cause, unsent) for cause in chain):
        return Unavailable(f"{label}: cannot be reached", system=system, reason="not-reached")
    slow = (urllib3.exceptions.TimeoutError, requests.Timeout, TimeoutError)
    if any(isinstance(cause, slow) for cause in chain):
        waited = f"no answer within {timeout:g} s"
        return Unavailable(f"{label}: {waited}", system=system, reason="timeout")
    return Unavailable(f"{label}: the connection was closed", system=system, reason="closed")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it, as requests and urllib3 wrap it: as argument, reason, cause or context."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
