import time

import msgspec
import pytest

from samspil import json
from samspil.json import PageShape, decoded


def test_a_page_is_cut_into_records_that_keep_their_bytes():
    cut = PageShape().cut(b'{"data": [ {"id": "a", "x" : 1.50}, {"x":{"id":9},"id":7}\n], "hasMore": true, "total": 2}')
    assert cut.page.raws == [b'{"id": "a", "x" : 1.50}', b'{"x":{"id":9},"id":7}']
    assert (cut.page.keys, cut.page.rejected, cut.more) == ([b"a", b"7"], (), True)


def test_the_names_are_the_systems_own():
    cut = PageShape(data="value", more="next", key="nøgle").cut('{"value":[{"nøgle":"æ"}],"next":false}'.encode())
    assert (cut.page.keys, cut.more) == (["æ".encode()], False)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "bad-json"),
        (b'{"data":[{"id":1}', "bad-json"),
        (b"\xff\xfe", "bad-json"),
        (b"<html>", "bad-json"),
        (b"[" * 100_000, "bad-page"),
        (b'{"data":' + b"[" * 100_000, "bad-json"),
        (b'{"error":{"code":1}}', "bad-page"),
        (b'{"data":{},"hasMore":false}', "bad-page"),
        (b'{"data":[],"hasMore":"no"}', "bad-page"),
    ],
)
def test_a_page_that_is_none_is_rejected_as_it_came(body, reason):
    page, more, _ = PageShape().cut(body)
    assert [(one.raw, one.error.reason) for one in page.rejected] == [(body, reason)]
    assert (page.raws, page.keys, more) == ([], [], None)


@pytest.mark.parametrize("bad", [b"{}", b'{"id":null}', b'{"id":""}', b'{"id":1.5}', b"3", b'{"id":["a"]}'])
def test_a_record_without_a_key_is_rejected_alone(bad):
    page, more, _ = PageShape().cut(b'{"data":[{"id":"a"},' + bad + b',{"id":"b"}],"hasMore":false}')
    assert (page.keys, page.raws, more) == ([b"a", b"b"], [b'{"id":"a"}', b'{"id":"b"}'], False)
    assert [(one.raw, one.error.reason) for one in page.rejected] == [(bad, "no-key")]


def test_a_record_that_is_too_large_is_rejected_alone(monkeypatch):
    monkeypatch.setattr(json, "LARGEST_RECORD", 30)
    page, *_ = PageShape().cut(b'{"data":[{"id":"a"},{"id":"b","x":"' + b"x" * 30 + b'"}],"hasMore":false}')
    assert (page.keys, [one.error.reason for one in page.rejected]) == ([b"a"], ["record-too-large"])


def test_records_are_decoded_each_for_itself():
    good, *bad = decoded([b'{"a":[1,null]}', b"[]", b'{"a":', b'{"a":"\xff"}', b'{"a":' + b"[" * 100_000])
    assert good == {"a": [1, None]}
    assert [refused.reason for refused in bad] == ["bad-json"] * 4


def test_cutting_does_not_decode():
    """It must be far quicker than reading the records; the ratio holds on any machine."""
    goals = [{"id": str(n), "title": "Møde stabilt fire dage om ugen", "due": "2026-01-01"} for n in range(10)]
    body = msgspec.json.encode({"data": [{"id": "a" * 12, "goals": goals}] * 2000, "hasMore": True})
    shape = PageShape()
    cutting, reading = (min(timed(do, body) for _ in range(5)) for do in (shape.cut, msgspec.json.decode))
    assert cutting < reading


def timed(do, body):
    began = time.perf_counter()
    do(body)
    return time.perf_counter() - began
