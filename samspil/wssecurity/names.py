"""Namespaces and algorithms of WS-Security 1.1, XML signature, WS-Addressing 1.0, WS-Trust 1.3 and SAML 2.0.

The only place where they are written out. What is not in ``SIGNATURES`` or ``DIGESTS`` is refused: no SHA-1, no HMAC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives import hashes

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_OASIS11 = "http://docs.oasis-open.org/wss/oasis-wss-"

WSSE: Final = f"{_OASIS}wssecurity-secext-1.0.xsd"
WSSE11: Final = f"{_OASIS11}wssecurity-secext-1.1.xsd"
WSU: Final = f"{_OASIS}wssecurity-utility-1.0.xsd"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
WSA: Final = "http://www.w3.org/2005/08/addressing"
SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
WST: Final = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
WSP: Final = "http://schemas.xmlsoap.org/ws/2004/09/policy"
AUTH: Final = "http://docs.oasis-open.org/wsfed/authorization/200706"
LIBERTY: Final = "urn:liberty:sb:2006-08"
LIBERTY_PROFILE: Final = "urn:liberty:sb:profile"
ENVELOPES: Final = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")

ID: Final = f"{{{WSU}}}Id"
ANONYMOUS: Final = f"{WSA}/anonymous"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = f"{DS}enveloped-signature"
STR_TRANSFORM: Final = f"{_OASIS}soap-message-security-1.0#STR-Transform"
BASE64: Final = f"{_OASIS}soap-message-security-1.0#Base64Binary"
X509V3: Final = f"{_OASIS}x509-token-profile-1.0#X509v3"
THUMBPRINT: Final = f"{_OASIS11}soap-message-security-1.1#ThumbprintSHA1"
KEY_IDENTIFIER: Final = f"{_OASIS}x509-token-profile-1.0#X509SubjectKeyIdentifier"
SAML_ID: Final = f"{_OASIS11}saml-token-profile-1.1#SAMLID"
SAML_TOKEN: Final = f"{_OASIS11}saml-token-profile-1.1#SAMLV2.0"
HOLDER_OF_KEY: Final = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"

RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"

SIGNATURES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    RSA_SHA256: hashes.SHA256(),
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": hashes.SHA384(),
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": hashes.SHA512(),
}
DIGESTS: Final[Mapping[str, str]] = {  # as hashlib calls them
    SHA256: "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
