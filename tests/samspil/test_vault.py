import base64
import subprocess
import sys

import pytest

from samspil.errors import SamspilError, SettingsError
from samspil.vault import Vault

MASTER = bytes(range(32))


def test_what_is_sealed_opens_for_the_same_row():
    box = Vault(MASTER, "730").box("outbox")
    assert box.open(box.seal(b"noter", b"row 1"), b"row 1") == b"noter"


def test_sealing_twice_gives_different_bytes():
    box = Vault(MASTER, "730").box("outbox")
    assert box.seal(b"noter", b"row") != box.seal(b"noter", b"row")


def test_no_nonce_is_used_twice_however_many_are_sealed():
    box = Vault(MASTER, "730").box("outbox")
    assert len({box.seal(b"", b"row")[1:13] for _ in range(3000)}) == 3000


def test_a_forked_process_uses_none_of_the_nonces_its_parent_fetched():
    script = """
import os
from samspil.vault import Vault
box = Vault(bytes(range(32)), "730").box("outbox")
box.seal(b"", b"row")
if os.fork():
    os.wait()
print(box.seal(b"", b"row")[1:13].hex(), flush=True)
"""
    nonces = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert (len(nonces), len(set(nonces))) == (2, 2)


@pytest.mark.parametrize(
    ("municipality", "name", "row", "master"),
    [
        ("730", "outbox", b"row 2", MASTER),
        ("730", "other", b"row 1", MASTER),
        ("751", "outbox", b"row 1", MASTER),
        ("730", "outbox", b"row 1", bytes(32)),
    ],
)
def test_a_payload_moved_to_another_row_table_municipality_or_key_does_not_open(municipality, name, row, master):
    sealed = Vault(MASTER, "730").box("outbox").seal(b"noter", b"row 1")
    with pytest.raises(SamspilError) as caught:
        Vault(master, municipality).box(name).open(sealed, row)
    assert caught.value.reason == "sealed-payload"


@pytest.mark.parametrize("at", [0, 1, 13, -1])
def test_a_changed_byte_is_found(at):
    box = Vault(MASTER, "730").box("outbox")
    sealed = bytearray(box.seal(b"noter", b"row"))
    sealed[at] ^= 1
    with pytest.raises(SamspilError, match="stored payload"):
        box.open(bytes(sealed), b"row")


def test_digests_need_the_key_and_differ_by_purpose_and_municipality():
    digest = Vault(MASTER, "730").digest("person")
    assert digest(b"x") == Vault(MASTER, "730").digest("person")(b"x")
    others = [
        Vault(MASTER, "730").digest("key"),
        Vault(MASTER, "751").digest("person"),
        Vault(bytes(32), "730").digest("person"),
    ]
    assert digest(b"x") not in [other(b"x") for other in others]
    assert len(digest(b"x")) == 16


def test_the_key_may_come_from_a_file(monkeypatch, tmp_path):
    file = tmp_path / "key"
    file.write_text(base64.b64encode(MASTER).decode() + "\n")
    monkeypatch.delenv("SAMSPIL_KEY", raising=False)
    monkeypatch.setenv("SAMSPIL_KEY_FILE", str(file))
    assert Vault.from_environment("730").key("x") == Vault(MASTER, "730").key("x")


@pytest.mark.parametrize("value", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_a_missing_or_wrong_key_stops_without_showing_it(monkeypatch, value):
    monkeypatch.setenv("SAMSPIL_KEY", value)
    monkeypatch.delenv("SAMSPIL_KEY_FILE", raising=False)
    with pytest.raises(SettingsError) as caught:
        Vault.from_environment("730")
    assert "SAMSPIL_KEY" in str(caught.value)
    assert not value or value not in str(caught.value)
