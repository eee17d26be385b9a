"""Implementations by others that ``tests/interop`` speaks with: which are here, and how to get the others.

``python tools/peers.py`` prints what is missing and the lines that install it; ``--install`` runs them (as root, on
Debian). ``make test`` leaves out what is not here and says so by name.
"""  # noqa: INP001 - a script beside the packages, not one of them

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
NODE_MODULES = ROOT / "build" / "peers" / "node_modules"
JARS = [
    Path("/usr/share/java", f"{name}.jar")
    for name in ("wss4j", "xmlsec", "commons-logging", "commons-codec", "slf4j-api", "slf4j-nop", "xercesImpl")
]


PROGRAMS = {"default-jdk-headless": "javac", "nodejs": "node", "npm": "npm"}  # not Debian's, if one is here already


class Peer(NamedTuple):
    """One implementation: the programs and files it takes, and the packages they are in."""

    name: str
    programs: tuple[str, ...]
    files: tuple[Path, ...] = ()
    apt: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """Whether it can be used. PHP without its SOAP extension cannot."""
        if not all(shutil.which(program) for program in self.programs) or not all(file.exists() for file in self.files):
            return False
        return self.programs != ("php",) or b"soap" in _run(["php", "-m"])


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "WSS4J",
            ("java", "javac"),
            tuple(JARS),
            apt=("default-jdk-headless", "libwss4j-java", "libxml-security-java", "libslf4j-java"),
        ),
        Peer("xmlsec1", ("xmlsec1",), apt=("xmlsec1",)),
        Peer("PHP SoapServer", ("php",), apt=("php-cli", "php-soap")),
        Peer("node-soap", ("node", "npm"), (NODE_MODULES / "soap",), apt=("nodejs", "npm"), npm=("soap@1.13.0",)),
    )
}


def missing() -> list[Peer]:
    """What is not here."""
    return [peer for peer in PEERS.values() if not peer.here]


def commands(peers: list[Peer]) -> list[list[str]]:
    """What installs them, apt's packages in one go; a package is left out if its programs are here already."""
    packages = [one for peer in peers for one in peer.apt if one not in PROGRAMS or not shutil.which(PROGRAMS[one])]
    modules = [module for peer in peers for module in peer.npm]
    found = []
    if packages:
        found.append(["apt-get", "update", "-q"])
        found.append(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages])
    if modules:
        found.append(["npm", "install", "--no-audit", "--no-fund", "--prefix", "build/peers", *modules])
    return found


def main() -> int:
    """Print or install what is missing."""
    wanted = missing()
    for command in commands(wanted):
        print(" ".join(command))
        if "--install" in sys.argv[1:]:
            subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603  # our own lines
    left = missing() if "--install" in sys.argv[1:] else wanted
    for peer in PEERS.values():
        print(f"{peer.name}: {'missing' if peer in left else 'here'}")
    return 1 if left else 0


def _run(command: list[str]) -> bytes:
    return subprocess.run(command, capture_output=True, check=False).stdout  # noqa: S603  # our own lines


if __name__ == "__main__":
    sys.exit(main())
