"""WS-Security 1.1 for SOAP, in pure Python on lxml and cryptography: requests signed, answers verified.

``Security`` is what a connector hands to ``samspil.soap.Soap``; ``Trust`` says whose signature counts, ``Tokens``
fetches a SAML token from an STS and keeps it until shortly before it expires. A connector whose ``Settings`` build on
``SignedSettings`` gets its Security from ``secured(settings, system=…)``.
"""

from samspil.certificate import Credentials, credentials
from samspil.wssecurity.security import Security
from samspil.wssecurity.settings import SignedSettings, secured
from samspil.wssecurity.tokens import Tokens
from samspil.wssecurity.trust import Trust

__all__ = ["Credentials", "Security", "SignedSettings", "Tokens", "Trust", "credentials", "secured"]
