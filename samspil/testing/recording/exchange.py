"""One call with its answer, and a recording of many: a file of JSON lines.

The first line says what connector was recorded with what account (a synthetic one); each other line is one call in the
order they came. Bodies that are text are written as text, others in base64.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec

from samspil.errors import SettingsError

FORMAT = 1
ORIGIN = "http://origin.invalid"  # stands in bodies where the system named its own address


class Exchange(msgspec.Struct, kw_only=True):
    """A call and its answer. ``passing`` are the fields of the call (by path) that are new each time."""

    method: str
    path: str  # percent-encoded
    query: list[tuple[str, str]]
    headers: dict[str, str]  # names in lower case
    body: bytes
    status: int
    answer_headers: dict[str, str]
    answer: bytes
    passing: list[str] = []


class Recording(msgspec.Struct, kw_only=True):
    """What a file has."""

    connector: str
    account: dict[str, Any]  # login, password, schema, extra
    exchanges: list[Exchange]

    def encode(self) -> bytes:
        """The bytes of the file."""
        head = {"format": FORMAT, "connector": self.connector, "account": self.account}
        lines = [head, *({**msgspec.structs.asdict(one), **_written(one)} for one in self.exchanges)]
        return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def load(file: Path) -> Recording:
    """Read a recording. Raises SettingsError naming file and line."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise SettingsError(f"cannot be read ({error.strerror})", file=str(file)) from None
    number = 0
    try:
        read = []
        for number, line in enumerate(lines, 1):  # noqa: B007 - the number is for the error
            read.append(msgspec.json.decode(line))
        _check(read[0].pop("format"))
        exchanges = [msgspec.convert({**one, **_read(one)}, Exchange) for one in read[1:]]
        return Recording(exchanges=exchanges, **read[0])
    except (msgspec.MsgspecError, ValueError, LookupError, TypeError, AttributeError):
        raise SettingsError("is not a recording that can be read", file=str(file), line=number) from None


def _check(version: object) -> None:
    if version != FORMAT:
        raise ValueError(version)


def _written(one: Exchange) -> dict[str, Any]:
    return {name: _text(getattr(one, name)) for name in ("body", "answer")}


def _text(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _read(line: dict[str, Any]) -> dict[str, bytes]:
    return {
        name: base64.b64decode(line[name]["base64"]) if isinstance(line[name], dict) else line[name].encode()
        for name in ("body", "answer")
    }
