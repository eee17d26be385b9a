"""A pseudonym is HMAC-SHA-256 under a key of the recipient, and of nobody else."""

import hmac

import pytest

from samspil.pseudonym import DIGITS, pseudonyms
from samspil.store import Store
from samspil.testing.world import World
from samspil.vault import Vault

MASTER = bytes(range(32))


@pytest.fixture(scope="module")
def numbers() -> list[str]:
    return [person["cpr"] for person in World("760", citizens=50).records("person")]


@pytest.fixture
def vault(tmp_path):
    """Makes unlocked vaults, each on a store of its own."""
    stores = []

    def make(master=MASTER, municipality="760"):
        stores.append(Store(f"sqlite:///{tmp_path / str(len(stores))}.db"))
        made = Vault(master, municipality)
        made.unlock(stores[-1])
        return made

    yield make
    for store in stores:
        store.close()


def test_it_is_hmac_sha_256_under_the_recipients_key(numbers, vault):
    of = vault()
    key = of.key("pseudonym/vive/1")
    expected = [hmac.digest(key, number.encode(), "sha256").hex()[:DIGITS] for number in numbers]
    assert list(map(pseudonyms(of, "vive", 1), numbers)) == expected


def test_recipients_versions_municipalities_and_masters_have_nothing_in_common(numbers, vault):
    of = vault()
    ways = [
        pseudonyms(of, "vive", 1),
        pseudonyms(of, "vive", 2),
        pseudonyms(of, "dst", 1),
        pseudonyms(vault(municipality="730"), "vive", 1),
        pseudonyms(vault(MASTER[::-1]), "vive", 1),
    ]
    found = {way(number) for way in ways for number in numbers}
    assert len(found) == len(ways) * len(numbers)


def test_it_says_nothing_of_the_number(numbers, vault):
    pseudonym = pseudonyms(vault(), "vive", 1)
    for number in numbers:
        assert pseudonym(number) == pseudonym(number)
        assert number not in pseudonym(number)
        assert len(pseudonym(number)) == DIGITS
