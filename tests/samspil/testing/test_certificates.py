"""The chain made for sandboxes is accepted, and refused, the way a real one is."""

import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from samspil.testing.certificates import Certificates, cvr_of

RANDERS = "29189668"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("oces"))


def talk(certificates, client_pem=None, *, host="127.0.0.1"):
    """One TLS conversation over a real socket: the CVR number that the server saw in the client's certificate."""
    seen: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener:
            plain, _ = listener.accept()
            with plain:
                try:
                    with certificates.server_context(require=True).wrap_socket(plain, server_side=True) as secure:
                        seen.append(cvr_of(secure.getpeercert(binary_form=True)))
                        secure.sendall(b"hej")
                except (ssl.SSLError, ConnectionError) as error:
                    seen.append(type(error).__name__)

    thread = threading.Thread(target=serve)
    thread.start()
    context = ssl.create_default_context(cafile=str(certificates.ca))
    if client_pem:
        context.load_cert_chain(client_pem)
    try:
        with (
            socket.create_connection(listener.getsockname()) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            secure.recv(10)
    finally:
        thread.join(timeout=10)
    return seen[0]


def test_the_server_sees_the_cvr_number_of_the_organisation(certificates):
    assert talk(certificates, certificates.client(RANDERS, "Randers Kommune").pem) == RANDERS


def test_the_server_is_known_as_localhost_too(certificates):
    assert talk(certificates, certificates.client(RANDERS, "Randers Kommune").pem, host="localhost") == RANDERS


def test_an_expired_certificate_is_refused(certificates):
    expired = certificates.client(RANDERS, "Randers Kommune", expired=True)

    with pytest.raises((ssl.SSLError, ConnectionError)):
        talk(certificates, expired.pem)


def test_no_certificate_is_refused(certificates):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        talk(certificates)


def test_a_certificate_of_another_chain_is_refused(certificates, tmp_path):
    stranger = Certificates(tmp_path).client(RANDERS, "Randers Kommune")

    with pytest.raises((ssl.SSLError, ConnectionError)):
        talk(certificates, stranger.pem)


def test_pkcs12_and_pem_hold_the_same_certificate(certificates):
    given = certificates.client(RANDERS, "Randers Kommune")

    _, certificate, chain = pkcs12.load_key_and_certificates(given.p12.read_bytes(), given.password.encode())

    assert x509.load_pem_x509_certificates(given.pem.read_bytes()) == [certificate, *chain]
    assert f"NTRDK-{RANDERS}" in certificate.subject.rfc4514_string()


def test_private_keys_are_for_their_owner_only(certificates):
    given = certificates.client(RANDERS, "Randers Kommune")

    assert [path.stat().st_mode & 0o777 for path in (given.p12, given.pem, certificates.server)] == [0o600] * 3


def test_a_certificate_without_an_organisation_has_no_cvr_number(certificates):
    server = x509.load_pem_x509_certificates(certificates.server.read_bytes())[0]

    assert not cvr_of(server.public_bytes(Encoding.DER))
