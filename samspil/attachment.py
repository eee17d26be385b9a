"""Binary content that goes with a message, never held whole."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from samspil.spool import CHUNK, Spool


class Attachment:
    """Binary content that stands in a message: bytes, a file, or what an answer brought."""

    def __init__(self, source: bytes | Path | Spool, content_type: str = "application/octet-stream") -> None:
        self._source, self.content_type = source, content_type

    @property
    def size(self) -> int:
        """Bytes."""
        if isinstance(self._source, Path):
            return self._source.stat().st_size
        return self._source.size if isinstance(self._source, Spool) else len(self._source)

    def chunks(self) -> Iterator[bytes]:
        """The content, a piece at a time; may be asked for again."""
        if isinstance(self._source, Path):
            with self._source.open("rb") as file:
                while piece := file.read(CHUNK):
                    yield piece
        elif isinstance(self._source, Spool):
            yield from self._source.chunks()
        else:
            yield self._source

    def read(self) -> bytes:
        """All of it at once."""
        return b"".join(self.chunks())

    def base64(self) -> Iterator[bytes]:
        """The content as it would stand in XML: that is what a signature covers."""
        left = b""
        for chunk in self.chunks():
            data = left + chunk
            whole = len(data) - len(data) % 3
            left = data[whole:]
            yield b64encode(data[:whole])
        yield b64encode(left)
