"""What is recorded between real connectors and their systems, and what comes of it in a replay."""

import base64
import functools
import re
import urllib.parse
import uuid
from pathlib import Path

import msgspec
import pytest

from connectors.journal_rest.connector import JournalRest
from connectors.journal_rest.sandbox import CLIENT, SECRET, JournalRestSandbox
from samspil import mapping, registry
from samspil.connector import Change
from samspil.errors import Refused, SettingsError, Unavailable
from samspil.identifiers import cpr_kind
from samspil.testing.conformance import Subject, Trial
from samspil.testing.conformance.reading import keys_are_there, keys_are_unique, two_reads_give_the_same
from samspil.testing.recording import Recorder, RecordingSandbox, load
from samspil.testing.recording.originals import cprs, synthetic
from samspil.testing.world import World

RULES = Path(__file__).parent


def leaves(value, at=""):
    """Every text of a record, with its path."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from leaves(below, f"{at}.{name}")
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below, at)
    elif isinstance(value, str):
        yield at, value


PERSONAL = re.compile(
    "cpr|given_names|family_name|street|city|author|case_worker|contact_phone|text|summary|purpose|recommendation|"
    "comment|citizens_wish|company_name|company_cvr|id|order_id|case_id|activity_id|title|offer"
)


def personal(recorded):
    """The texts of the facts behind the recording that tell of somebody, taken from the world and not from the wire."""
    for schema in recorded.records:
        for fact in recorded.world.records(schema):
            for path, value in leaves(msgspec.to_builtins(fact)):
                if PERSONAL.fullmatch(path.rpartition(".")[2]) and len(value) > 3:
                    yield value


def forms(value):
    data = value.encode()
    yield data
    yield data.hex().encode()
    yield urllib.parse.quote(value).encode()
    yield msgspec.json.encode(value)[1:-1]
    yield value.encode("unicode_escape")
    for shift in range(3):
        yield base64.b64encode(b"\0" * shift + data)[4 if shift else 0 : -4]


def test_no_person_and_no_secret_of_the_traffic_is_in_the_file(recorded):
    data = recorded.file.read_bytes()
    wanted = {form for value in set(personal(recorded)) for form in forms(value) if len(form) > 7}
    assert len(wanted) > 1000
    # words of the contract that are also a title ("Handleplan") do not occur in what is read of these two
    assert [] == [form for form in wanted if form in data]
    secrets = [CLIENT, SECRET] if recorded.name == "journal_rest" else [recorded.account.password]
    assert [] == [form for secret in secrets for form in forms(secret) if form in data]
    assert b"uthorization" not in data
    pair = base64.b64encode(f"{recorded.account.login}:{recorded.account.password}".encode())
    assert pair not in data


def test_every_cpr_number_in_the_file_is_of_nobody_and_of_none_of_the_persons_recorded(recorded):
    found = set(cprs(recorded.file.read_text()))
    there = {fact["cpr"] for schema in recorded.records for fact in recorded.world.records(schema)}
    assert found
    assert [] == [number for number in found if not synthetic(number)]
    assert set() == found & there


def test_the_connector_reads_as_many_records_of_the_same_shape(recorded, read_all):
    with RecordingSandbox(recorded.file) as sandbox:
        replayed = read_all(recorded.name, sandbox.account)
    assert [] == sandbox.unmatched
    for schema, records in recorded.records.items():
        assert [_shape(one) for one in records] == [_shape(one) for one in replayed[schema]]


def _shape(record):
    if isinstance(record, Refused):
        return record.reason, record.field
    if isinstance(record, dict):
        return {name: _shape(value) for name, value in record.items()}
    if isinstance(record, list):
        return [_shape(value) for value in record]
    if isinstance(record, str) and not re.fullmatch(r"[A-Z_]+|6\.\d+", record):  # another code has another length
        return type(record), len(record)
    return type(record)


def test_a_record_maps_and_validates_as_the_one_it_was_made_from(recorded, read_all):
    with RecordingSandbox(recorded.file) as sandbox:
        replayed = read_all(recorded.name, sandbox.account)
    connector = registry.connector(recorded.name)
    for schema, records in recorded.records.items():
        loaded = mapping.load(
            recorded.name,
            schema,
            fields=connector.fields(schema),
            struct=registry.schema(schema),
            directions=["to_ours"],
        )
        before = [_outcome(loaded.to_ours, one) for one in records]
        assert before == [_outcome(loaded.to_ours, one) for one in replayed[schema]]
        assert before.count("ours") > len(before) - 5


def _outcome(to_ours, record):
    if isinstance(record, Refused):
        return record.reason, record.field
    try:
        return "ours" if to_ours(record) else ""
    except Refused as error:
        return error.reason, error.field


def test_a_person_is_the_same_person_wherever_he_or_she_is_met(recorded, read_all):
    with RecordingSandbox(recorded.file) as sandbox:
        replayed = read_all(recorded.name, sandbox.account)
    pairs: dict[str, set[str]] = {}
    for schema, records in recorded.records.items():
        for old, new in zip(records, replayed[schema], strict=True):
            if isinstance(old, dict):
                for (path, was), (_, now) in zip(leaves(old), leaves(new), strict=True):
                    if path.lower().endswith(
                        ("cprnumber", "cprnummer", ".id", "orderid", "aktivitetid", "bestillingid")
                    ):
                        pairs.setdefault(was, set()).add(now)
    assert len(pairs) > 100
    assert {1} == {len(now) for now in pairs.values()}
    assert len(pairs) == len({min(now) for now in pairs.values()})  # two stay two


def test_a_kind_of_cpr_number_stays_that_kind(recorded):
    old = {cpr_kind(number) for schema in recorded.records for number in _cprs(recorded.world.records(schema))}
    new = {cpr_kind(number) for number in cprs(recorded.file.read_text())}
    assert old == new


def _cprs(facts):
    return {fact["cpr"] for fact in facts}


def test_nothing_ties_two_savings_of_the_same_traffic_together(recorded):
    first, second = (set(cprs(file.read_text())) for file in (recorded.file, recorded.again))
    assert len(first) == len(second)
    assert len(first & second) < 3  # of some millions two may fall on the same number


def test_two_reads_of_a_replay_are_the_same(recorded, read_all):
    with RecordingSandbox(recorded.file) as sandbox:
        first, second, third = (read_all(recorded.name, sandbox.account) for _ in range(3))
    assert [_plain(first)] * 2 == [_plain(second), _plain(third)]


def _plain(records):
    return {schema: [str(one) for one in found] for schema, found in records.items()}


@pytest.mark.parametrize("keep", [keys_are_unique, keys_are_there, two_reads_give_the_same])
def test_the_kit_s_reading_promises_run_on_a_recording(recorded, keep):
    factory = functools.partial(RecordingSandbox, recorded.file)
    subject = Subject(recorded.name, factory, settings={"page_size": 25, "attempts": 1})
    for schema in recorded.records:
        with Trial(subject) as trial:
            keep(trial, schema)
            assert trial.sandbox.calls


def test_a_sandbox_s_faults_are_played_on_a_recording_too(recorded, read_all):
    with RecordingSandbox(recorded.file) as sandbox:
        sandbox.faults.add("status:503", times=10)
        with pytest.raises(Unavailable):
            read_all(recorded.name, sandbox.account)


def test_a_call_that_was_not_recorded_names_the_nearest_one(recorded, read_all):
    sandbox = RecordingSandbox(recorded.file)
    account = sandbox.start()
    other = msgspec.structs.replace(account, extra={**account.extra, "page_size": 24})
    with pytest.raises(Unavailable) as caught:
        read_all(recorded.name, other)
    sandbox.stop()
    assert "status-501" == caught.value.reason
    assert re.search(r"nearest is call \d+, (GET|POST) .* differs in (query|body .*Stoerrelse)", sandbox.unmatched[0])


def test_leaving_the_block_tells_of_a_call_that_was_not_recorded(recorded, read_all):
    def call() -> None:
        with RecordingSandbox(recorded.file) as sandbox, pytest.raises(Unavailable):
            read_all(recorded.name, msgspec.structs.replace(sandbox.account, schema="elsewhere"))

    with pytest.raises(SettingsError, match="nearest is call 1") as caught:
        call()
    assert "recording-no-such-call" == caught.value.reason


def test_what_was_written_can_be_replayed_with_new_idempotency_keys(tmp_path):
    """The order comes back from the replay itself; the answer carries the key that the call has now."""
    file = tmp_path / "orders.jsonl"

    def put(connector, order):
        change = Change.of("put", order, None, str(uuid.uuid4()))
        (receipt,) = connector.write("course_order", [change])
        return receipt

    world = World("760", citizens=60)
    rules = load(RULES / "journal_rest.yaml")
    with JournalRestSandbox(world) as system, Recorder("journal_rest", system.account, rules) as recorder:
        connector = JournalRest(recorder.account)
        receipt = put(connector, _order(world))
        sent = connector.fetch("course_order", receipt.their_id)
        recorder.save(file)
        connector.close()
    calls = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()[1:]]
    their_id = calls[-1]["path"].rpartition("/")[2]
    assert their_id != receipt.their_id
    with RecordingSandbox(file) as sandbox:
        connector = JournalRest(sandbox.account)
        order = connector.fetch("course_order", their_id)
        again = put(connector, order)
        connector.close()
    assert _shape(sent) == _shape(order)
    assert sent["citizen"]["cprNumber"] != order["citizen"]["cprNumber"]
    assert (their_id, None) == (again.their_id, again.refused)


def _order(world):
    struct = registry.schema("course_order")
    loaded = mapping.load(
        "journal_rest",
        "course_order",
        fields=JournalRest.fields("course_order"),
        struct=struct,
        directions=["to_theirs"],
    )
    fact = world.records("course_order")[0]
    return loaded.to_theirs(fact.keys())(msgspec.convert(fact, struct))
