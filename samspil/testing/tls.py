"""The client's certificate, shown to a sandbox that speaks mutual TLS.

Uvicorn does not pass it on; this protocol does, the way the ASGI TLS extension says:
``scope["extensions"]["tls"]["client_cert_chain"]`` is a list with the client's certificate as PEM, empty without one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class CertificateProtocol(H11Protocol):
    """Give it to uvicorn as ``http``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        secure = transport.get_extra_info("ssl_object")
        certificate = secure.getpeercert(binary_form=True) if secure else None
        chain = [ssl.DER_cert_to_PEM_cert(certificate)] if certificate else []
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})["tls"] = {"client_cert_chain": chain}
            await inner(scope, receive, send)

        self.app = app


def client_certificate(scope: Mapping[str, Any]) -> bytes | None:
    """The client's certificate (DER) of a request's scope; None if it showed none."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", [])
    return ssl.PEM_cert_to_DER_cert(chain[0]) if chain else None
