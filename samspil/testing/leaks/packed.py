"""What is packed in bytes: zip (and so XLSX), gzip, zlib, bzip2, xz."""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00", b"x\x01", b"x\x9c", b"x\xda", b"x^")  # how they begin
LARGEST = 64 << 20  # bytes that something may unpack to


class TooDeep(ValueError):
    """It unfolds to more than can be looked through."""


def unpacked(data: bytes) -> Iterator[bytes]:
    """What is packed in the bytes, as far as it goes: contents, and the names in a zip. Raises TooDeep if it is too much."""
    if data.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                if sum(member.file_size for member in packed.infolist()) > LARGEST:
                    raise TooDeep
                for member in packed.infolist():
                    yield member.filename.encode()
                    yield member.comment
                    yield packed.read(member)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error):
            return
        return
    unpack: Any = zlib.decompressobj(wbits=47)
    if data.startswith(b"BZh"):
        unpack = bz2.BZ2Decompressor()
    elif data.startswith(b"\xfd"):
        unpack = lzma.LZMADecompressor()
    try:
        part = unpack.decompress(data, LARGEST + 1)
    except (zlib.error, OSError, EOFError, lzma.LZMAError):
        return
    if len(part) > LARGEST:
        raise TooDeep
    yield part
