"""A ledger as a file: JSON lines, the first says whose it is, then one for each batch, bytes in base64."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from samspil.errors import SamspilError, SettingsError
from samspil.ledger.batch import Batch

FORMAT = "samspil-ledger-1"


class Heading(msgspec.Struct, frozen=True):
    """The first line."""

    format: str
    municipality: str


def write(file: BinaryIO, municipality: str, found: Iterable[Batch]) -> int:
    """Write a ledger; the number of batches."""
    file.write(msgspec.json.encode(Heading(FORMAT, municipality)) + b"\n")
    count = 0
    for batch in found:
        file.write(msgspec.json.encode(batch) + b"\n")
        count += 1
    return count


class Exported:
    """An exported ledger. Raises SettingsError if the file is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                heading = msgspec.json.decode(file.readline(), type=Heading)
        except OSError as error:
            raise SettingsError(f"cannot be read ({error.strerror})", file=str(path)) from None
        except msgspec.DecodeError:
            heading = Heading("", "")
        if heading.format != FORMAT:
            raise SettingsError("is not an exported ledger: samspil ledger export writes one", file=str(path), line=1)
        self.municipality = heading.municipality

    def batches(self) -> Iterator[Batch]:
        """Its batches. Raises SamspilError (ledger-broken) for a line that is none."""
        with self._path.open("rb") as file:
            next(file)
            for number, line in enumerate(file, 2):
                try:
                    yield msgspec.json.decode(line, type=Batch)
                except msgspec.DecodeError:
                    raise SamspilError(f"{self._path}:{number}: is not a batch", reason="ledger-broken") from None
