"""A security token service (STS) in miniature: SAML 2.0 holder-of-key assertions by WS-Trust, over HTTPS."""

from __future__ import annotations

import ssl
import uuid
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samspil import xml
from samspil.certificate import Credentials, credentials, organisation
from samspil.errors import Refused
from samspil.testing.certificates import Certificates
from samspil.testing.sandbox import Sandbox
from samspil.testing.secured import Opened, Secured
from samspil.testing.world import World
from samspil.wssecurity import instant
from samspil.wssecurity.canonical import canonical
from samspil.wssecurity.names import AUTH, DS, ENVELOPED, EXCLUSIVE, HOLDER_OF_KEY, SAML, WSA, WSP, WST
from samspil.wssecurity.signature import Reference, sign
from samspil.wssecurity.trust import Trust

CVR = "19435075"  # of the STS's own organisation: KOMBIT A/S, who runs the real one
CLAIM = "dk:gov:saml:attribute:CvrNumberIdentifier"


class Sts(Sandbox):
    """Issues tokens to the organisation ``customer`` (CVR number) for the services in ``audiences``.

    ``life`` is that of a token; ``issued`` counts them. Certificates must have RSA keys.
    """

    def __init__(self, world: World, certificates: Certificates, *, customer: str, audiences: frozenset[str]) -> None:
        super().__init__(world)
        self.certificates, self.audiences = certificates, audiences
        self.life = timedelta(hours=1)
        self.issued = 0
        given = certificates.client(CVR, "Sandkasse STS")
        self.ours = credentials(str(given.p12), given.password)
        self.service = Secured(self.ours, Trust.read(str(certificates.ca), organisation=customer))

    @property
    def trust(self) -> Trust:
        """Whose signature a token and an answer of this STS has."""
        return Trust.read(str(self.certificates.ca), organisation=CVR)

    def tls(self) -> ssl.SSLContext:
        """HTTPS; a client certificate is asked for and not demanded, since the message is signed."""
        return self.certificates.server_context()

    def routes(self) -> Starlette:
        """One endpoint."""
        return Starlette(routes=[Route("/sts", self._issue, methods=["POST"])])

    async def _issue(self, request: Request) -> Response:
        try:
            opened = self.service.open(await request.body())
            answer = self.service.answer(self._token(opened), opened, action=f"{WST}/RSTRC/IssueFinal")
        except Refused as error:
            return Response(_fault(error.reason), status_code=500, media_type="text/xml")
        return Response(answer, media_type="text/xml")

    def _token(self, opened: Opened) -> bytes:
        """Raises Refused (``bad-request``) for a service it does not know or another's CVR number."""
        audience = opened.request.findtext(f"{{{WSP}}}AppliesTo/{{{WSA}}}EndpointReference/{{{WSA}}}Address", "")
        claims = {
            claim.get("Uri", ""): claim.findtext(f"{{{AUTH}}}Value", "")
            for claim in opened.request.iter(f"{{{AUTH}}}ClaimType")
        }
        signer = opened.verified.signer
        own = organisation(signer)
        if audience not in self.audiences or claims.get(CLAIM, own) != own:
            raise Refused("bad-request")
        self.issued += 1
        made = assertion(self.ours, signer, audience=audience, life=self.life, attributes={CLAIM: own})
        return (
            b'<t:RequestSecurityTokenResponseCollection xmlns:t="%s"><t:RequestSecurityTokenResponse>'
            b"<t:RequestedSecurityToken>%s</t:RequestedSecurityToken>"
            b"</t:RequestSecurityTokenResponse></t:RequestSecurityTokenResponseCollection>" % (WST.encode(), made)
        )


def assertion(
    issuer: Credentials,
    holder: x509.Certificate,
    *,
    audience: str,
    life: timedelta,
    attributes: Mapping[str, str],
    starts: datetime | None = None,
) -> bytes:
    """A signed assertion. Its holder is whoever has the key of that certificate."""
    if not isinstance(issuer.key, rsa.RSAPrivateKey):
        raise TypeError("signing takes an RSA key")
    identifier, begin = f"_{uuid.uuid4()}", starts or datetime.now(UTC)
    now, end = instant.written(begin), instant.written(begin + life)
    values = "".join(
        f'<Attribute Name="{name}"><AttributeValue xsi:type="xs:string">{xml.escaped(value)}</AttributeValue></Attribute>'
        for name, value in attributes.items()
    )
    text = (
        f'<Assertion xmlns="{SAML}" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="{xml.XSI}" '
        f'ID="{identifier}" IssueInstant="{now}" Version="2.0"><Issuer>https://sts.sandkasse.invalid/</Issuer>'
        f"<Subject><NameID>{xml.escaped(holder.subject.rfc4514_string())}</NameID>"
        f'<SubjectConfirmation Method="{HOLDER_OF_KEY}"><SubjectConfirmationData><ds:KeyInfo xmlns:ds="{DS}">'
        f"{_x509(holder)}</ds:KeyInfo></SubjectConfirmationData></SubjectConfirmation></Subject>"
        f'<Conditions NotBefore="{now}" NotOnOrAfter="{end}"><AudienceRestriction><Audience>{xml.escaped(audience)}'
        f"</Audience></AudienceRestriction></Conditions><AttributeStatement>{values}</AttributeStatement></Assertion>"
    )
    root = xml.parse(text.encode())
    reference = Reference.of(
        identifier, [canonical(root, ("xs",))], transforms=(ENVELOPED, EXCLUSIVE), prefixes=("xs",)
    )
    key_info = sign(root, [reference], issuer.key)
    key_info.append(etree.fromstring(f'<ds:X509Data xmlns:ds="{DS}">{_x509(issuer.certificate, "")}</ds:X509Data>'))
    signature = root[-1]
    root.insert(1, signature)  # after the issuer, where the schema wants it
    return etree.tostring(root)


def _x509(certificate: x509.Certificate, around: str = "ds:X509Data") -> str:
    der = b64encode(certificate.public_bytes(Encoding.DER)).decode()
    inner = f"<ds:X509Certificate>{der}</ds:X509Certificate>"
    return f"<{around}>{inner}</{around}>" if around else inner


def _fault(reason: str) -> bytes:
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
        f'<faultcode xmlns:t="{WST}">t:RequestFailed</faultcode><faultstring>{reason}</faultstring>'
        "</e:Fault></e:Body></e:Envelope>"
    ).encode()
