import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text

from samspil.errors import SamspilError, SettingsError
from samspil.ledger import Ledger
from samspil.store import Store
from samspil.vault import Box, Master, Persons, Vault

MASTER = bytes(range(32))
OTHER = bytes(32)


@pytest.fixture
def box():
    return Box(AESGCM(MASTER), b"730/outbox/")


def test_what_is_sealed_opens_for_the_same_row(box):
    assert b"noter" == box.open(box.seal(b"noter", b"row 1"), b"row 1")


def test_sealing_twice_gives_different_bytes(box):
    assert box.seal(b"noter", b"row") != box.seal(b"noter", b"row")


def test_no_nonce_is_used_twice_however_many_are_sealed(box):
    assert 3000 == len({box.seal(b"", b"row")[1:13] for _ in range(3000)})


def test_a_forked_process_uses_none_of_the_nonces_its_parent_fetched():
    script = """
import os
from samspil.vault.box import nonce
nonce()
if os.fork():
    os.wait()
print(nonce().hex(), flush=True)
"""
    nonces = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert (2, 2) == (len(nonces), len(set(nonces)))


def test_whatever_was_opened_before_a_fork_seals_with_nonces_of_its_own_in_each_process(tmp_path):
    """Payloads, persons' keys and entries of the ledger; in the parent, a child and a child's child."""
    script = """
import os, sys
from samspil.ledger import Ledger
from samspil.ledger.entry import pack
from samspil.store import Store
from samspil.vault import Persons, Vault
store = Store(f"sqlite:///{sys.argv[1]}")
vault = Vault(bytes(range(32)), "730")
vault.unlock(store)
persons, box = Persons(vault), vault.box("outbox/x")
ledger = Ledger("730", vault.signer(), persons)
with store.transaction() as connection:
    persons.fetch(connection, new=[bytes(16)])
cipher = persons.cipher(bytes(16))
box.seal(b"", b"row")  # from here on there are nonces at hand
for _ in range(2):
    if os.fork():
        os.wait()
        break
for _ in range(400):
    print(box.seal(b"", b"row", cipher)[1:13].hex())
    print(pack(ledger.place, [(bytes(16), bytes(16), 1, 1, 1)], [cipher])[0][10:22].hex())
    print(vault.wrap([bytes(32)], "persons", [b"row"])[0][:12].hex(), flush=True)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "store.db")]
    nonces = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert (3 * 1200, 3 * 1200) == (len(nonces), len(set(nonces)))


@pytest.mark.parametrize(
    ("municipality", "name", "row"),
    [("730", "outbox", b"row 2"), ("730", "quarantine", b"row 1"), ("751", "outbox", b"row 1")],
)
def test_a_payload_moved_to_another_row_table_or_municipality_does_not_open(unlocked, municipality, name, row):
    sealed = unlocked("730").box("outbox").seal(b"noter", b"row 1")
    with pytest.raises(SamspilError) as caught:
        unlocked(municipality).box(name).open(sealed, row)
    assert "sealed-payload" == caught.value.reason


@pytest.mark.parametrize(
    ("name", "row"), [(b"730/outbox/", b"row 2"), (b"730/quarantine/", b"row 1"), (b"751/outbox/", b"row 1")]
)
def test_the_place_is_bound_by_the_associated_data_and_not_by_the_key_alone(name, row):
    person = AESGCM(MASTER)
    sealed = Box(AESGCM(OTHER), b"730/outbox/").seal(b"noter", b"row 1", person)
    with pytest.raises(SamspilError, match="does not open"):
        Box(AESGCM(OTHER), name).open(sealed, row, person)


def test_what_a_persons_key_sealed_does_not_open_under_the_municipalitys(box):
    sealed = box.seal(b"noter", b"row", AESGCM(OTHER))
    assert b"noter" == box.open(sealed, b"row", AESGCM(OTHER))
    with pytest.raises(SamspilError, match="does not open"):
        box.open(sealed, b"row")


@pytest.mark.parametrize("at", [0, 1, 13, -1])
def test_a_changed_byte_is_found(box, at):
    sealed = bytearray(box.seal(b"noter", b"row"))
    sealed[at] ^= 1
    with pytest.raises(SamspilError, match="stored payload"):
        box.open(bytes(sealed), b"row")


def test_digests_need_the_key_and_differ_by_purpose_and_municipality(unlocked):
    digest = unlocked("730").digest("person")
    assert digest(b"x") == unlocked("730").digest("person")(b"x")
    others = [unlocked("730").digest("key"), unlocked("751").digest("person")]
    assert digest(b"x") not in [other(b"x") for other in others]
    assert 16 == len(digest(b"x"))


def test_two_stores_have_different_digests_under_the_same_master_key():
    found = []
    for _ in range(2):
        store, vault = Store("sqlite://"), Vault(MASTER, "730")
        vault.unlock(store)
        found.append(vault.digest("person")(b"x"))
        store.close()
    assert found[0] != found[1]


def test_a_wrong_master_key_is_refused_at_once_and_nothing_is_written(store, unlocked):
    unlocked("730")
    with pytest.raises(SettingsError, match="is not the key that the runs in this store were made with"):
        unlocked("730", v1=OTHER)
    with store.transaction() as connection:
        assert 1 == connection.execute(text("SELECT count(*) FROM keys")).scalar()


def test_one_wrong_version_among_several_is_refused(unlocked):
    unlocked("730")
    unlocked("730", v1=MASTER, v2=OTHER)
    with pytest.raises(SettingsError, match="version 2"):
        unlocked("730", v1=MASTER, v2=bytes([7]) * 32)


def test_a_new_master_key_alone_does_not_begin_a_second_set_of_keys(unlocked):
    unlocked("730")
    with pytest.raises(SettingsError, match=r"sealed under version 1 .* version 2 is given; give both"):
        unlocked("730", v2=OTHER)


def test_a_store_that_lost_its_keys_is_refused(store, unlocked):
    vault = unlocked("730")
    with store.transaction() as connection:
        Ledger("730", vault.signer(), Persons(vault)).append(connection, {"what": "read"}, ())
        connection.execute(text("DELETE FROM keys"))
    with pytest.raises(SettingsError, match="restore table keys"):
        unlocked("730")


def test_a_wrapped_root_of_another_municipality_does_not_open(store, unlocked):
    unlocked("730")
    with store.transaction() as connection:
        connection.execute(text("UPDATE keys SET municipality = '751'"))
    with pytest.raises(SettingsError, match="is not the key"):
        unlocked("751")


def test_processes_that_start_at_once_agree_on_one_root(store, unlocked):
    with ThreadPoolExecutor(4) as pool:
        vaults = list(pool.map(lambda _: unlocked("730"), range(8)))
    assert 1 == len({vault.key("x") for vault in vaults})


def test_nothing_is_written_when_only_looking(store):
    vault = Vault(Master({1: MASTER}), "730")
    vault.unlock(store, write=False)
    assert 16 == len(vault.digest("person")(b"x"))
    with store.transaction() as connection:
        assert 0 == connection.execute(text("SELECT count(*) FROM keys")).scalar()
