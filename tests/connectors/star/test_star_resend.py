"""A change sent again: STAR answers 412 to a request id it has seen, and nothing is lost or doubled."""

import uuid

import pytest
from msgspec.structs import replace

from connectors.star.connector import ATTEMPTS, Star
from connectors.star.sandbox import LONGEST_ID, StarSandbox
from samspil.connector import Change, Receipt
from samspil.errors import Unavailable
from samspil.testing.world import World


@pytest.fixture(scope="module")
def served():
    with StarSandbox(World("730", citizens=5)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served):
    served.faults.clear()
    served.register.held.clear()
    served.calls.clear()
    return served


@pytest.fixture
def star(sandbox):
    account = sandbox.account
    connector = Star(replace(account, extra=account.extra | {"attempts": 1}))
    yield connector
    connector.close()


@pytest.fixture
def record(sandbox):
    return {
        "ExternalIdentifier": "AKT1",
        "PersonCivilRegistrationIdentifier": sandbox.world.records("person")[0]["cpr"],
        "ActivationTypeIdentifier": {"CodeListItemIdentifier": "30"},
        "ActivityTitle": "Praktik på  Café Åstedet",
        "ProductionUnitIdentifier": "1003730001",
        "StartDate": "2026-01-05",
        "HoursPerWeek": "7.40",
    }


def change(action, record, their_id=None):
    return Change.of(action, record, their_id, str(uuid.uuid4()))


def receipt_of(star, sent):
    (receipt,) = star.write("activity", [sent])
    return receipt


def lose(star, sandbox, sent, fault="lost-answer"):
    """Send a change whose answer never comes."""
    sandbox.faults.add(fault)
    with pytest.raises(Unavailable):
        star.write("activity", [sent])


def registered(sandbox):
    """STAR's own receipts of what it holds."""
    return [
        Receipt(held.registered["ActivityIdentifier"], held.registered["ServiceCallReferenceIdentifier"])
        for held in sandbox.register.held.values()
    ]


@pytest.mark.parametrize("fault", ["lost-answer", "truncate"])
def test_a_create_whose_answer_was_lost_gets_the_receipt_it_had(star, sandbox, record, fault):
    sent = change("put", record)
    lose(star, sandbox, sent, fault)

    receipt = receipt_of(star, sent)

    assert registered(sandbox) == [receipt]


def test_an_update_whose_answer_was_lost_gets_the_receipt_it_had(star, sandbox, record):
    created = receipt_of(star, change("put", record))
    sent = change("put", record | {"HoursPerWeek": "12"}, created.their_id)
    lose(star, sandbox, sent)

    receipt = receipt_of(star, sent)

    assert registered(sandbox) == [receipt]
    assert receipt.reference != created.reference


def test_a_delete_whose_answer_was_lost_is_done(star, sandbox, record):
    created = receipt_of(star, change("put", record))
    sent = change("delete", record, created.their_id)
    lose(star, sandbox, sent)

    assert receipt_of(star, sent) == Receipt(created.their_id)
    assert sandbox.held("activity") == {}


@pytest.mark.parametrize("times", [1, 3])
def test_an_internal_error_is_sent_again_with_a_new_id(star, sandbox, record, times):
    sent = change("put", record)
    for _ in range(times):
        lose(star, sandbox, sent, "fault:1011")

    receipt = receipt_of(star, sent)

    assert registered(sandbox) == [receipt]


def test_an_update_that_failed_inside_star_is_made_in_the_end(star, sandbox, record):
    created = receipt_of(star, change("put", record))
    sent = change("put", record | {"HoursPerWeek": "12"}, created.their_id)
    lose(star, sandbox, sent, "fault:1011")

    receipt = receipt_of(star, sent)

    assert registered(sandbox) == [receipt]
    assert sandbox.held("activity")["AKT1"]["HoursPerWeek"] == "12"


def test_a_delete_that_failed_inside_star_is_made_in_the_end(star, sandbox, record):
    created = receipt_of(star, change("put", record))
    sent = change("delete", record, created.their_id)
    lose(star, sandbox, sent, "fault:1011")

    assert receipt_of(star, sent).refused is None
    assert sandbox.held("activity") == {}


def test_an_update_of_a_create_that_was_never_acknowledged_updates(star, sandbox, record):
    """The create took effect unseen, then the record changed, so it comes as another change without STAR's id."""
    lose(star, sandbox, change("put", record))
    newer = change("put", record | {"HoursPerWeek": "12"})

    receipt = receipt_of(star, newer)

    assert registered(sandbox) == [receipt]
    assert sandbox.held("activity")["AKT1"]["HoursPerWeek"] == "12"
    assert receipt_of(star, newer) == receipt


def test_a_delete_of_a_create_that_was_never_acknowledged_deletes(star, sandbox, record):
    lose(star, sandbox, change("put", record))

    assert receipt_of(star, change("delete", record)).refused is None
    assert sandbox.held("activity") == {}


def test_a_delete_of_what_never_came_to_be_is_done(star, record):
    assert receipt_of(star, change("delete", record)) == Receipt()


def test_a_batch_that_broke_off_is_sent_again_whole(star, sandbox, record):
    batch = [change("put", record | {"ExternalIdentifier": f"AKT{number}"}) for number in range(5)]
    sandbox.faults.add("lost-answer", after=2)
    with pytest.raises(Unavailable):
        star.write("activity", batch)

    receipts = star.write("activity", batch)

    assert sorted(registered(sandbox)) == sorted(receipts)
    assert receipts == star.write("activity", batch)


def test_a_refused_change_is_refused_again(star, sandbox, record):
    sent = change("put", record | {"PersonCivilRegistrationIdentifier": "0000000000"})

    assert ["unknown-cpr"] * 3 == [receipt_of(star, sent).refused.reason for _ in range(3)]


def test_a_short_trouble_is_mended_within_the_call(sandbox, record):
    star = Star(sandbox.account)
    sandbox.faults.add("lost-answer")

    assert [receipt_of(star, change("put", record))] == registered(sandbox)
    star.close()


def test_a_read_is_tried_again_with_an_id_of_its_own(sandbox):
    star = Star(sandbox.account)
    sandbox.faults.add("lost-answer")

    star.check()

    assert sandbox.calls == ["POST /Activity"] * 2
    star.close()


def test_an_answer_412_to_everything_is_not_held_against_the_record(star, sandbox, record):
    sandbox.faults.add("status:412", times=2)

    with pytest.raises(Unavailable) as caught:
        star.write("activity", [change("put", record)])

    assert caught.value.reason == "status-412"


def test_ids_are_short_enough_and_do_not_go_on_for_ever(star, sandbox, record):
    sent = change("put", record)
    used = [sent.idempotency_key, *(f"{sent.idempotency_key}-{attempt}" for attempt in range(1, ATTEMPTS))]
    sandbox.request_ids["73001"].update(used)

    with pytest.raises(Unavailable) as caught:
        star.write("activity", [sent])

    assert caught.value.reason == "request-ids-used"
    assert max(map(len, used)) <= LONGEST_ID
