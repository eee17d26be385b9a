"""What is printed while something runs, whichever way it is printed."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import IO


@contextlib.contextmanager
def screen_of() -> Iterator[io.StringIO]:
    """What is printed meanwhile."""
    screen = io.StringIO()
    with _descriptors(screen), contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        yield screen


@contextlib.contextmanager
def _descriptors(screen: io.StringIO) -> Iterator[None]:
    """The same for what does not go through Python's own streams."""
    with _nowhere() as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        kept = [(number, os.dup(number)) for number in (1, 2)]
        try:
            for number, _ in kept:
                os.dup2(file.fileno(), number)
            yield
        finally:
            for number, own in kept:
                os.dup2(own, number)
                os.close(own)
            file.seek(0)
            screen.write(file.read().decode(errors="replace"))


def _nowhere() -> IO[bytes]:
    """A file in memory, where the system has that: what a broken connector prints is on no disk."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("screen"), "w+b")
    return tempfile.TemporaryFile()
