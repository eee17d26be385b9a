"""How to get the implementations that tests/interop speaks with."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def peers():
    spec = importlib.util.spec_from_file_location("samspil_peers", ROOT / "tools" / "peers.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def test_every_peer_says_how_to_get_it(peers):
    for peer in peers.PEERS.values():
        assert [] != peers.commands([peer])


def test_debian_s_packages_come_in_one_go_and_without_recommended_ones(peers, monkeypatch):
    monkeypatch.setattr(peers.shutil, "which", lambda _program: None)
    update, install, npm = peers.commands(peers.missing())
    assert (["apt-get", "update", "-q"], "npm") == (update, npm[0])
    assert {"--no-install-recommends", "libwss4j-java", "xmlsec1", "php-soap", "default-jdk-headless"} <= set(install)


def test_what_is_here_already_is_not_installed_again(peers, monkeypatch):
    monkeypatch.setattr(peers.shutil, "which", lambda program: f"/usr/bin/{program}")
    apt = peers.commands(list(peers.PEERS.values()))[1]
    assert {"default-jdk-headless", "nodejs", "npm"}.isdisjoint(apt)
