"""Peers by others, started as programs of their own; what is not installed is left out by name, never silently."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from samspil.certificate import Credentials, credentials
from samspil.http import HttpSettings, Session
from samspil.soap import Codes, Soap
from samspil.testing.certificates import Certificates, ClientCertificate
from samspil.testing.secured import Secured
from samspil.wssecurity import Security, Trust

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent / "peers"
WSDL = ROOT / "tests" / "samspil" / "wssecurity" / "service.wsdl"


def _tool():
    spec = importlib.util.spec_from_file_location("samspil_peers", ROOT / "tools" / "peers.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


PEERS = _tool()


def needed(name: str) -> None:
    """At a module's top: leave it out if this peer is not here; in CI (``SAMSPIL_PEERS=required``) that is an error."""
    peer = PEERS.PEERS[name]
    if peer.here:
        return
    how = " && ".join(" ".join(command) for command in PEERS.commands([peer]))
    text = f"left out: {name} is not installed; get it with: {how}"
    if os.environ.get("SAMSPIL_PEERS") == "required":
        pytest.fail(text)
    pytest.skip(text, allow_module_level=True)


class Side(NamedTuple):
    """One of the two: its certificate in files, and read."""

    given: ClientCertificate
    credentials: Credentials
    key: Path
    certificate: Path


class Sides(NamedTuple):
    """Both, and how we are secured."""

    ca: Path
    us: Side
    them: Side
    security: Security
    pinned: Security
    secured: Secured


@pytest.fixture(scope="session")
def sides(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rsa")
    certificates = Certificates(folder, keys="rsa")

    def side(cvr: str) -> Side:
        given = certificates.client(cvr, "Sandkasse A/S")
        read = credentials(str(given.p12), given.password)
        key, certificate = folder / f"{cvr}.key", folder / f"{cvr}.crt"
        key.write_bytes(read.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        certificate.write_bytes(read.certificate.public_bytes(Encoding.PEM))
        return Side(given, read, key, certificate)

    us, them, ca = side("29189668"), side("19435075"), str(certificates.ca)
    trust = Trust.read(ca, organisation="19435075")
    pinned = Trust.read(ca, certificates=str(them.certificate))
    service = Secured(them.credentials, Trust.read(ca, organisation="29189668"))
    return Sides(certificates.ca, us, them, Security(us.credentials, trust), Security(us.credentials, pinned), service)


@pytest.fixture
def connect():
    sessions = []

    def soap(url, security=None):
        sessions.append(Session("peer", HttpSettings(url=url), passed=(500,)))
        codes = Codes(faults={}, status="Status", passed=frozenset({"20"}))
        return Soap(sessions[-1], WSDL, url=url, system="peer", codes=codes, security=security)

    yield soap
    for session in sessions:
        session.close()


class Program:
    """A peer's program that serves until its standard input is closed."""

    def __init__(self, *command: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )

    def line(self) -> str:
        """The next line it prints."""
        return self.process.stdout.readline().decode().strip()

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def wss4j(tmp_path_factory, sides):
    """The URL of a service whose security is WSS4J's."""
    folder, path = tmp_path_factory.mktemp("java"), ":".join(map(str, PEERS.JARS))
    subprocess.run(["javac", "-d", folder, "-cp", path, HERE / "Wss4jPeer.java"], check=True)
    arguments = (str(sides.ca), str(sides.them.given.p12), sides.them.given.password)
    program = Program("java", "-cp", f"{folder}:{path}", "Wss4jPeer", *arguments)
    yield f"http://127.0.0.1:{program.line()}"
    program.stop()


@pytest.fixture(scope="session")
def php():
    """The URL of PHP's SoapServer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = Program("php", "-S", f"127.0.0.1:{port}", str(HERE / "service.php"), SAMSPIL_WSDL=str(WSDL))
    while program.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/s"
    program.stop()


@pytest.fixture(scope="session")
def node(sides):
    """Runs ``peer.cjs``: ``node("serve", …)`` gives a program, ``node.told("call", …)`` what it tells."""
    return Node(sides)


class Node:
    """node-soap with its modules."""

    def __init__(self, sides: Sides) -> None:
        self.environment = {"NODE_PATH": str(PEERS.NODE_MODULES), "SAMSPIL_THEIRS": str(sides.them.certificate)}

    def serve(self, certificate: Path) -> Program:
        return Program("node", str(HERE / "peer.cjs"), "serve", str(WSDL), str(certificate), **self.environment)

    def told(self, *arguments: object) -> dict:
        """What one run of it tells."""
        command = ["node", str(HERE / "peer.cjs"), *map(str, arguments)]
        run = subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, check=False)
        assert 0 == run.returncode, run.stderr.decode()
        return json.loads(run.stdout)
