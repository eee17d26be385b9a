"""SOAP messages with attachments: a ``multipart/related`` answer as bytes."""

from __future__ import annotations

import random
from collections.abc import Sequence

from lxml import etree

from fuzz.parser import Lost, Outcome, Parser, chunks
from samspil import mtom, xml
from samspil.attachment import Attachment

_TYPE = 'multipart/related; boundary="B"; type="application/xop+xml"; start="<root>"'
_INCLUDE = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:{}"/>'


class Multipart(Parser):
    """Taken apart, its attachments put where they belong, in a tree and in the stream: both hold the same."""

    name = "multipart"
    words = (
        b"--B",
        b"--B--",
        b"\r\n--B\r\n",
        b"\r\n--B--\r\n",
        b"\r\n\r\n",
        b"Content-ID: <a1>\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Type: text/html\r\n",
        b"cid:a1",
        b"cid:%00",
        _INCLUDE.format("a1").encode(),
        b"<!-- -->",
        b"<![CDATA[",
        b"]]>",
    )
    piece = rb"\r\n--B(?:\r\n[^<]*?\r\n\r\n|--)|<(\w+)>([^<]*)</\w+>|(\S+: [^\r\n]*)\r\n"

    def made(self) -> Sequence[bytes]:
        root = "<e><a>{}</a><b>{}</b><c>æøå</c></e>".format(_INCLUDE.format("a1"), _INCLUDE.format("a2")).encode()
        head = b"\r\n--B\r\nContent-Type: %s\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <%s>\r\n\r\n"
        parts = [
            head % (b"application/xop+xml", b"root") + root,
            head % (b"application/pdf", b"a1") + bytes(range(256)) * 3,
            head % (b"image/png", b"a2") + b"\r\n--bx" * 20,
        ]
        return [b"".join([*parts, b"\r\n--B--\r\n"]), b"".join([parts[1], parts[0], parts[2], b"\r\n--B--"])]

    def tried(self, chance: random.Random, number: int, data: bytes) -> Outcome:
        del number
        message = mtom.parse(chunks(chance, data), _TYPE)
        for attachment in message.attachments.values():
            if _held(attachment) not in data:
                raise Lost("an attachment is not what stands in the message")
        streamed = b"".join(message.inlined())
        root = xml.parse(message.root)
        placed = message.place(root)
        written = b"".join(placed.expand(etree.tostring(root, method="c14n")))
        if message.xop and written != etree.tostring(xml.parse(streamed), method="c14n"):
            raise Lost("tree and stream hold something else")
        return Outcome(records=1)


def _held(attachment: Attachment) -> bytes:
    return b"".join(attachment.chunks())
