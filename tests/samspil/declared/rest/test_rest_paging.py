import json
import math

import pytest

from samspil.errors import SettingsError, Unavailable

LIST = "schemas.meeting.list"
PAGINGS = {
    "page until empty": {"page": "page", "size": "pageSize"},
    "page with more": {"page": "page", "size": "pageSize", "more": "hasMore"},
    "offset until empty": {"offset": "offset", "size": "limit"},
    "offset with more": {"offset": "offset", "size": "limit", "more": "hasMore"},
    "page with total": {"page": "page", "size": "pageSize", "total": "count"},
    "offset with total": {"offset": "offset", "size": "limit", "more": "hasMore", "total": "count"},
    "token": {"after": "token", "size": "limit", "next": "next"},
    "link in the header": {"link": "header", "size": "limit"},
    "link in the body": {"link": "body", "size": "limit", "next": "next"},
}
SURVIVES = {name for name in PAGINGS if name not in ("token", "link in the body")}  # the way on is not in the body


def keys(pages):
    return [key.decode() for page in pages for key in page.keys]


def paged(name):
    return {f"{LIST}.paging": PAGINGS[name]}


@pytest.mark.parametrize("size", [1, 4, 50])
@pytest.mark.parametrize("name", PAGINGS)
def test_every_record_is_read_once_in_every_way_of_paging(system, world, name, size):
    pages = list(system(**paged(name)).connect(page_size=size).read("meeting"))
    assert [fact["id"] for fact in world.records("meeting")] == keys(pages)
    assert not any(page.rejected or page.gone or page.cursor for page in pages)


def test_a_list_may_be_one_answer_with_the_records_at_its_top(system, world):
    small = system(**{LIST: {"path": "/v1/all", "records": "", "paging": "none"}})
    assert [fact["id"] for fact in world.records("meeting")] == keys(small.connect().read("meeting"))
    assert "page_size" not in small.connector.Settings.__struct_fields__


def test_records_and_more_may_lie_deeper_in_the_answer(system, world):
    paging = {"page": "page", "size": "pageSize", "more": "result.hasMore"}
    small = system(**{LIST: {"path": "/v1/meetings", "records": "result.items", "paging": paging}})
    assert [fact["id"] for fact in world.records("meeting")] == keys(small.connect(page_size=7).read("meeting"))


def test_an_account_may_not_ask_for_larger_pages_than_the_contract_allows(system):
    with pytest.raises(SettingsError, match="page_size"):
        system().connect(page_size=51)


def test_records_keep_their_bytes(system):
    connector = system().connect(page_size=50)
    raws = [raw for page in connector.read("meeting") for raw in page.raws]
    assert raws == [
        json.dumps(one, separators=(",", ":"), ensure_ascii=False).encode() for one in map(json.loads, raws)
    ]
    assert connector.decode("meeting", [raws[0], b"[1]"])[1].reason == "bad-json"


@pytest.mark.parametrize("name", PAGINGS)
def test_a_page_that_is_none_is_rejected_and_the_others_come(system, world, name):
    """Where the way on was in the page, it is asked for again; else the next one is."""
    small = system(**paged(name))
    small.sandbox.faults.add("garbage", path="/v1/meetings", after=1)
    pages = list(small.connect(page_size=5).read("meeting"))
    lost = 0 if name in ("token", "link in the body", "link in the header") else 5
    assert ["bad-json"] == [one.error.reason for page in pages for one in page.rejected]
    assert len(world.records("meeting")) - lost == len(keys(pages))


@pytest.mark.parametrize("name", sorted(SURVIVES))
def test_broken_syntax_costs_its_page_and_no_other(system, world, name):
    small = system(**paged(name))
    small.sandbox.to_night(3)
    pages = list(small.connect(page_size=1).read("meeting"))
    broken = {key for key, kind in world.broken("meeting", 3).items() if kind == "broken-syntax"}
    assert ["bad-json"] == [one.error.reason for page in pages for one in page.rejected]
    assert {fact["id"] for fact in world.records("meeting", 3)} - broken == set(keys(pages))


@pytest.mark.parametrize("name", sorted(set(PAGINGS) - SURVIVES))
def test_where_the_way_on_is_in_a_page_that_stays_broken_the_end_would_be_a_guess(system, name):
    small = system(**paged(name))
    small.sandbox.to_night(3)
    seen = []
    with pytest.raises(Unavailable) as caught:
        seen.extend(small.connect(page_size=1).read("meeting"))
    assert "pages-unreadable" == caught.value.reason


def test_the_same_broken_page_again_is_one_rejected_piece(system):
    small = system(**paged("token"))
    small.sandbox.to_night(3)
    seen = []
    reading = small.connect(page_size=1).read("meeting")
    with pytest.raises(Unavailable):
        seen.extend(reading)
    assert 1 == sum(len(page.rejected) for page in seen)
    assert 4 == len(small.sandbox.calls), "the first page once, the broken one three times"


@pytest.mark.parametrize("name", PAGINGS)
def test_pages_that_never_can_be_read_are_a_sick_system(system, name):
    small = system(**paged(name))
    small.sandbox.faults.add("garbage", path="/v1/meetings", times=math.inf)
    with pytest.raises(Unavailable) as caught:
        list(small.connect().read("meeting"))
    assert "pages-unreadable" == caught.value.reason


@pytest.mark.parametrize("name", PAGINGS)
@pytest.mark.parametrize(("fault", "reason"), [("status:503", "status-503"), ("truncate", "answer-truncated")])
def test_a_read_that_is_cut_off_raises_and_never_ends_early(system, name, fault, reason):
    small = system(**paged(name))
    small.sandbox.faults.add(fault, path="/v1/meetings", after=2, retry_after=7)
    seen = []
    with pytest.raises(Unavailable) as caught:
        seen.extend(small.connect(page_size=5).read("meeting"))
    assert (2, reason) == (len(seen), caught.value.reason)
    assert caught.value.retry_after == (7 if fault.startswith("status") else None)


def test_an_error_inside_status_200_is_no_page(system):
    small = system()
    small.sandbox.faults.add("fault-with-200", path="/v1/meetings", after=1)
    pages = list(small.connect(page_size=5).read("meeting"))
    assert ["bad-page"] == [one.error.reason for page in pages for one in page.rejected]


def answers(one, *bodies, headers=None):
    for body in bodies:
        raw = json.dumps(body).encode()
        one.sandbox.faults.add("answer:200", path="/v1/meetings", body=raw, headers=headers or {})


@pytest.mark.parametrize(
    ("name", "bodies", "reason"),
    [
        ("page until empty", [{"data": [{"id": 1}]}, {"data": [{"id": 1}]}], "pages-repeat"),
        ("page with more", [{"data": [], "hasMore": True}], "pages-empty"),
        ("offset with more", [{"data": [], "hasMore": True}], "pages-empty"),
        ("token", [{"data": [{"id": n}], "next": "a"} for n in range(2)], "pages-repeat"),
        (
            "token",
            [{"data": [{"id": 1}], "next": "a"}, {"data": [{"id": 2}], "next": "b"}, {"data": [], "next": "a"}],
            "pages-repeat",
        ),
        ("token", [{"data": [], "next": str(n)} for n in range(102)], "pages-empty"),
    ],
)
def test_paging_that_would_not_end_is_noticed(system, name, bodies, reason):
    small = system(**paged(name))
    answers(small, *bodies)
    with pytest.raises(Unavailable) as caught:
        list(small.connect().read("meeting"))
    assert reason == caught.value.reason


@pytest.mark.parametrize(
    ("name", "bodies"),
    [
        # a record of the first page went before the second was asked for, and the one after it is on neither
        ("page with total", [{"data": [{"id": 1}, {"id": 2}], "count": 4}, {"data": [{"id": 4}], "count": 3}]),
        # one went and another came
        (
            "page with total",
            [{"data": [{"id": 1}], "count": 3}, {"data": [{"id": 3}], "count": 3}, {"data": [], "count": 3}],
        ),
        ("offset with total", [{"data": [{"id": 1}], "hasMore": False, "count": 2}]),
    ],
)
def test_a_list_that_moves_while_it_is_read_is_not_a_shorter_list(system, name, bodies):
    small = system(**paged(name))
    answers(small, *bodies)
    with pytest.raises(Unavailable) as caught:
        list(small.connect().read("meeting"))
    assert "pages-moved" == caught.value.reason


def test_a_total_that_is_no_number_in_the_contract_is_refused(system):
    with pytest.raises(SettingsError, match="no integer at hasMore"):
        system(**{f"{LIST}.paging": {"page": "page", "size": "pageSize", "total": "hasMore"}})


@pytest.mark.parametrize(
    "link",
    [
        "http://example.com/v1/meetings?cursor=x",
        "//example.com/v1/meetings?cursor=x",
        "https://127.0.0.1/v1/meetings",
        "/v1/other?cursor=x",
        "/v1/meetings/../admin",
    ],
)
@pytest.mark.parametrize("name", ["link in the header", "link in the body"])
def test_a_link_to_another_address_is_never_followed(system, name, link):
    small = system(**paged(name))
    answers(small, {"data": [{"id": 1}], "next": link}, headers={"Link": f'<{link}>; rel="next"'})
    with pytest.raises(SettingsError) as caught:
        list(small.connect().read("meeting"))
    assert "next-elsewhere" == caught.value.reason
    assert 1 == len(small.sandbox.calls)
    assert "cursor" not in str(caught.value)


@pytest.mark.parametrize("link", ["?token=x&limit=5", "/v1/meetings?token=x&limit=5"])
def test_a_link_may_be_relative(system, link):
    small = system(**paged("link in the header"))
    header = f'</v1/meetings?page=1>; rel="prev", <{link}>; rel="last next"'
    answers(small, {"data": [{"id": 1}]}, headers={"Link": header})
    answers(small, {"data": [{"id": 2}]}, headers={"Link": '</v1/meetings>; rel="self"'})
    assert ["1", "2"] == keys(small.connect().read("meeting"))
    assert ["limit=50", "token=x&limit=5"] == small.sandbox.queries
