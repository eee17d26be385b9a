"""The register of consents, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from samspil.store import consents, erasure, runs
from samspil.store.consents import GIVEN, NEVER, WITHDRAWN

ONE, OTHER = b"1" * 16, b"2" * 16


def test_a_consent_given_and_taken_back_is_withdrawn_and_one_never_given_is_not(store):
    states = []
    for one, other in ((True, False), (False, False), (False, False), (True, True)):
        with store.transaction() as connection:
            consents.learn(connection, 1, [(ONE, ONE, one), (OTHER, OTHER, other)])
            states.append([row.state for row in sorted(consents.find(connection, [1], [ONE], [ONE, OTHER]))])
    assert states == [[GIVEN, NEVER], [WITHDRAWN, NEVER], [WITHDRAWN, NEVER], [GIVEN, GIVEN]]


def test_a_batch_finds_the_consents_of_its_records_and_persons_and_no_others(store):
    with store.transaction() as connection:
        rows = [(bytes([n]) * 16, bytes([n % 3]) * 16, n > 1) for n in range(9)]
        consents.learn(connection, 1, rows)
        consents.learn(connection, 2, rows)
        found = consents.find(connection, [1], [rows[4][0]], [rows[2][1]])
        assert not consents.find(connection, [1], [b"9" * 16], [b"8" * 16])
    assert sorted(found) == sorted((subject, person, GIVEN) for n in (2, 4, 5, 8) for subject, person, _ in [rows[n]])


def test_what_did_not_change_is_not_looked_at_again_and_a_change_has_the_source_read_as_a_whole(store):
    with store.transaction() as connection:
        flow = runs.flow_id(connection, "760", "notes")
        carrier = runs.flow_id(connection, "760", "orders")
        looked = []
        for given in (True, True, False):
            consents.learn(connection, carrier, [(ONE, ONE, given)])
            connection.execute(text("UPDATE flows SET cursor = 'here'"))
            again = consents.look_again(connection, flow, [carrier], held=True)
            cursors = dict(connection.execute(text("SELECT name, cursor FROM flows")).all())
            looked.append((again, cursors["notes"], cursors["orders"]))
    assert looked == [(True, None, "here"), (False, "here", "here"), (True, None, "here")]


@pytest.mark.parametrize(("keep_out", "left"), [(False, []), (True, [WITHDRAWN])])
def test_erasing_forgets_every_consent_and_retention_remembers_one_that_was_withdrawn(store, keep_out, left):
    with store.transaction() as connection:
        for one in (True, False):
            consents.learn(connection, 1, [(ONE, ONE, one), (OTHER, ONE, True)])
        erasure.choose(connection, [1], [ONE])
        erasure.destroy(connection, [1], keep_out=keep_out)
        assert [row.state for row in consents.find(connection, [1], [ONE, OTHER], [ONE])] == left


def test_erasing_takes_the_number_from_before_out_as_well(store):
    with store.transaction() as connection:
        consents.learn(connection, 1, [(ONE, ONE, True)])
        consents.learn(connection, 1, [(ONE, OTHER, True)])
        read = text("SELECT person, former FROM consents")
        assert [tuple(map(bytes, row)) for row in connection.execute(read)] == [(OTHER, ONE)]
        erasure.choose(connection, [1], [ONE])
        erasure.destroy(connection, [1])
        assert [(bytes(row.person), row.former) for row in connection.execute(read)] == [(OTHER, None)]
