"""A tap as a process: what it is given, how long it may take, and what is kept of what it says.

Its config lies in a file that only this user can read, in a folder of its own, and is taken away as soon as the tap
has begun to answer. The environment is made anew, so that no other account's secrets go along. Its error output may
hold persons: it is counted, looked through for the words of a refused login, and dropped.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from samspil.declared.singer.declaration import Limits
from samspil.errors import AccessError, SettingsError, Unavailable

_BLOCK = 1 << 18  # bytes read at a time
_GRACE = 5.0  # seconds for the error output to end once every process that could write to it was killed
_PASSED = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


class Oversized(NamedTuple):
    """A line longer than the limit: its beginning."""

    start: bytes


def find(tap: str, folder: str, *, system: str) -> str:
    """The tap's path: in ``folder``, in its own virtual environment there, or on PATH. Raises SettingsError."""
    places = [Path(folder) / tap, Path(folder) / "bin" / tap, Path(folder) / tap / "bin" / tap] if folder else []
    for place in places:
        if os.access(place, os.X_OK) and place.is_file():
            return str(place.absolute())
    found = shutil.which(tap)
    if found is None or folder:
        where = f"in the folder of the setting taps ({folder})" if folder else "on PATH"
        raise SettingsError(f"{system}: {tap} is not installed {where}", field=tap, reason="no-tap")
    return found


class Process:
    """One run of a tap. ``lines`` may be iterated once; leaving it ends the tap and removes its folder."""

    def __init__(self, program: str, *, system: str, limits: Limits, denied: Sequence[str]) -> None:
        self._program, self._system, self._limits = program, system, limits
        self._denied = [word.encode().lower() for word in denied]
        self._words = Path(program).name
        self._error_lines = 0
        self._refused = False

    def lines(self, files: Mapping[str, Any], *flags: str) -> Generator[bytes | Oversized, None, None]:
        """Its output in blocks of whole lines, a line too long by itself. ``files``: option → what its file holds.

        Raises Unavailable if the tap is silent or runs too long, is killed or fails, AccessError if its login is
        refused. An end without an error means that the tap itself said that all went well.
        """
        folder = Path(tempfile.mkdtemp(prefix="samspil-tap-"))
        try:
            arguments = [item for option, data in files.items() for item in (option, _put(folder, option, data))]
            yield from self._run(folder, [self._program, *arguments, *flags])
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, folder: Path, command: list[str]) -> Iterator[bytes | Oversized]:
        own = {"HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8", "TZ": "UTC"}
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ} | own
        try:
            process = subprocess.Popen(  # noqa: S603 - an executable's path and the names of our own files, no shell
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            message = f"{self._words} cannot be started ({error.strerror})"
            raise SettingsError(f"{self._system}: {message}", field=self._words, reason="no-tap") from None
        output, errors = process.stdout, process.stderr
        assert output is not None  # noqa: S101  # for the type checker: both are pipes
        assert errors is not None  # noqa: S101  # the same
        listener = threading.Thread(target=self._listen, args=(errors,), name="samspil-tap-errors", daemon=True)
        listener.start()
        try:
            until = time.monotonic() + self._limits.duration
            yield from self._whole_lines(self._blocks(output.fileno(), until, folder))
            if not _ends(process, min(self._limits.silence, until - time.monotonic())):
                raise self._late("does not end")
            _kill(process)  # children that it left behind
            code = process.wait()
            listener.join(_GRACE)
            self._judge(code)
        finally:
            if process.returncode is None:
                _kill(process)
                process.wait()
            listener.join(_GRACE)
            output.close()

    def _blocks(self, descriptor: int, until: float, folder: Path) -> Iterator[bytes]:
        begun = False
        while True:
            left = until - time.monotonic()
            ready, _, _ = select.select([descriptor], [], [], max(0.0, min(self._limits.silence, left)))
            if not ready:
                raise self._late("said nothing" if left > self._limits.silence else "takes too long")
            block = os.read(descriptor, _BLOCK)
            if not block:
                return
            if not begun:  # it has read its files
                begun = True
                for file in folder.glob("*.json"):
                    with suppress(OSError):
                        file.unlink()
            yield block

    def _whole_lines(self, blocks: Iterator[bytes]) -> Iterator[bytes | Oversized]:
        """Cut at line ends; what is kept is at most one line, or the limit's worth of one that is too long."""
        rest: list[bytes] = []
        size, dropping = 0, False
        for block in blocks:
            head, end, tail = block.rpartition(b"\n")
            if end:
                if dropping:
                    yield Oversized(b"".join(rest))
                    _, _, head = head.partition(b"\n")
                    rest, dropping = [], False
                whole = b"".join([*rest, head])
                if whole.strip():
                    yield from self._bounded(whole)
                rest, size = [], 0
            if tail and not dropping:
                rest.append(tail)
                size += len(tail)
                if size > self._limits.line:
                    rest, dropping = [b"".join(rest)[: self._limits.line]], True
        if rest:
            yield Oversized(b"".join(rest)) if dropping else b"".join(rest)

    def _bounded(self, whole: bytes) -> Iterator[bytes | Oversized]:
        if len(whole) <= self._limits.line:
            yield whole
            return
        for line in whole.split(b"\n"):
            yield line if len(line) <= self._limits.line else Oversized(line[: self._limits.line])

    def _listen(self, errors: IO[bytes]) -> None:
        """Count the error output's lines and look for the words of a refused login; keep nothing."""
        before = b""
        longest = max(map(len, self._denied), default=0)
        with errors:
            while block := os.read(errors.fileno(), 1 << 16):
                self._error_lines += block.count(b"\n")
                text = before + block.lower()
                self._refused = self._refused or any(word in text for word in self._denied)
                before = text[-longest:] if longest else b""

    def _judge(self, code: int) -> None:
        if code == 0:
            return
        if self._refused:
            raise AccessError(f"{self._words} was refused the login", system=self._system)
        how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
        reason = "tap-killed" if code < 0 else "tap-failed"
        message = f"{self._words} {how}, {self._error_lines} lines of errors (not kept); start it by hand to see them"
        raise Unavailable(message, system=self._system, reason=reason)

    def _late(self, how: str) -> Unavailable:
        return Unavailable(f"{self._words} {how}", system=self._system, reason="tap-timeout")


def _put(folder: Path, option: str, data: Any) -> str:
    path = folder / f"{option.strip('-')}.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data if isinstance(data, bytes) else msgspec.json.encode(data))
    return str(path)


def _ends(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for its end without taking note of it: until then no other process can get its number."""
    until = time.monotonic() + seconds
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, process.pid, flags) is None:
        if time.monotonic() >= until:
            return False
        time.sleep(0.005)
    return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the tap and all it started: they are a session of their own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
