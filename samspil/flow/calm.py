"""Bulk work without needless searches for garbage, and without long waits for Python's lock.

Decoding makes millions of short-lived dicts and lists that reference counting frees at once. Python's cycle collector
still walks those alive after every 700 new ones, which is a fifth of a first night's time. It is asked to look more
seldom meanwhile, and at what is young after each batch, for a page's parser points at itself and holds its page; what
was set before is set again afterwards.

A thread whose answer has come waits for the lock until another has held it for 5 ms, and reading 1,000 rows ahead takes
it a dozen times: what is done beside the work then holds the work up. A tenth of that costs nothing that can be
measured, and takes 4 to 7 % off a first night.

And with one heap: glibc gives each thread its own, and what one thread reads and another lets go of stays with the
first. Under Python's lock the threads would not wait for each other's heap anyway. What is free in it when the work is
done goes back to the system: pieces between what still lives are of little use to what comes next, and a night that
delivers after a long read took a third more memory than one after a short.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

_ARENA_MAX = -8  # of mallopt(3)
_SELDOM = (50_000, 50, 100)
_OFTEN = 0.0005  # seconds
_OTHER_C = AttributeError, OSError, TypeError  # another library of C than glibc

_lock = threading.Lock()
_working = 0
_before = gc.get_threshold(), sys.getswitchinterval()


@contextmanager
def calm() -> Iterator[None]:
    """Let the collector look seldom, and threads change often, while at least one caller is within."""
    global _working, _before  # noqa: PLW0603  # both are the process's
    _share_heap()
    with _lock:
        if not _working:
            _before = gc.get_threshold(), sys.getswitchinterval()
            gc.set_threshold(*_SELDOM)
            sys.setswitchinterval(_OFTEN)
        _working += 1
    try:
        yield
    finally:
        with _lock:
            _working -= 1
            if not _working:
                gc.set_threshold(*_before[0])
                sys.setswitchinterval(_before[1])
                _give_back()


@cache
def _share_heap() -> None:
    """Threads that have a heap already keep it."""
    with suppress(*_OTHER_C):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def _give_back() -> None:
    with suppress(*_OTHER_C):
        ctypes.CDLL(None).malloc_trim(0)


def tidy() -> None:
    """Look at what came up since the last time; to be called once for each batch."""
    gc.collect(1)
