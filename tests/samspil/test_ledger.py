import pytest
from sqlalchemy import text

from samspil.errors import SamspilError
from samspil.ledger import Entry, Ledger, batches, verify
from samspil.vault import Vault

SIGNER = Vault(bytes(32), "730").signer()


def entry(n):
    return Entry(bytes([n] * 16), bytes([n] * 16), n, 1, 1).pack()


@pytest.fixture
def written(store):
    ledger = Ledger("730", SIGNER)
    for batch in range(3):
        with store.transaction() as connection:
            ledger.append(connection, {"what": "write", "batch": batch}, [entry(batch * 10 + n) for n in range(4)])
    return store


def test_an_untouched_ledger_verifies(written):
    with written.transaction() as connection:
        assert verify(connection, "730", SIGNER.public_key()) == 12


def test_entries_come_back_as_they_were_written(written):
    with written.transaction() as connection:
        first = next(batches(connection, "730"))
    assert [unpacked.pack() for unpacked in first.unpack()] == [entry(n) for n in range(4)]


def test_a_batch_stands_or_falls_with_the_callers_transaction(written):
    def fail_after_appending():
        with written.transaction() as connection:
            Ledger("730", SIGNER).append(connection, {}, [entry(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_appending()
    with written.transaction() as connection:
        assert verify(connection, "730", SIGNER.public_key()) == 12


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE ledger SET entries = :other WHERE seq = 2",
        "UPDATE ledger SET context = :other WHERE seq = 2",
        "UPDATE ledger SET head = :other WHERE seq = 2",
        "UPDATE ledger SET signature = :other WHERE seq = 2",
        "DELETE FROM ledger WHERE seq = 2 OR :other IS NULL",
        "DELETE FROM ledger WHERE seq = 1 OR :other IS NULL",
        "UPDATE ledger SET seq = seq + 10 WHERE seq = 3 OR :other IS NULL",
    ],
)
def test_a_changed_removed_or_moved_batch_is_found(written, harm):
    with written.transaction() as connection:
        connection.execute(text(harm).bindparams(other=entry(99) * 4))
    with written.transaction() as connection, pytest.raises(SamspilError) as caught:
        verify(connection, "730", SIGNER.public_key())
    assert caught.value.reason == "ledger-broken"


def test_entries_swapped_within_a_batch_are_found(written):
    with written.transaction() as connection:
        entries = next(batches(connection, "730")).entries
        swapped = entries[42:84] + entries[:42] + entries[84:]
        connection.execute(text("UPDATE ledger SET entries = :swapped WHERE seq = 1").bindparams(swapped=swapped))
    with written.transaction() as connection, pytest.raises(SamspilError):
        verify(connection, "730", SIGNER.public_key())


def test_another_key_does_not_verify(written):
    with written.transaction() as connection, pytest.raises(SamspilError):
        verify(connection, "730", Vault(bytes(32), "751").signer().public_key())
