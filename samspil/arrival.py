"""How an answer's bytes arrive: a system that gives one now and then must not hold us for as long as it likes."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator
from functools import partial

import requests
import urllib3
from urllib3.exceptions import ReadTimeoutError

PIECE = 1 << 16  # bytes taken from the network at a time
SLOWEST = 1_000  # bytes a second, on the whole, once the time-out has passed


def watched(response: requests.Response, timeout: float) -> requests.Response:
    """The same response; whoever reads it meets a time-out also when each single byte comes in time.

    Only time spent waiting for the system counts, not that of whoever takes the bytes.
    """
    if hasattr(response.raw, "stream"):  # requests asks for the bytes there, and types what goes wrong
        response.raw.stream = partial(_arriving, weakref.ref(response.raw), timeout)  # type: ignore[method-assign]  # of this one
    return response


def _arriving(
    found: weakref.ref[urllib3.HTTPResponse], timeout: float, amount: int = PIECE, *, decode_content: bool | None = None
) -> Iterator[bytes]:
    waited, size, gathered = 0.0, 0, 0
    pieces: list[bytes] = []
    raw = found()  # a response that knows itself would keep its connection until the garbage collector comes
    while raw is not None:
        start = time.monotonic()
        piece = raw.read1(min(amount, PIECE), decode_content=decode_content)
        waited += time.monotonic() - start
        size += len(piece)
        if waited > timeout and size < SLOWEST * waited:
            raise ReadTimeoutError(None, "", "the answer comes too slowly")  # type: ignore[arg-type]  # no pool, no URL
        pieces.append(piece)
        gathered += len(piece)
        if (gathered >= amount or not piece) and gathered:
            yield b"".join(pieces)
            pieces, gathered = [], 0
        if not piece:
            return
