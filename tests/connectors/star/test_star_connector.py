"""The connector to STAR against its sandbox: who gets in, and what comes of a change."""

import inspect
import logging
import shutil
import uuid
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from connectors.star.connector import Star
from connectors.star.faults import FAULTS
from connectors.star.sandbox import StarSandbox
from samspil.connector import Change, Receipt
from samspil.errors import AccessError, Refused, SettingsError, Unavailable
from samspil.testing.certificates import Certificates
from samspil.testing.world import World

RANDERS, AARHUS = "730", "751"


@pytest.fixture(scope="module")
def served():
    with StarSandbox(World(RANDERS, citizens=5), World(AARHUS, citizens=5)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served):
    """The sandbox, empty and faultless."""
    served.faults.clear()
    served.register.held.clear()
    served.calls.clear()
    return served


@pytest.fixture
def connect(sandbox):
    """Connectors to the sandbox, with settings changed; closed afterwards."""
    made = []

    def make(municipality=RANDERS, **changed):
        account = sandbox.account_of(municipality)
        made.append(Star(replace(account, extra=account.extra | {"attempts": 1} | changed)))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


@pytest.fixture
def star(connect):
    return connect()


@pytest.fixture
def record(sandbox):
    """Makes records of an activity of one of Randers' citizens."""
    cpr = sandbox.world.records("person")[0]["cpr"]

    def make(**changed):
        fields = {
            "ExternalIdentifier": "AKT1",
            "PersonCivilRegistrationIdentifier": cpr,
            "ActivationTypeIdentifier": {"CodeListItemIdentifier": "30"},
            "ActivityTitle": "Praktik på Café Åstedet",
            "ProductionUnitIdentifier": "1003730001",
            "StartDate": "2026-01-05",
            "EndDate": "2026-06-30",
            "HoursPerWeek": "7.4",
            "CaseWorkerName": "Søs Kjær",
        }
        return {name: value for name, value in (fields | changed).items() if value is not None}

    return make


def put(record, their_id=None, key=None):
    return Change.of("put", record, their_id, key or str(uuid.uuid4()))


def delete(record, their_id, key=None):
    return Change.of("delete", record, their_id, key or str(uuid.uuid4()))


def write_one(star, change):
    (receipt,) = star.write("activity", [change])
    return receipt


def error_of(function, *arguments):
    with pytest.raises((AccessError, Unavailable, SettingsError)) as caught:
        function(*arguments)
    return type(caught.value), caught.value.reason


def test_check_gets_in_and_changes_nothing(star, sandbox):
    star.check()

    assert (["POST /Activity"], {}) == (sandbox.calls, sandbox.held("activity"))


def test_a_pem_certificate_does_as_well(connect, sandbox):
    connect(certificate=sandbox.account_of(RANDERS).extra["certificate"].replace(".p12", ".pem")).check()


def test_without_a_certificate_nobody_gets_in(connect):
    assert error_of(connect(certificate="").check) == (AccessError, "certificate-missing")


def test_a_certificate_of_another_organisation_has_no_permission(connect, sandbox):
    others = connect(certificate=sandbox.account_of(AARHUS).extra["certificate"])

    assert error_of(others.check) == (AccessError, "no-permission")


def test_an_organisation_that_star_does_not_know_cannot_log_on(connect):
    assert error_of(connect(organisation_code="10101").check) == (AccessError, "logon-failed")


def test_an_expired_certificate_is_told_before_any_call(connect, sandbox):
    expired = sandbox.certificates.client("29189668", "Randers Kommune", expired=True)

    assert error_of(connect(certificate=str(expired.p12)).check) == (AccessError, "certificate-expired")
    assert error_of(connect(certificate=str(expired.pem)).check) == (AccessError, "certificate-expired")
    assert sandbox.calls == []


def test_a_server_of_another_chain_is_not_trusted(connect, sandbox, tmp_path):
    stranger = connect(ca=str(Certificates(tmp_path).ca))

    assert error_of(stranger.check) == (AccessError, "server-certificate")


def test_a_wrong_password_of_the_certificate_is_a_setting(connect):
    assert error_of(connect(certificate_password="forkert").check) == (SettingsError, "settings")


def test_a_system_that_is_down_is_unavailable():
    sandbox = StarSandbox(World(RANDERS, citizens=5))
    star = Star(sandbox.start())
    sandbox.stop()

    assert error_of(star.check) == (Unavailable, "not-reached")
    star.close()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("organisation_code", "730"), ("authority_code", "-2"), ("authority_code", "123456789"), ("certificat", "x")],
)
def test_a_wrong_setting_fails_before_any_call(connect, sandbox, setting, value):
    with pytest.raises(SettingsError) as caught:
        connect(**{setting: value})

    assert sandbox.calls == []
    assert value == "x" or value not in str(caught.value)


def test_an_activity_is_created_changed_and_deleted(star, sandbox, record):
    created = write_one(star, put(record()))
    updated = write_one(star, put(record(HoursPerWeek="12", EndDate=None), created.their_id))

    assert created.their_id == updated.their_id
    assert created.reference != updated.reference
    assert sandbox.held("activity") == {"AKT1": record(HoursPerWeek="12", EndDate=None) | {"AuthorityCode": RANDERS}}
    assert write_one(star, delete(record(), created.their_id)).refused is None
    assert sandbox.held("activity") == {}


def test_what_is_read_back_is_what_was_sent(star, record):
    sent = record(ActivityTitle="Løn < 100 & 'æøå' € \N{SNOWMAN}", HoursPerWeek="7.40")

    receipt = write_one(star, put(sent))

    assert sent == star.fetch("activity", receipt.their_id)
    assert star.fetch("activity", str(uuid.uuid4())) is None
    assert star.fetch("activity", "no such thing") is None


def test_each_organisation_has_its_own_activities(connect, record, sandbox):
    receipt = write_one(connect(), put(record()))

    assert error_of(connect(AARHUS).fetch, "activity", receipt.their_id) == (AccessError, "no-access")
    assert write_one(connect(AARHUS), put(record())).their_id != receipt.their_id


def test_one_refused_record_holds_back_no_other(star, sandbox, record):
    batch = [
        put(record()),
        put(record(ExternalIdentifier="AKT2", PersonCivilRegistrationIdentifier="0000000000")),
        put(record(ExternalIdentifier="AKT3")),
    ]

    receipts = star.write("activity", batch)

    assert [None, "unknown-cpr", None] == [receipt.refused and receipt.refused.reason for receipt in receipts]
    assert ["AKT1", "AKT3"] == sorted(sandbox.held("activity"))


@pytest.mark.parametrize(
    ("changed", "reason", "field"),
    [
        ({"PersonCivilRegistrationIdentifier": "0000000000"}, "unknown-cpr", "PersonCivilRegistrationIdentifier"),
        ({"PersonCivilRegistrationIdentifier": "3213371234"}, "bad-format", "PersonCivilRegistrationIdentifier"),
        ({"ActivityTitle": "<b>Praktik</b>"}, "html-not-allowed", ""),
        ({"ActivityTitle": "Praktik\x00"}, "bad-character", "ActivityTitle"),
        ({"HoursPerWeek": "60"}, "out-of-range", "HoursPerWeek"),
        ({"StartDate": None}, "missing-field", "StartDate"),
        ({"StartDate": "2026-02-30"}, "bad-date", "StartDate"),
        ({"EndDate": "2026-01-04"}, "invalid-message", ""),
        ({"ActivationTypeIdentifier": {"CodeListItemIdentifier": "99"}}, "unknown-code", ""),
        ({"ActivationTypeIdentifier": {"CodeListItemIdentifier": "35"}}, "expired-code", ""),
        ({"Unknown": "x"}, "unknown-field", "Unknown"),
    ],
)
def test_a_record_that_cannot_pass_is_refused_with_reason_and_field(star, sandbox, record, changed, reason, field):
    refused = write_one(star, put(record(**changed))).refused

    assert (reason, field) == (refused.reason, refused.field)
    assert not any(isinstance(value, str) and value in str(refused) for value in changed.values())
    assert sandbox.held("activity") == {}


@pytest.mark.parametrize("code", sorted(FAULTS))
@pytest.mark.parametrize("status", [200, 500])
def test_each_fault_is_the_error_by_which_something_can_be_done(star, sandbox, record, code, status):
    sandbox.faults.add(f"fault:{code}")
    if status == 200:
        sandbox.faults.add("fault-with-200")
    fault = FAULTS[code]
    change = put(record(), str(uuid.uuid4()))  # an update, so that 1015 is not looked into

    if fault.kind == "record":
        assert fault.reason == write_one(star, change).refused.reason
    else:
        kind = AccessError if fault.kind == "access" else Unavailable
        assert (kind, fault.reason) == error_of(star.write, "activity", [change])


def test_the_table_of_faults_says_what_the_real_ones_mean():
    kinds = {kind: {code for code, fault in FAULTS.items() if fault.kind == kind} for kind in ("busy", "access")}

    assert kinds == {"busy": {1011}, "access": {1012, 1013, 1101, 4922, 8232, 8233, 8234, 8235}}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("truncate", "answer-truncated"),
        ("garbage", "xml-malformed"),
        ("lost-answer", "closed"),
        ("status:500", "xml-malformed"),
        ("status:503", "status-503"),
    ],
)
def test_half_an_answer_is_no_answer(star, sandbox, record, fault, reason):
    sandbox.faults.add(fault)

    assert (Unavailable, reason) == error_of(star.write, "activity", [put(record())])


def test_a_server_that_does_not_answer_in_time_is_unavailable(connect, sandbox):
    sandbox.faults.add("timeout")

    assert error_of(connect(timeout=0.2).check) == (Unavailable, "timeout")


def test_no_error_and_no_log_shows_the_person(star, sandbox, record, caplog):
    caplog.set_level(logging.DEBUG)
    cpr = record()["PersonCivilRegistrationIdentifier"]
    sandbox.faults.add("fault:1013")

    with pytest.raises(AccessError) as caught:
        star.write("activity", [put(record())])
    refused = write_one(star, put(record(ActivityTitle="<i>Praktik</i>"))).refused

    assert not [text for text in (str(caught.value), str(refused), caplog.text) if cpr in text or "Praktik" in text]


def test_fields_are_those_of_the_record_and_not_the_accounts():
    fields = Star.fields("activity")

    assert fields["ActivationTypeIdentifier.CodeListItemIdentifier"].required
    assert not fields["EndDate"].required
    assert "AuthorityCode" not in fields


def test_the_readme_names_every_setting_and_every_fault():
    readme = Path(inspect.getfile(Star)).with_name("README.md").read_text(encoding="utf-8")
    own = {field.name for field in msgspec.structs.fields(Star.Settings)} - {"url"}

    assert not [name for name in own if f"`{name}`" not in readme]
    assert not [code for code in FAULTS if str(code) not in readme]


def test_receipts_come_one_per_change_and_in_order(star, record):
    changes = [put(record(ExternalIdentifier=f"AKT{number}")) for number in range(3)]

    receipts = star.write("activity", changes)

    assert [change.record for change in changes] == [star.fetch("activity", receipt.their_id) for receipt in receipts]
    assert all(isinstance(receipt, Receipt) and isinstance(receipt.refused, Refused | None) for receipt in receipts)


def test_an_installation_may_bring_its_own_wsdl(connect, record, tmp_path):
    shutil.copytree(Path(inspect.getfile(Star)).parent, tmp_path, dirs_exist_ok=True)
    own = connect(wsdl=str(tmp_path / "star.wsdl"))

    receipt = write_one(own, put(record()))

    assert record() == own.fetch("activity", receipt.their_id)


def test_a_wsdl_that_is_not_there_is_a_setting(connect, tmp_path):
    assert error_of(connect(wsdl=str(tmp_path / "none.wsdl")).check) == (SettingsError, "settings")
