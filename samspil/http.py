"""The way in and out over HTTP: one session per account, with time-outs, certificates, a rate and typed errors.

What an answer raises is in ``samspil.answer``. Besides, a certificate refused by either side raises AccessError, no
connection or a time-out Unavailable, and an address of another host SettingsError.

Unavailable is tried again a few times at once; the long retries are Airflow's. Messages hold the method and the
path's pattern, never a query string, a filled-in path, a header or a body.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote, urlsplit

import requests
import stamina
import urllib3
from msgspec import Meta
from requests.utils import get_environ_proxies

from samspil.account import SECRET, Settings
from samspil.answer import Answer, read_whole, require_usable
from samspil.arrival import watched
from samspil.certificate import Certified, Identity, identity
from samspil.errors import AccessError, Refused, SamspilError, SettingsError, Unavailable
from samspil.failure import failure
from samspil.pace import Pace

PATIENCE = 30.0  # seconds; a longer Retry-After is left to Airflow's retry
UNTOUCHED = frozenset({"not-reached", "status-425", "status-429", "status-503"})  # the call had no effect

_PORTS = {"http": 80, "https": 443}

Query = Mapping[str, str | int]


class HttpSettings(Settings, frozen=True, kw_only=True):
    """What every account over HTTP may set.

    ``ca``: a file of trusted authorities, else the usual ones. ``crl``: a file or folder of their revocation lists
    (spærrelister), kept fresh by somebody; empty: nobody asks whether a certificate was revoked. ``certificate``: the
    client's, PEM with its key or PKCS#12 (.p12, .pfx) with ``certificate_password``. ``rate``: calls per second at
    most, 0 for no limit; all tasks of the account keep it together.
    """

    timeout: Annotated[float, Meta(gt=0, le=3600)] = (
        60.0  # seconds between two bytes of an answer; see also ``arrival``
    )
    attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    rate: Annotated[float, Meta(ge=0)] = 0.0
    ca: str = ""
    crl: str = ""
    certificate: str = ""
    certificate_password: Annotated[str, SECRET] = ""


class Session:
    """One account's connections. ``passed`` are statuses among those above that this system uses as true answers.

    Thread-safe as far as requests is. Raises SettingsError if a certificate or CA file cannot be used.
    """

    def __init__(self, system: str, settings: HttpSettings, *, passed: Collection[int] = ()) -> None:
        self.system, self._settings, self._passed = system, settings, frozenset(passed)
        self._pace = Pace(settings.rate)
        self._identity: Identity | None = None
        self._session = requests.Session()
        self._session.trust_env = False  # no password of a .netrc, no other CA by accident; the proxy is still used:
        try:
            self._session.proxies = dict(get_environ_proxies(settings.url))
            self._origins = {_origin(settings.url)}
        except ValueError:
            raise SettingsError("is not the address of a system that speaks HTTP", field=system) from None
        self._session.headers["User-Agent"] = "samspil"
        if settings.ca or settings.crl or settings.certificate:
            self._identity = identity(settings.ca, settings.certificate, settings.certificate_password, settings.crl)
            self._session.verify = settings.ca or True
            self._session.mount("https://", Certified(self._identity.context))

    def send(
        self,
        method: str,
        path: str,
        *,
        parts: Mapping[str, str] | None = None,
        query: Query | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """Call ``path`` (below the account's URL, or a URL) and read the answer.

        ``parts`` fill in the path's ``{name}``s. ``repeatable``: may be sent again though it may have had its effect;
        by default all but POST and PATCH. What certainly had no effect is tried again in any case.
        Raises, besides the above, Refused if a part is none (empty, dots), SettingsError (``elsewhere``) for a URL of a
        host that neither the account nor ``allow`` names.
        A redirect is not followed, as it would take credentials and data to where nobody agreed to.
        """
        url, label = self._url(path, parts or {}), f"{method} {path.partition('?')[0]}"

        def once() -> Answer:
            response = self._once(method, url, label, query=query, data=data, headers=headers)
            return Answer.of(response, self._body(response, label))

        safe = method not in ("POST", "PATCH") if repeatable is None else repeatable
        for attempt in stamina.retry_context(
            on=lambda error: _again(error, safe), attempts=self._settings.attempts, timeout=None, wait_max=PATIENCE
        ):
            with attempt:
                return once()
        raise AssertionError  # stamina raises the last error itself

    def allow(self, url: str) -> None:
        """Let calls go to this URL's host, too: one that the settings name, such as where tokens are given out.

        Raises SettingsError if it is no address over HTTP.
        """
        try:
            scheme, host, _ = origin = _origin(url)
        except ValueError:
            scheme, host, origin = "", "", ("", "", 0)
        if scheme not in _PORTS or not host:
            raise SettingsError("names an address that is none over HTTP", field=self.system)
        self._origins.add(origin)

    def post(self, url: str, *, data: bytes, headers: Mapping[str, str], stream: bool = True) -> requests.Response:
        """Post to a URL and hand over the answer unread; to be closed by the caller. Tried once only."""
        label = f"POST {url.partition('?')[0]}"
        self._require_ours(url)
        context = self._once("POST", url, label, query=None, data=data, headers=headers)
        response = context.__enter__()
        if not stream:
            response._content = self._body(response, label)  # noqa: SLF001 - requests has no public way
        return response

    def close(self) -> None:
        """Close the connections. May be used again."""
        for adapter in self._session.adapters.values():
            pools = adapter.poolmanager.pools  # type: ignore[attr-defined]  # urllib3 forgets pools, and closes them later
            for key in pools.keys():  # noqa: SIM118 - it cannot be iterated
                pools[key].close()
        self._session.close()

    def _url(self, path: str, parts: Mapping[str, str]) -> str:
        if not {"", ".", ".."}.isdisjoint(parts.values()):
            raise Refused("bad-id", hint="it would change the address called")
        filled = path.format_map({name: quote(part, safe="") for name, part in parts.items()}) if parts else path
        if "://" not in filled:
            return f"{self._settings.url}/{filled.lstrip('/')}"
        self._require_ours(filled)
        return filled

    def _require_ours(self, url: str) -> None:
        """A URL may have been in an answer: it leads to no host that the settings do not name (SSRF)."""
        try:
            known = _origin(url) in self._origins
        except ValueError:
            known = False
        if not known:
            raise SettingsError(
                "an address of another host than the account's is not called", field=self.system, reason="elsewhere"
            )

    def _once(
        self,
        method: str,
        url: str,
        label: str,
        *,
        query: Query | None,
        data: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> requests.Response:
        """One call; the body is still to be read."""
        if self._identity is not None and self._identity.expires <= datetime.now(UTC):
            message = f"{label}: our certificate ran out on {self._identity.expires:%d-%m-%Y}"
            raise AccessError(message, system=self.system, reason="certificate-expired")
        self._pace.wait()
        try:
            response = self._session.request(
                method,
                url,
                params=query,
                data=data,
                headers=headers,
                timeout=(min(10.0, self._settings.timeout), self._settings.timeout),
                allow_redirects=False,
                stream=True,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise failure(error, label, system=self.system, timeout=self._settings.timeout) from None
        try:
            require_usable(response, label, system=self.system, passed=self._passed)
        except SamspilError:
            response.close()
            raise
        return watched(response, self._settings.timeout)

    def _body(self, response: requests.Response, label: str) -> bytes:
        return read_whole(response, label, system=self.system, timeout=self._settings.timeout)


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ValueError if the port is none."""
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.hostname or "", parts.port or _PORTS.get(parts.scheme.lower(), 0)


def _again(error: Exception, safe: bool) -> bool | float:
    """Whether to try again at once, or after how many seconds."""
    if not isinstance(error, Unavailable) or error.reason == "answer-size":
        return False
    if not (safe or error.reason in UNTOUCHED):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= PATIENCE else False


def _no_urls(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


# urllib3 writes every URL with its query string at level DEBUG, and whoever turns that on sees personal data
logging.getLogger("urllib3.connectionpool").addFilter(_no_urls)
