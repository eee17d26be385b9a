"""The master key, in as many versions as are needed while it is changed: the highest seals, all open.

Written ``1:BASE64``, several with commas or one a line; a single key without a number is version 1. It is given in
``SAMSPIL_KEY`` or in the file named by ``SAMSPIL_KEY_FILE``, which others may not read; whoever runs Samspil may bring
another source (see ``samspil.airflow.keys``). ``{municipality}`` in the file's name is replaced by the municipality's
code: then each has a master key of its own, and a worker needs only its own.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from samspil.errors import SettingsError

SIZE = 32
_HIGHEST = 32_767  # what the store's tables take for a version
_WANTED = "must be 32 bytes, in base64"
_NUMBERED = re.compile(r"([0-9]{1,5}):(.*)")


class Master:
    """Version → 32 bytes. ``field`` is the setting that a message about it names."""

    def __init__(self, versions: Mapping[int, bytes], field: str = "SAMSPIL_KEY") -> None:
        if not versions or any(len(key) != SIZE for key in versions.values()):
            raise SettingsError(_WANTED, field=field)
        self.versions, self.field = dict(versions), field
        self.newest = max(versions)  # the version that seals

    @classmethod
    def parse(cls, text: str, field: str) -> Master:
        """Read what a setting says. Raises SettingsError without saying anything of a key."""
        found: dict[int, bytes] = {}
        for part in re.split(r"[\s,]+", text.strip()):
            numbered = _NUMBERED.fullmatch(part)
            number, encoded = (int(numbered[1]), numbered[2]) if numbered else (1, part)
            if not 1 <= number <= _HIGHEST:
                raise SettingsError(f"a version is a number from 1 to {_HIGHEST}", field=field)
            if number in found:
                raise SettingsError(f"has version {number} twice", field=field)
            try:
                found[number] = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                raise SettingsError(_WANTED, field=field) from None
        return cls(found, field)

    @classmethod
    def from_environment(cls, municipality: str) -> Master:
        """Read SAMSPIL_KEY, or the file that SAMSPIL_KEY_FILE names for a municipality. Raises SettingsError."""
        text, path = os.environ.get("SAMSPIL_KEY", ""), os.environ.get("SAMSPIL_KEY_FILE", "")
        path = path.replace("{municipality}", municipality)
        if text.strip():
            return cls.parse(text, "SAMSPIL_KEY")
        if path:
            return cls.parse(_read(Path(path)), "SAMSPIL_KEY_FILE")
        raise SettingsError(
            "no master key: set SAMSPIL_KEY or SAMSPIL_KEY_FILE (make one: openssl rand -base64 32)",
            field="SAMSPIL_KEY",
            reason="no-master-key",
        )


class Source(Protocol):
    """Where a municipality's master key comes from. Raises SettingsError when it is not there."""

    def __call__(self, municipality: str, /) -> Master: ...


def _read(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode  # of the very file that is read
            text = file.read()
    except (OSError, UnicodeDecodeError):
        raise SettingsError("cannot be read", file=str(path), field="SAMSPIL_KEY_FILE") from None
    if mode & stat.S_IRWXO:
        raise SettingsError(f"others may read or change it: chmod o= {path}", file=str(path), field="SAMSPIL_KEY_FILE")
    return text
