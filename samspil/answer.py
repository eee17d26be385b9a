"""What came back over HTTP: which answers are errors, and reading one whole.

====================================================  ==============================================================
what happens                                          what is raised
====================================================  ==============================================================
401, 403                                              AccessError
408, 425, 429, 5xx, an answer cut short or larger     Unavailable, with the answer's Retry-After in seconds
than ``LARGEST``
a redirect                                            SettingsError: it is never followed
any other status                                      nothing: the connector knows what it means
====================================================  ==============================================================
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Self

import requests

from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.failure import failure

LARGEST = 256 << 20  # bytes an answer may have
CHUNK = 1 << 20  # bytes read at a time
BUSY = frozenset({408, 425, 429})


class Answer(NamedTuple):
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, response: requests.Response, body: bytes) -> Self:
        """The answer of a response whose body was read."""
        return cls(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)


def require_usable(response: requests.Response, label: str, *, system: str, passed: Collection[int]) -> None:
    """Raise what the status says, unless it is one of those that the system uses as true answers."""
    status = response.status_code
    if status in passed:
        return
    reason, message = f"status-{status}", f"{label}: answered with status {status}"
    if status in (401, 403):
        raise AccessError(message, system=system, reason=reason)
    if status in BUSY or status >= 500:
        raise Unavailable(message, system=system, reason=reason, retry_after=_retry_after(response))
    if 300 <= status < 400:
        raise SettingsError(f"{message}; put the system's new address in the account", field=system)


def read_whole(response: requests.Response, label: str, *, system: str, timeout: float) -> bytes:
    """The body; the response is closed, whatever happens. Raises Unavailable."""
    chunks: list[bytes] = []
    size = 0
    try:
        for chunk in response.iter_content(CHUNK):
            size += len(chunk)
            if size > LARGEST:
                raise Unavailable(
                    f"{label}: the answer is larger than {LARGEST} bytes", system=system, reason="answer-size"
                )
            chunks.append(chunk)
    except requests.ConnectionError as error:  # also a time-out between two chunks
        raise failure(error, label, system=system, timeout=timeout) from None
    except requests.RequestException:
        raise Unavailable(f"{label}: the answer ends early", system=system, reason="answer-truncated") from None
    finally:
        response.close()
    return b"".join(chunks)


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, from a header that holds seconds or an HTTP date (RFC 9110, 10.2.3); None if neither."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text) if text[0].isdigit() else parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
