"""Cutting: the fast way and the slow way see the same records, wherever the network cuts the bytes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samspil import cut, xml
from samspil.cut import Cut, RecordShape
from samspil.errors import Refused, Unavailable
from samspil.testing.traced import traced

SHAPE = RecordShape("urn:x", "R", "Id", "p")
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
HEAD = f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{SOAP}"><s:Body><p:Svar xmlns:p="urn:x">'
TAIL = "<p:Flere>true</p:Flere></p:Svar></s:Body></s:Envelope>"

text = st.text(st.sampled_from("aæ <>&!?=\n'\"]p:R/x"), max_size=12).map(escape)
key = st.integers(1, 99).map(str)


def plain(at: str, value: str) -> str:
    return f"<p:R><p:Id>{at}</p:Id><p:T>{value}</p:T></p:R>"


# one record each, written in every way XML allows
SPELLINGS = (
    plain,
    lambda at, value: f"<p:R><p:Id>{at}</p:Id><!-- <p:R> --><p:T>{value}</p:T></p:R>",
    lambda at, value: f"<p:R><p:Id>{at}</p:Id><p:T>{value}<![CDATA[</p:R><p:R>]]></p:T></p:R>",
    lambda at, value: f"<p:R><p:Id>{at}</p:Id><?x </p:R>?><p:T>{value}</p:T></p:R>",
    lambda at, value: f'<o:R xmlns:o="urn:x"><o:Id>{at}</o:Id><o:T>{value}</o:T></o:R>',
    lambda at, value: f'<R xmlns="urn:x"><Id>{at}</Id><T>{value}</T></R>',
    lambda at, value: f'<p:R a="1"><p:Id>{at}</p:Id><p:T a="&quot;2">{value}</p:T></p:R>',
    lambda at, value: f"<p:R ><p:Id>{at}</p:Id><p:T>{value}</p:T></p:R >",
    lambda at, value: f"<p:R><p:T>{value}</p:T><p:Id>{at}</p:Id></p:R>",
    lambda at, value: f"<p:R><p:Id>{at}</p:Id><p:R><p:Id>7</p:Id>{value}</p:R><p:R/></p:R>",
    lambda at, value: f"<p:R><p:R x='1'>{value}</p:R><p:R>2</p:R><p:Id>{at}</p:Id></p:R>",
    lambda at, value: f"<p:Other><p:R><p:Id>{at}</p:Id><Id/><p:T>{value}</p:T></p:R></p:Other>",
    lambda at, value: f"<p:R><p:Id>{at}</p:Id><Id>{value}</Id></p:R>",
    lambda at, value: f'<p:R><p:Id>{at}</p:Id><p:T xmlns:p="urn:other">{value}</p:T></p:R>',
    lambda at, value: f'<p:R><p:Id>{at}</p:Id><n:T xmlns:n="urn:n" n:a="{at}">{value}</n:T></p:R>',
    lambda at, value: f"<p:R><p:Id> &#{48 + int(at) % 10}; </p:Id><p:T>{value}</p:T></p:R>",
    lambda _at, value: f"<p:R><p:T>{value}</p:T></p:R>",
    lambda _at, _value: "<p:R/>",
    lambda at, value: f"<!-- {plain(at, value).replace('-', '')} -->",
    lambda at, value: f'<p:R xmlns:p="urn:other"><p:Id>{at}</p:Id></p:R>',
    lambda at, value: f"\n  {plain(at, value)}\n",
    lambda at, value: plain(at, value) * 3,
)
HEADS = (
    HEAD,
    f'<s:Envelope xmlns:s="{SOAP}" xmlns:p="urn:x"><s:Body><p:Svar>\n',
    HEAD.replace("<p:Svar", "<!-- <p:R> --><p:Svar"),
    HEAD.replace("xmlns:p=", 'xmlns="urn:y" xmlns:p='),
    HEAD.replace("xmlns:p=", 'xmlns:n="urn:n" xmlns:xsi="urn:z" xmlns:p='),
    HEAD.replace("urn:x", "urn:y"),
    f'<s:Envelope xmlns:s="{SOAP}" xmlns:p="urn:x"><s:Body><!-- <p:R><p:Id>9</p:Id></p:R> --><p:Svar>',
)

records = st.builds(lambda spell, at, value: spell(at, value), st.sampled_from(SPELLINGS), key, text)
mostly_plain = st.builds(plain, key, text)
documents = st.builds(
    lambda head, parts: head + "".join(parts) + TAIL,
    st.sampled_from(HEADS),
    st.lists(st.one_of(mostly_plain, mostly_plain, records), max_size=8),
)


def chunks(document: bytes, sizes: list[int]) -> Iterator[bytes]:
    at, turn = 0, 0
    while at < len(document):
        yield document[at : at + sizes[turn % len(sizes)]]
        at += sizes[turn % len(sizes)]
        turn += 1


def expected(document: bytes) -> list[tuple[bytes, bytes]]:
    """Key and canonical form of each record, by parsing the whole document."""
    root = xml.parse(document)
    found = [one for one in root.iter(SHAPE.tag) if next(one.iterancestors(SHAPE.tag), None) is None]
    return [((one.findtext("{urn:x}Id") or "").strip().encode(), xml.canonical(one, SHAPE.prefixes)) for one in found]


def seen(document: bytes, sizes: list[int]) -> list[tuple[bytes, bytes]]:
    """The same by cutting; a rejected record has no key. Records without key are put last, as in ``expected_sorted``."""
    found = []
    for slices in Cut(chunks(document, sizes), SHAPE, system="test"):
        found += zip(slices.keys, slices.raws, strict=True)
        found += [(b"", one.raw) for one in slices.rejected]
    again = [xml.parse(xml.wrap([raw], SHAPE.prefixes))[0] for _, raw in found]
    return [(key, xml.canonical(one, SHAPE.prefixes)) for (key, _), one in zip(found, again, strict=True)]


@given(documents, st.lists(st.integers(1, 400), min_size=1, max_size=4), st.sampled_from((1, 100, 1000, cut.BLOCK)))
def test_slices_are_what_a_parser_sees(document: str, sizes: list[int], block: int):
    data = document.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "BLOCK", block)
        assert sorted(expected(data)) == sorted(seen(data, sizes))


@given(st.lists(st.tuples(key, text), min_size=1, max_size=8), st.booleans(), st.sampled_from((1, 150, cut.BLOCK)))
def test_a_plain_record_has_its_very_bytes_both_ways(pairs: list[tuple[str, str]], fast: bool, block: int):
    plains = [plain(at, value) for at, value in pairs]
    document = (HEAD if fast else HEAD.replace("<p:Svar", "<!-- slow --><p:Svar")) + "".join(plains) + TAIL
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "BLOCK", block)
        slices = list(Cut([document.encode()], SHAPE, system="test"))
    raws = [raw for one in slices for raw in one.raws]
    assert [one.replace("\r", "&#13;").encode() for one in plains] == raws


@pytest.mark.parametrize("spell", SPELLINGS)
def test_every_border_between_two_chunks(spell):
    document = (HEAD + plain("1", "æ!") + spell("2", "ø") + plain("3", "?å") + TAIL).encode()
    wanted = sorted(expected(document))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "BLOCK", 1)
        for at in range(1, len(document)):
            assert wanted == sorted(seen(document, [at, len(document)])), at


def test_the_rest_is_the_answer_without_its_records():
    cutting = Cut([(HEAD + plain("1", "a") + TAIL).encode()], SHAPE, system="test")
    assert [b"1"] == [key for slices in cutting for key in slices.keys]
    assert "true" == xml.text(cutting.rest, "Flere")
    assert xml.find(cutting.rest, "R") is None


@pytest.mark.parametrize("slow", [False, True])
def test_an_answer_cut_short_is_unavailable_never_a_shorter_list(slow):
    head = HEAD.replace("<p:Svar", "<!-- --><p:Svar") if slow else HEAD
    document = (head + plain("1", "a") + plain("2", "b") + TAIL).encode()
    for length in range(len(document) - 1):
        with pytest.raises(Unavailable) as caught:
            list(Cut([document[:length]], SHAPE, system="test"))
        assert "answer-truncated" == caught.value.reason


@pytest.mark.parametrize("body", [b"\x00\xff\xfe{[<no", b"oops, an error page", b'{"a": 1}', b"<" * 70_000])
def test_what_is_not_xml_is_unavailable(body):
    with pytest.raises(Unavailable) as caught:
        list(Cut([body], SHAPE, system="test"))
    assert "answer-not-xml" == caught.value.reason


def test_a_prefix_that_nobody_declared_is_malformed_and_no_crash():
    document = HEAD.replace("<s:Envelope", "<t:Envelope", 1) + plain("1", "a") + TAIL
    with pytest.raises(Unavailable) as caught:
        list(Cut([document.encode()], SHAPE, system="test"))
    assert caught.value.reason in ("answer-not-xml", "answer-truncated")


@pytest.mark.parametrize(
    ("start", "between"), [("", ""), ("", "<p:R><p:Id>1</p:Id></p:R>"), ("<p:R><p:Id>1</p:Id>", "")]
)
def test_an_answer_of_little_but_no_record_does_not_fill_the_memory(monkeypatch, start, between):
    """As it may come out of a few kilobytes of gzip: nothing, records with much between them, a record without end."""
    monkeypatch.setattr("samspil.cut.BESIDE", 1_000_000)
    endless = itertools.chain([(HEAD + start).encode()], itertools.repeat(("<x/>" * 5_000 + between).encode()))
    with pytest.raises(Unavailable) as caught:
        list(Cut(endless, SHAPE, system="test"))
    assert "answer-size" == caught.value.reason


def test_malformed_xml_rejects_the_rest_and_keeps_what_came_before():
    document = HEAD + plain("1", "a") + "<p:R><p:Id>2</p:Id>" + plain("3", "c") + TAIL
    cutting = Cut([document.encode()], SHAPE, system="test")
    (rejected,) = [one for slices in cutting for one in slices.rejected]
    assert "xml-malformed" == rejected.error.reason
    assert document.encode().endswith(rejected.raw)
    assert cutting.rest is None


def test_a_record_broken_within_is_sliced_and_refused_later():
    document = HEAD + plain("1", "a & b") + plain("2", "b") + TAIL
    slices = list(Cut([document.encode()], SHAPE, system="test"))
    assert [b"1", b"2"] == [key for one in slices for key in one.keys]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("doctype", [BOMB, EXTERNAL, "<!DOCTYPE x>", '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'])
@pytest.mark.parametrize("size", [1, 100_000])
def test_a_document_type_is_refused_as_a_whole(doctype, size):
    document = (HEAD.replace("<s:Envelope", f"{doctype}<s:Envelope") + plain("1", "&c;&a;") + TAIL).encode()
    slices = list(Cut(chunks(document, [size]), SHAPE, system="test"))
    assert ["xml-doctype"] == [one.error.reason for part in slices for one in part.rejected]
    assert [] == [raw for part in slices for raw in part.raws]


def test_other_encodings_go_the_slow_way():
    document = (HEAD.replace("UTF-8", "ISO-8859-1") + plain("1", "æøå") + TAIL).encode("latin-1")
    (slices,) = list(Cut([document], SHAPE, system="test"))
    assert [plain("1", "æøå").encode()] == slices.raws
    document = (HEAD.replace("UTF-8", "UTF-16") + plain("1", "æøå") + TAIL).encode("utf-16")
    (slices,) = list(Cut(chunks(document, [7]), SHAPE, system="test"))
    assert [plain("1", "æøå").encode()] == slices.raws


def test_a_default_namespace_may_be_the_expected_one():
    shape = SHAPE._replace(prefix="")
    document = '<Svar xmlns="urn:x"><R><Id>1</Id></R><R><Id>2</Id><!-- --></R></Svar>'
    slices = list(Cut([document.encode()], shape, system="test"))
    assert [b"<R><Id>1</Id></R>", b"<R><Id>2</Id></R>"] == [raw for one in slices for raw in one.raws]


@pytest.mark.parametrize(
    ("names", "inner"),
    [
        ('xmlns:n="urn:n"', "<n:T>x</n:T>"),
        ('xmlns:n="urn:n"', '<p:T n:a="1">x</p:T>'),
        ('xmlns:n="urn:n"', '<p:T\nn:a="1"/>'),
        ('xmlns:xsi="urn:z"', '<p:T xsi:a="1">x</p:T>'),
        ('xmlns="urn:y"', "<T>x</T>"),
    ],
)
def test_names_that_the_answer_declares_are_kept_in_the_record(names, inner):
    head = HEAD.replace("xmlns:p=", f"{names} xmlns:p=")
    document = (head + plain("1", "a") + f"<p:R><p:Id>2</p:Id>{inner}</p:R>" + TAIL).encode()
    assert sorted(expected(document)) == sorted(seen(document, [len(document)]))


def test_records_of_no_namespace_are_not_the_expected_ones():
    cutting = Cut([b"<Svar><R><Id>1</Id></R></Svar>"], SHAPE._replace(prefix=""), system="test")
    assert [] == list(cutting)
    assert "1" == xml.text(cutting.rest, "Id")


def test_a_record_without_key_is_rejected_alone():
    document = HEAD + plain("1", "a") + "<p:R><p:T>x</p:T></p:R>" + plain("3", "c") + TAIL
    slices = list(Cut([document.encode()], SHAPE, system="test"))
    assert [b"1", b"3"] == [key for one in slices for key in one.keys]
    ((rejected),) = [one for part in slices for one in part.rejected]
    assert isinstance(rejected.error, Refused)
    assert ("key-missing", b"<p:R><p:T>x</p:T></p:R>") == (rejected.error.reason, rejected.raw)


def many(count: int, *, slow: bool = False) -> Iterator[bytes]:
    yield (HEAD.replace("<p:Svar", "<!-- --><p:Svar") if slow else HEAD).encode()
    for start in range(0, count, 1000):
        yield "".join(plain(str(at), "æ" * 400) for at in range(start, start + 1000)).encode()
    yield TAIL.encode()


@pytest.mark.parametrize(("slow", "few", "more"), [(False, 5_000, 100_000), (True, 4_000, 12_000)])
def test_memory_is_bounded_by_the_block_not_by_the_answer(slow, few, more):
    peaks = []
    for count in (few, more):
        with traced() as memory:
            assert count == sum(len(slices.keys) for slices in Cut(many(count, slow=slow), SHAPE, system="test"))
            peaks.append(memory.peak)
    assert peaks[1] < peaks[0] * 1.1
