import math

import msgspec
import pytest

from connectors.journal_rest.connector import JournalRest
from samspil.errors import Refused, Unavailable
from samspil.mapping import load
from samspil.testing.world import World
from schemas import SCHEMAS

WORLD = World("760", citizens=60)
READS = sorted(JournalRest.reads)


def mapping(schema):
    return load(
        "journal_rest",
        schema,
        fields=JournalRest.fields(schema),
        struct=SCHEMAS[schema],
        directions=("to_ours",),
    )


def facts(schema, night):
    """The world's facts that are not damaged, as structs, by id."""
    damaged = WORLD.broken(schema, night)
    kind = SCHEMAS[schema]
    return {
        fact["id"]: msgspec.convert(fact, kind) for fact in WORLD.records(schema, night) if fact["id"] not in damaged
    }


@pytest.mark.parametrize("schema", READS)
@pytest.mark.parametrize("page_size", [7, 1000])
def test_every_record_is_read_once_whatever_the_page_size(connect, schema, page_size):
    pages = list(connect(page_size=page_size).read(schema))
    keys = [key.decode() for page in pages for key in page.keys]
    assert keys == [fact["id"] for fact in WORLD.records(schema)]
    assert not any(page.rejected or page.gone for page in pages)


@pytest.mark.parametrize("schema", READS)
@pytest.mark.parametrize("night", [1, 2])
def test_what_is_read_means_what_the_journal_knows(sandbox, connect, schema, night):
    """Read, decoded and mapped, a record is the fact it was made from; what is damaged is refused."""
    sandbox.to_night(night)
    connector, to_ours = connect(page_size=100), mapping(schema).to_ours
    found, refused = {}, {}
    for page in connector.read(schema):
        for key, record in zip(page.keys, connector.decode(schema, page.raws), strict=True):
            try:
                found[key.decode()] = to_ours(record)
            except Refused as error:
                refused[key.decode()] = error.reason
    assert found == facts(schema, night)
    assert set(refused) == set(WORLD.broken(schema, night))


def test_each_damage_has_its_reason(sandbox, connect):
    sandbox.to_night(2)
    connector, to_ours = connect(), mapping("attendance").to_ours
    reasons = {}
    for page in connector.read("attendance"):
        for key, record in zip(page.keys, connector.decode("attendance", page.raws), strict=True):
            try:
                to_ours(record)
            except Refused as error:
                reasons[WORLD.broken("attendance", 2)[key.decode()]] = error.reason
    assert reasons == {
        "bad-date": "bad-date",
        "unknown-code": "unknown-code",
        "missing-field": "missing-field",
        "bad-cpr": "bad-cpr",
        "unknown-field": "unknown-field",
    }


@pytest.mark.parametrize("page_size", [50, 5000])
def test_broken_syntax_costs_its_page_and_no_other(sandbox, connect, page_size):
    sandbox.to_night(3)
    pages = list(connect(page_size=page_size).read("attendance"))
    rejected = [(page.keys, one.error.reason) for page in pages for one in page.rejected]
    keys = {key.decode() for page in pages for key in page.keys}
    broken = {key for key, kind in WORLD.broken("attendance", 3).items() if kind == "broken-syntax"}
    assert rejected == [([], "bad-json")]
    assert keys == {fact["id"] for fact in WORLD.records("attendance", 3)} - broken


def test_two_reads_give_the_same_bytes(connect):
    first, second = (list(connect(page_size=100).read("journal_note")) for _ in range(2))
    assert first == second


def test_danish_letters_arrive(connect):
    connector = connect()
    (page,) = connector.read("journal_note")
    assert "på" in "".join(record["text"] for record in connector.decode("journal_note", page.raws))


def test_a_record_that_is_no_object_is_refused_in_its_place(connect):
    good, bad = connect().decode("attendance", [b'{"id":"1"}', b"[1]"])
    assert (good, bad.reason) == ({"id": "1"}, "bad-json")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("status:503", "status-503"),
        ("status:429", "status-429"),
        ("truncate", "answer-truncated"),
        ("lost-answer", "closed"),
        ("timeout", "timeout"),
    ],
)
def test_a_read_that_is_cut_off_raises_and_never_ends_early(sandbox, connect, fault, reason):
    connector = connect(page_size=50, timeout=0.2 if fault == "timeout" else 20)
    sandbox.faults.add(fault, path="/v1/attendances", after=2, retry_after=7 if ":" in fault else None)
    seen = []
    with pytest.raises(Unavailable) as caught:
        seen.extend(connector.read("attendance"))
    assert (len(seen), caught.value.reason) == (2, reason)
    assert caught.value.retry_after == (7 if ":" in fault else None)


def test_a_fault_that_passes_is_got_over_at_once(sandbox, connect):
    sandbox.faults.add("status:503", path="/v1/attendances", retry_after=0)
    sandbox.faults.add("truncate", path="/v1/attendances")
    keys = [key for page in connect(attempts=3).read("attendance") for key in page.keys]
    assert len(keys) == len(WORLD.records("attendance"))


@pytest.mark.parametrize("fault", ["garbage", "fault-with-200"])
def test_a_page_that_is_none_is_rejected_and_the_others_come(sandbox, connect, fault):
    sandbox.faults.add(fault, path="/v1/attendances", after=1)
    pages = list(connect(page_size=50).read("attendance"))
    assert [len(page.rejected) for page in pages[:3]] == [0, 1, 0]


def test_pages_that_never_can_be_read_are_a_sick_system(sandbox, connect):
    sandbox.faults.add("garbage", path="/v1/attendances", times=math.inf)
    with pytest.raises(Unavailable) as caught:
        list(connect().read("attendance"))
    assert caught.value.reason == "pages-unreadable"


def test_prepared_pages_are_served_as_they_are(connect, sandbox, tmp_path):
    (tmp_path / "0001.json").write_bytes(b'{"data":[{"id":"a"},{"id":"b"}],"hasMore":true}')
    (tmp_path / "0002.json").write_bytes(b'{"data":[{"id":"c"}],"hasMore":false}')
    sandbox.bulk = tmp_path
    pages = list(connect().read("attendance"))
    assert [page.keys for page in pages] == [[b"a", b"b"], [b"c"]]
    assert pages[0].raws == [b'{"id":"a"}', b'{"id":"b"}']


@pytest.mark.parametrize("total", [3, 4])
def test_a_record_that_goes_between_two_pages_does_not_take_another_along(connect, sandbox, tmp_path, total):
    """Of a, b, c and d one goes after the first page: c moves to it, and is on neither."""
    (tmp_path / "1").write_bytes(b'{"data":[{"id":"a"},{"id":"b"}],"hasMore":true,"total":4}')
    (tmp_path / "2").write_bytes(b'{"data":[{"id":"d"}],"hasMore":false,"total":%d}' % total)
    sandbox.bulk = tmp_path
    with pytest.raises(Unavailable) as caught:
        list(connect().read("attendance"))
    assert caught.value.reason == "list-moved"


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (b'{"data":[{"id":"a"}],"hasMore":true}', "pages-repeat"),
        (b'{"data":[],"hasMore":true}', "page-empty"),
    ],
)
def test_paging_that_would_not_end_is_noticed(connect, sandbox, tmp_path, second, reason):
    (tmp_path / "1").write_bytes(b'{"data":[{"id":"a"}],"hasMore":true}')
    (tmp_path / "2").write_bytes(second)
    sandbox.bulk = tmp_path
    with pytest.raises(Unavailable) as caught:
        list(connect().read("attendance"))
    assert caught.value.reason == reason


@pytest.mark.parametrize("schema", READS)
def test_every_field_of_the_contract_is_seen(connect, schema):
    connector = connect()
    seen = set()
    for page in connector.read(schema):
        for record in connector.decode(schema, page.raws):
            seen |= paths(record, "")
    assert seen == set(JournalRest.fields(schema))


def paths(value, at):
    """The dotted paths of a record's fields."""
    if isinstance(value, list):
        return set().union(*(paths(item, at) for item in value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, inner in value.items():
        path = (f"{at}.{name}" if at else name) + ("[]" if isinstance(inner, list) else "")
        found |= {path} | paths(inner, path)
    return found
