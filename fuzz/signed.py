"""Signed SOAP answers: whatever is changed on the way, what is accepted is what was signed."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from lxml import etree

from connectors.jobcenter.contract import READS, shape
from connectors.jobcenter.pages import Pages
from fuzz.messages import WORLD, Xml
from fuzz.parser import Lost, Outcome, Parser
from samspil import xml
from samspil.certificate import credentials
from samspil.errors import SamspilError
from samspil.testing.certificates import Certificates
from samspil.testing.secured import Secured
from samspil.wssecurity import Trust
from samspil.wssecurity.envelope import Envelope
from samspil.wssecurity.streaming import StreamedBody
from samspil.wssecurity.verification import verify

_CVR = "19435075"
_SKEW = timedelta(hours=1)  # a run may take longer than an answer is fresh


class Signed(Parser):
    """Verified as a tree and as a stream. The keys are new in each process: a number repeats the change, not the bytes."""

    name = "signed SOAP"
    words = (*Xml.words, b' wsu:Id="x"', b"<wsse:Security/>", b'URI=""', b'URI="#x"', b"<ds:Signature/>")
    piece = Xml.piece

    def made(self) -> Sequence[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            certificates = Certificates(Path(folder), keys="rsa")
            given = certificates.client(_CVR, "KOMBIT A/S")
            self._trust = Trust.read(str(certificates.ca), organisation=_CVR)
            secured = Secured(credentials(str(given.p12), given.password), self._trust)
        self._tag = shape(READS[0]).tag
        page = Pages(WORLD, READS[0], 1).page(1, 3)
        body = page.partition(b"<soap:Body>")[2].partition(b"</soap:Body>")[0]
        answer = secured.answer(body, None)
        self._tree, self._stream = self._as_tree(answer), self._as_stream(answer)
        return [answer]

    def tried(self, chance: random.Random, number: int, data: bytes) -> Outcome:
        del chance, number
        outcome = Outcome()
        for read, signed in ((self._as_tree, self._tree), (self._as_stream, self._stream)):
            try:
                if read(data) != signed:
                    raise Lost("something else than what was signed was accepted")
                outcome["records"] += 1
            except SamspilError as error:
                if not error.reason:
                    raise Lost("an answer was refused without a reason") from None
                outcome["refused"] += 1
        return outcome

    def _as_tree(self, data: bytes) -> bytes:
        envelope = Envelope(xml.parse(data))
        verify(envelope, self._trust, skew=_SKEW)
        return etree.tostring(envelope.body, method="c14n", exclusive=True)

    def _as_stream(self, data: bytes) -> bytes:
        body = StreamedBody(self._tag)
        try:
            root = body.read([data])
        except etree.XMLSyntaxError as error:  # its reader types it, as it knows the operation
            raise xml.malformed(error) from None
        verify(Envelope(root), self._trust, skew=_SKEW, body=body.holds)
        return b"".join(body.chunks())
