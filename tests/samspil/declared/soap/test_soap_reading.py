"""Reading by a declaration: every kind of paging, what changed since a moment, and lists that move."""

import math

import pytest

from samspil.declared.soap.declaration import Gone, Incremental
from samspil.declared.soap.moments import asked
from samspil.errors import AccessError, Refused, SettingsError, Unavailable

PAGE = "{page: Window.Page, first: 0, size: Window.Take, page_size: 7}"
KINDS = {
    "page": PAGE,
    "page with a total": "{page: Window.Page, first: 0, size: Window.Take, page_size: 7, total: Count}",
    "page with a flag": "{page: Window.Page, first: 0, size: Window.Take, page_size: 7, more: More}",
    "pages of the system's own size": "{page: Window.Page, first: 0, page_size: 7, more: More}",
    "offset": "{offset: Window.Skip, size: Window.Take, page_size: 7}",
    "offset with a total": "{offset: Window.Skip, size: Window.Take, page_size: 7, total: Count}",
    "last key": "{after: Window.After, size: Window.Take, page_size: 7}",
    "token": "{after: Window.After, next: Next, page_size: 7}",
}
SINCE = "paging: {page: Window.Page, first: 0, size: Window.Take}\n      incremental: "


def keys(pages):
    return [key for page in pages for key in page.keys]


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_read_to_its_end(vendor, good, kind):
    vendor.swap(PAGE, KINDS[kind])
    connector = vendor.connector(vendor.sandbox())
    connector.check()
    pages = list(connector.read("case"))
    assert sorted(good(1)) == keys(pages)
    assert max(len(page.keys) for page in pages) == 7
    assert all(page.cursor is None and not page.rejected for page in pages)


def test_a_list_without_pages_is_read_at_once(vendor, good):
    vendor.swap(PAGE, "none")
    (page,) = vendor.connector(vendor.sandbox()).read("case")
    assert good(1) == set(page.keys)


def test_the_account_may_set_another_page_size(vendor, good):
    sandbox = vendor.sandbox()
    pages = list(vendor.connector(sandbox, page_size=11).read("case"))
    assert [11, 11, 8] == [len(page.keys) for page in pages]
    assert good(1) == set(keys(pages))


@pytest.mark.parametrize("kind", ["page", "offset"])
def test_one_broken_record_costs_only_itself(vendor, good, kind):
    vendor.swap(PAGE, KINDS[kind].replace("page_size: 7", "page_size: 8"))
    sandbox = vendor.sandbox()
    sandbox.to_night(3)
    pages = list(vendor.connector(sandbox).read("case"))
    assert good(3) == set(keys(pages))
    assert ["xml-malformed"] == [one.error.reason for page in pages for one in page.rejected]


def test_a_broken_page_after_which_nobody_can_go_on_ends_the_read(vendor):
    vendor.swap(PAGE, KINDS["last key"])
    sandbox = vendor.sandbox()
    sandbox.to_night(3)
    with pytest.raises(Unavailable, match="nobody knows where the next one starts"):
        list(vendor.connector(sandbox).read("case"))


def test_damage_is_refused_in_decoding_and_alone(vendor):
    sandbox = vendor.sandbox()
    sandbox.to_night(2)
    connector = vendor.connector(sandbox)
    found = {}
    for page in connector.read("case"):
        found |= dict(zip(page.keys, connector.decode("case", page.raws), strict=True))
    refused = {key.decode(): one.reason for key, one in found.items() if isinstance(one, Refused)}
    damage = vendor.world.broken("case", 2)
    assert {key for key, kind in damage.items() if kind != "bad-cpr"} == set(refused)
    assert refused[next(key for key, kind in damage.items() if kind == "unknown-field")] == "unknown-field"


@pytest.mark.parametrize(("first", "more"), [(1, "repeat"), (0, "garbage"), (1, "truncate"), (2, "status:503")])
def test_a_read_that_goes_wrong_is_never_a_shorter_list(vendor, first, more):
    sandbox = vendor.sandbox()
    sandbox.faults.add(more, after=first, times=1 if more == "repeat" else math.inf)
    with pytest.raises(Unavailable):
        list(vendor.connector(sandbox).read("case"))


def test_a_total_that_does_not_add_up_is_a_list_that_moved(vendor, monkeypatch):
    vendor.swap(PAGE, KINDS["page with a flag"].replace("more: More", "more: More, total: Count"))
    sandbox = vendor.sandbox()
    reading = iter(vendor.connector(sandbox).read("case"))
    next(reading)
    sandbox.to_night(2)
    facts = vendor.world.records("case", 1)
    monkeypatch.setattr(vendor.world, "records", lambda *_: facts[:-3])
    with pytest.raises(Unavailable, match="changed while it was read"):
        list(reading)


def test_only_what_changed_is_read_since_the_cursor(vendor, good):
    vendor.swap(
        f"paging: {PAGE}", SINCE + "{since: ChangedAfter, overlap: 1, changed: Changed, gone: {keys: Deleted.Id}}"
    )
    sandbox = vendor.sandbox()
    connector = vendor.connector(sandbox)
    assert "incremental" == connector.reads["case"].mode
    first = list(connector.read("case"))
    assert good(1) == set(keys(first))
    (cursor,) = [page.cursor for page in first if page.cursor]
    sandbox.to_night(2)
    second = list(connector.read("case", cursor))
    before, after = ({fact["id"]: fact for fact in vendor.world.records("case", night)} for night in (1, 2))
    changed = {key for key, fact in after.items() if before.get(key) != fact}
    damaged = {
        key for key, kind in vendor.world.broken("case", 2).items() if vendor.world.broken("case").get(key) != kind
    }
    seen = {key.decode() for key in keys(second)}
    assert changed | damaged <= seen
    assert len(seen) < 12
    assert before.keys() - after.keys() == {key.decode() for page in second for key in page.gone}
    assert cursor < second[-1].cursor
    third = list(connector.read("case", second[-1].cursor))
    assert second[-1].cursor == third[-1].cursor


def test_a_moment_without_offset_is_asked_for_an_hour_earlier(vendor):
    since = Incremental(since="x", overlap=60, changed="y", gone=Gone(keys="z"))
    assert "2026-10-25T01:29:00" == asked(since, "2026-10-25T02:30:00")
    assert "2026-10-25T02:29:00+01:00" == asked(since, "2026-10-25T02:30:00.0000000+01:00")


def test_a_cursor_that_is_none_is_refused(vendor):
    vendor.swap(f"paging: {PAGE}", SINCE + "{since: ChangedAfter, changed: Changed, gone: never}")
    with pytest.raises(SettingsError, match="not a cursor"):
        list(vendor.connector(vendor.sandbox()).read("case", "17"))


def test_a_wrong_key_is_an_access_error(vendor):
    sandbox = vendor.sandbox()
    with pytest.raises(AccessError):
        vendor.connector(sandbox, password="other").check()


def test_a_system_that_only_writes_has_no_way_to_read(vendor):
    text = (vendor.folder / "connector.yaml").read_text()
    start, end = text.index("    list:"), text.index("    fetch:")
    (vendor.folder / "connector.yaml").write_text(text[:start] + text[end:])
    connector = vendor.connector(vendor.sandbox())
    assert {} == connector.reads
    with pytest.raises(NotImplementedError):
        connector.read("case")
