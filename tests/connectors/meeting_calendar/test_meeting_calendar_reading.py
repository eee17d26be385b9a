import msgspec
import pytest

from samspil.errors import AccessError, Refused, SettingsError, Unavailable
from samspil.mapping import load
from schemas import SCHEMAS


def mapping(connector):
    return load("meeting_calendar", "meeting", fields=connector.fields("meeting"), struct=SCHEMAS["meeting"])


@pytest.mark.parametrize("night", [1, 2, 4])
def test_what_is_read_means_what_the_calendar_knows(sandbox, connect, world, night):
    """Read, decoded and mapped, a record is the fact it was made from; what is damaged is refused."""
    sandbox.to_night(night)
    connector = connect(page_size=7)
    to_ours = mapping(connector).to_ours
    found, refused = {}, {}
    for page in connector.read("meeting"):
        for key, record in zip(page.keys, connector.decode("meeting", page.raws), strict=True):
            try:
                found[key.decode()] = to_ours(record)
            except Refused as error:
                refused[key.decode()] = error.reason
    damaged = world.broken("meeting", night)
    facts = {fact["id"]: msgspec.convert(fact, SCHEMAS["meeting"]) for fact in world.records("meeting", night)}
    assert {key: fact for key, fact in facts.items() if key not in damaged} == found
    assert {key: "missing-field" if kind == "missing-field" else kind for key, kind in damaged.items()} == refused


def test_broken_syntax_costs_its_page_and_no_other(sandbox, connect, world):
    sandbox.to_night(3)
    pages = list(connect(page_size=5).read("meeting"))
    keys = {key.decode() for page in pages for key in page.keys}
    broken = {key for key, kind in world.broken("meeting", 3).items() if kind == "broken-syntax"}
    assert ["bad-json"] == [one.error.reason for page in pages for one in page.rejected]
    assert {fact["id"] for fact in world.records("meeting", 3)} - broken == keys


def test_a_wrong_tenant_or_secret_is_an_access_error(sandbox, connect):
    with pytest.raises(AccessError):
        connect(tenant="another").check()
    with pytest.raises(AccessError):
        type(connect())(msgspec.structs.replace(sandbox.account, password="wrong")).check()


def test_a_missing_tenant_is_named_before_any_call(sandbox, connect):
    with pytest.raises(SettingsError, match="tenant"):
        type(connect())(msgspec.structs.replace(sandbox.account, extra={}))
    assert [] == sandbox.calls


def test_messages_name_the_call_and_no_id(sandbox, connect):
    sandbox.faults.add("status:500", path="/v1/meetings/")
    with pytest.raises(Unavailable) as caught:
        connect().fetch("meeting", "M-very-own")
    assert "GET /v1/meetings/{id}: answered with status 500" in str(caught.value)
