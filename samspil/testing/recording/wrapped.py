"""Bodies that hold other bodies: multipart, zip and gzip, each part rewritten as what it is."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from email.message import Message
from pathlib import PurePosixPath

from samspil.testing.recording import body as bodies
from samspil.testing.recording.body import Visitor
from samspil.testing.recording.coverage import Place

LARGEST = 64 << 20  # bytes unpacked
DEEPEST = 3
BOUNDARY = "samspil-recording"

_BY_NAME = {".json": "application/json", ".xml": "text/xml", ".csv": "text/csv", ".txt": "text/plain"}
_NONE = re.compile(r"(?!)")
_PARAMETERS = {name: re.compile(r"(application|text)/[a-z0-9.+-]+") for name in ("type", "start-info")}
_ZIP = {"application/zip", "application/x-zip-compressed"}
_GZIP = {"application/gzip", "application/x-gzip"}


def rewrite(body: bytes, content_type: str, visitor: Visitor, at: Place = (), deep: int = 0) -> tuple[bytes, str]:
    """A body and its Content-Type, every field of it visited. An empty body is left as it is."""
    head = Message()
    head["content-type"] = content_type
    media_type = head.get_content_type() if content_type else ""
    if not body:
        return body, content_type
    if deep > DEEPEST:
        raise visitor.unreadable(at, "is packed too deep")
    if not media_type:
        raise visitor.unreadable(at, "has no Content-Type")
    if media_type.startswith("multipart/"):
        return _multipart(body, head, visitor, at, deep)
    if media_type in _ZIP:
        return _zip(body, visitor, at, deep), content_type
    if media_type in _GZIP:
        inner = _unpacked(body, visitor, at)
        return gzip.compress(rewrite(inner, _guess(inner), visitor, at, deep + 1)[0], mtime=0), media_type
    rewritten = bodies.format_of(media_type)(body, visitor, at)
    charset = head.get_content_charset()
    if charset and media_type != "text/csv":  # CSV keeps its own; all others are written in UTF-8
        charset = "utf-8"
    return rewritten, media_type + (f"; charset={charset}" if charset else "")


def _guess(body: bytes) -> str:
    start = body.lstrip()[:1]
    return "application/json" if start in (b"{", b"[") else "text/xml" if start == b"<" else "application/octet-stream"


def _unpacked(body: bytes, visitor: Visitor, at: Place) -> bytes:
    unpack = zlib.decompressobj(wbits=31)
    try:
        data = unpack.decompress(body, LARGEST)
    except zlib.error:
        raise visitor.unreadable(at, "is not gzip") from None
    if unpack.unconsumed_tail or not unpack.eof or unpack.unused_data:
        raise visitor.unreadable(at, f"is cut short or larger than {LARGEST} bytes")
    return data


def _zip(body: bytes, visitor: Visitor, at: Place, deep: int) -> bytes:
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            if sum(member.file_size for member in packed.infolist()) > LARGEST:
                raise visitor.unreadable(at, f"is larger than {LARGEST} bytes")
            for member in packed.infolist():
                kind = _BY_NAME.get(PurePosixPath(member.filename).suffix.lower(), "application/octet-stream")
                data = rewrite(packed.read(member), kind, visitor, at, deep + 1)[0]
                name = visitor.leaf(("(filename)",), member.filename, b"")
                new.writestr(zipfile.ZipInfo(str(name)), data)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error):
        raise visitor.unreadable(at, "is not a zip file that can be opened") from None
    return out.getvalue()


def _multipart(body: bytes, head: Message, visitor: Visitor, at: Place, deep: int) -> tuple[bytes, str]:
    boundary = (head.get_boundary() or "").encode()
    pieces = re.split(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(?:--)?[ \t]*\r?\n?", body)
    if not boundary or len(pieces) < 3 or pieces[0].strip() or pieces[-1].strip():
        raise visitor.unreadable(at, "is not multipart")
    parts = [_part(piece, visitor, at, deep) for piece in pieces[1:-1]]
    mark = BOUNDARY.encode()
    kept = [
        (name, value) for name, value in (head.get_params() or [])[1:] if _PARAMETERS.get(name, _NONE).fullmatch(value)
    ]
    fields = [f'{name}="{value}"' for name, value in [("boundary", BOUNDARY), *kept]]
    if start := head.get_param("start"):
        fields.append(f'start="{_identity(str(start), visitor)}"')
    whole = b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + mark + b"--\r\n"
    return whole, "; ".join([head.get_content_type(), *fields])


def _part(piece: bytes, visitor: Visitor, at: Place, deep: int) -> bytes:
    """One part: its own headers but for these three are left out."""
    head, content = [*re.split(rb"\r?\n\r?\n", b"\n" + piece, maxsplit=1), b""][:2]  # a part may have no headers
    message = Message()
    for line in re.sub(rb"\r?\n[ \t]+", b" ", head).splitlines():
        name, _, value = line.decode("utf-8", "replace").partition(":")
        message[name.strip()] = value.strip()
    if message.get("content-transfer-encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        message.set_payload(content.decode("ascii", "replace"))
        content = message.get_payload(decode=True) or b""
    place, lines, disposition = at, [], [message.get_content_disposition() or ""]
    called = message.get_param("name", header="content-disposition")
    if isinstance(called, str):
        place = (*at, called)
        visitor.leaf(place, None, b"")
        disposition.append(f'name="{called}"')
    if filename := message.get_filename():
        disposition.append(f'filename="{visitor.leaf(("(filename)",), filename, b"")}"')
    if disposition[0] in ("form-data", "attachment", "inline"):
        lines.append(f"Content-Disposition: {'; '.join(disposition)}")
    if identity := message.get("content-id"):
        lines.append(f"Content-ID: {_identity(identity, visitor)}")
    if "content-type" in message:
        content, kind = rewrite(content, str(message["content-type"]), visitor, place, deep + 1)
        lines.append(f"Content-Type: {kind}")
    else:
        content = str(visitor.leaf(place, content.decode("utf-8", "replace"), b"")).encode()
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def _identity(text: str, visitor: Visitor) -> str:
    inner = text.strip().removeprefix("<").removesuffix(">")
    return f"<{visitor.leaf(('(id)',), inner, b'')}>"
