"""A pseudonym is HMAC-SHA-256 under a key of the recipient, and of nobody else."""

import hmac

import pytest

from samspil.pseudonym import DIGITS, pseudonyms
from samspil.testing.world import World
from samspil.vault import Vault

MASTER = bytes(range(32))


@pytest.fixture(scope="module")
def numbers() -> list[str]:
    return [person["cpr"] for person in World("760", citizens=50).records("person")]


def test_it_is_hmac_sha_256_under_the_recipients_key(numbers):
    key = Vault(MASTER, "760").key("pseudonym/vive/1")
    expected = [hmac.digest(key, number.encode(), "sha256").hex()[:DIGITS] for number in numbers]
    assert list(map(pseudonyms(Vault(MASTER, "760"), "vive", 1), numbers)) == expected


def test_recipients_versions_municipalities_and_masters_have_nothing_in_common(numbers):
    ways = [
        pseudonyms(Vault(MASTER, "760"), "vive", 1),
        pseudonyms(Vault(MASTER, "760"), "vive", 2),
        pseudonyms(Vault(MASTER, "760"), "dst", 1),
        pseudonyms(Vault(MASTER, "730"), "vive", 1),
        pseudonyms(Vault(MASTER[::-1], "760"), "vive", 1),
    ]
    found = {way(number) for way in ways for number in numbers}
    assert len(found) == len(ways) * len(numbers)


def test_it_says_nothing_of_the_number(numbers):
    pseudonym = pseudonyms(Vault(MASTER, "760"), "vive", 1)
    for number in numbers:
        assert pseudonym(number) == pseudonym(number)
        assert number not in pseudonym(number)
        assert len(pseudonym(number)) == DIGITS
