"""Which files of a folder are the delivery to read: by name, newest first, known to be complete, not too old.

A name is a text with ``{date}`` (``YYYYMMDD``), ``{number}`` (a running number) and ``{part}`` (nothing, ``_2``, ``_3``
…) in it; the greatest date, then number, is the newest. Without both the time of change decides.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, Literal, NamedTuple

from samspil.errors import Unavailable
from samspil.sftp import RemoteFile, Sftp

Beside = Literal["", ".ok", ".md5", ".sha256"]

_TOKENS = {"{date}": r"(?P<date>[0-9]{8})", "{number}": r"(?P<number>[0-9]{1,12})", "{part}": r"(?P<part>_[0-9]{1,3})?"}
_SPLIT = re.compile(r"(\{[^{}]*\})")
_DIGESTS: dict[str, Callable[[], Any]] = {
    ".md5": lambda: hashlib.md5(usedforsecurity=False),  # a vendor's word against a torn file, not against a forger
    ".sha256": hashlib.sha256,
}


class Stamp(NamedTuple):
    """What makes a delivery newer than another: its date, its number, or (without both) its time of change."""

    date: str
    number: int
    modified: int


def pattern(name: str) -> re.Pattern[str]:
    """A file name with placeholders as an expression. Raises ValueError naming a placeholder that there is not."""
    parts = _SPLIT.split(name)
    if unknown := [part for part in parts if part.startswith("{") and part not in _TOKENS]:
        raise ValueError(f"there is no {unknown[0]} in a file name, only {', '.join(_TOKENS)}")
    if twice := [token for token in _TOKENS if parts.count(token) > 1]:
        raise ValueError(f"{twice[0]} stands twice in the file name")
    if "{part}" in parts and not {"{date}", "{number}"} & set(parts):
        raise ValueError("{part} needs {date} or {number}: parts of which delivery?")
    return re.compile("".join(_TOKENS.get(part) or re.escape(part) for part in parts))


class Arrival:
    """The deliveries of one kind of file. ``oldest`` is the age in hours at which one counts as forgotten.

    ``beside`` is the end of the name of a second file that vouches for the first: an empty ``.ok``, or the ``.md5`` or
    ``.sha256`` of its content; without it a file is taken to be whole by its name, or by what is in it.
    """

    def __init__(self, name: str, *, system: str, oldest: int, beside: Beside = "") -> None:
        self._name, self._pattern, self._system = name, pattern(name), system
        self._oldest, self._beside = oldest, beside

    def newest(self, listed: Sequence[RemoteFile], *, stamp: Stamp | None = None) -> tuple[Stamp, list[RemoteFile]]:
        """All parts of the newest delivery, or of the one with the date and number of ``stamp``.

        Raises Unavailable if there is none that is complete, or if it is too old.
        """
        found = self._stamped(listed)
        newest = max((each for each, _ in found), default=None) if stamp is None else stamp
        parts = [remote for each, remote in found if newest is not None and each[:2] == newest[:2]]
        if newest is None or not parts:
            wanted = self._name.replace("{date}", newest.date) if newest and newest.date else self._name
            raise self._unavailable(f"no export {wanted}", "file-missing")
        if not (newest.date or newest.number):
            parts = [max(parts, key=lambda remote: remote.modified)]
        self._require_no_gap(parts)
        if max(part.modified for part in parts) < time.time() - self._oldest * 3600:
            raise self._unavailable(f"{parts[0].name} is older than {self._oldest} hours", "export-too-old")
        return newest, parts

    def _require_no_gap(self, parts: Sequence[RemoteFile]) -> None:
        """Parts 1 and 3 without 2 are not a delivery; the first may have no number, or be 0 or 1."""
        fits = [self._pattern.fullmatch(part.name) for part in parts]
        told = [fit.groupdict().get("part") for fit in fits if fit is not None]
        numbers = sorted(int(part[1:]) for part in told if part)
        first = (0, 1) if all(told) else (1, 2)
        if numbers and (numbers[0] not in first or numbers[-1] - numbers[0] + 1 != len(numbers)):
            raise self._unavailable(f"a part beside {parts[0].name} is missing", "file-missing")

    def before(self, listed: Sequence[RemoteFile], stamp: Stamp) -> list[str]:
        """The names of the deliveries that the one of ``stamp`` has replaced, and of the files that vouched for them."""
        there = {remote.name for remote in listed}
        names = [remote.name for each, remote in self._stamped(listed) if each[:2] < stamp[:2]]
        return names + [vouching for name in names if (vouching := self._vouching(name, there))]

    def chunks(self, sftp: Sftp, folder: str, remote: RemoteFile) -> Generator[bytes, None, None]:
        """The file's bytes. Raises Unavailable at their end if they are not what the file beside it says."""
        make = _DIGESTS.get(self._beside)
        if make is None:
            yield from sftp.chunks(folder, remote.name)
            return
        vouching = self._vouching(remote.name, {file.name for file in sftp.files(folder)})
        said = (sftp.get(folder, vouching, limit=4096) or b"").split()[:1] if vouching else []
        digest = make()
        with closing(sftp.chunks(folder, remote.name)) as chunks:
            for chunk in chunks:
                digest.update(chunk)
                yield chunk
        if [digest.hexdigest().encode()] != [word.lower() for word in said]:
            raise self._unavailable(f"{remote.name} is not what its {self._beside} file says", "file-incomplete")

    def _stamped(self, listed: Sequence[RemoteFile]) -> list[tuple[Stamp, RemoteFile]]:
        there = {remote.name for remote in listed}
        found: list[tuple[Stamp, RemoteFile]] = []
        unfinished: set[tuple[str, int]] = set()
        for remote in listed:
            fits = self._pattern.fullmatch(remote.name)
            if fits is None:
                continue
            groups = fits.groupdict()
            stamp = Stamp(groups.get("date") or "", int(groups.get("number") or 0), remote.modified)
            found.append((stamp, remote))
            if self._beside and not self._vouching(remote.name, there):
                unfinished.add(stamp[:2])  # with one part missing the others would look like all there is
        return [(stamp, remote) for stamp, remote in found if stamp[:2] not in unfinished]

    def _vouching(self, name: str, there: set[str]) -> str:
        """The file beside: ``x.csv.ok`` or ``x.ok``; empty if there is neither."""
        names = (name + self._beside, name.rpartition(".")[0] + self._beside)
        return next((name for name in names if self._beside and name in there), "")

    def _unavailable(self, message: str, reason: str) -> Unavailable:
        return Unavailable(message, system=self._system, reason=reason)
