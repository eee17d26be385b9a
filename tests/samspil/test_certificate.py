import socket
import ssl
import threading

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from samspil.account import Account
from samspil.certificate import authorities, credentials, organisation
from samspil.errors import AccessError, SettingsError
from samspil.http import HttpSettings, Session
from samspil.testing.certificates import Certificates
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World


class Secured(Sandbox):
    """Wants a client certificate."""

    def __init__(self, certificates):
        super().__init__(World("760", citizens=1))
        self.certificates = certificates

    def routes(self):
        async def answer(_request):
            return Response("ok")

        return Starlette(routes=[Route("/x", answer)])

    def tls(self):
        return self.certificates.server_context(require=True)


@pytest.fixture
def connect():
    made = []

    def session(account, **settings):
        made.append(Session("journal", HttpSettings(url=account.url, **{"timeout": 5, **settings})))
        return made[-1]

    yield session
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_a_certificate_of_nobody_we_trust_is_an_access_error(certificates, connect):
    with Secured(certificates) as sandbox, pytest.raises(AccessError) as caught:
        connect(sandbox.account).send("GET", "/x")
    assert caught.value.reason == "server-certificate"


@pytest.mark.parametrize("kind", ["pem", "p12"])
def test_our_certificate_is_shown_in_either_form(certificates, connect, kind):
    ours = certificates.client("29189668", "Randers Kommune")
    password = ours.password if kind == "p12" else ""
    with Secured(certificates) as sandbox:
        session = connect(
            sandbox.account,
            ca=str(certificates.ca),
            certificate=str(getattr(ours, kind)),
            certificate_password=password,
        )
        assert session.send("GET", "/x").status == 200


def test_our_own_expired_certificate_is_an_access_error_before_any_call(certificates, connect):
    expired = certificates.client("29189668", "Randers Kommune", expired=True)
    with Secured(certificates) as sandbox:
        for kind in ("pem", "p12"):
            session = connect(
                sandbox.account,
                ca=str(certificates.ca),
                certificate=str(getattr(expired, kind)),
                certificate_password=expired.password if kind == "p12" else "",
            )
            with pytest.raises(AccessError, match="our certificate ran out on") as caught:
                session.send("GET", "/x")
            assert caught.value.reason == "certificate-expired"
        assert sandbox.calls == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_system_that_refuses_our_certificate_is_an_access_error(certificates, connect, version):
    """A plain TLS server here: it says why it refuses, as real ones do."""
    context = certificates.server_context(require=True)
    context.minimum_version = context.maximum_version = version
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse():
            connection, _ = server.accept()
            spare = connection.dup()
            with pytest.raises(ssl.SSLError), connection:
                context.wrap_socket(connection, server_side=True)
            with spare:
                spare.shutdown(socket.SHUT_WR)
                while spare.recv(4096):
                    pass

        thread = threading.Thread(target=refuse)
        thread.start()
        account = Account(id="star", conn_type="https", host="127.0.0.1", port=server.getsockname()[1])
        with pytest.raises(AccessError) as caught:
            connect(account, ca=str(certificates.ca), attempts=1).send("GET", "/x")
        connect(account).close()
        thread.join()
    assert caught.value.reason == "client-certificate"


def test_a_certificate_that_cannot_be_used_is_a_settings_error(certificates, tmp_path):
    ours = certificates.client("29189668", "Randers Kommune")
    (tmp_path / "none.pem").write_text("nothing")
    for settings in (
        {"certificate": str(tmp_path / "missing.pem")},
        {"certificate": str(tmp_path / "none.pem")},
        {"certificate": str(ours.p12), "certificate_password": "forkert"},
        {"ca": str(tmp_path / "none.pem")},
    ):
        with pytest.raises(SettingsError) as caught:
            Session("star", HttpSettings(url="https://127.0.0.1", **settings))
        assert "forkert" not in str(caught.value)


@pytest.mark.parametrize("keys", ["ec", "rsa"])
def test_a_key_and_its_certificates_are_read_from_either_form(tmp_path, keys):
    made = Certificates(tmp_path, keys=keys)
    ours = made.client("29189668", "Randers Kommune")
    first, second = credentials(str(ours.p12), ours.password), credentials(str(ours.pem), "")
    assert first.certificate == second.certificate
    assert first.key.public_key() == second.key.public_key() == first.certificate.public_key()
    assert "29189668" == organisation(first.certificate)
    assert list(first.chain) == list(second.chain) == list(authorities(str(made.ca)))[1:]


def test_a_key_that_is_not_the_certificate_s_is_a_settings_error(certificates, tmp_path):
    one, other = (certificates.client(cvr, "x").pem.read_text() for cvr in ("29189668", "19435075"))
    (tmp_path / "mixed.pem").write_text(one[: one.index("-----BEGIN CERT")] + other[other.index("-----BEGIN CERT") :])
    for file, password in ((tmp_path / "mixed.pem", ""), (tmp_path / "missing.p12", ""), (certificates.ca, "forkert")):
        with pytest.raises(SettingsError) as caught:
            credentials(str(file), password)
        assert "forkert" not in str(caught.value)
