"""The canary person is found in every spelling, packed or not, and nobody else is taken for her."""

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import zipfile
import zlib
from urllib.parse import quote, quote_plus

import openpyxl
import pytest

from samspil.testing.canary.search import shown
from samspil.testing.world import World

WORLD = World("760", citizens=24)
CPR = WORLD.canary["cpr"]
NOTE = next(note["text"] for note in WORLD.records("journal_note") if note["cpr"] == CPR)
VALUES = {
    "number": CPR,
    "divided number": f"{CPR[:6]}-{CPR[6:]}",
    "given names": WORLD.canary["given_names"],
    "family name": WORLD.canary["family_name"],
    "note": NOTE,
}


def in_zip(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x.txt", data)
    return file.getvalue()


def in_workbook(text: str) -> bytes:
    file, book = io.BytesIO(), openpyxl.Workbook()
    book.active.append(["a", text])
    book.save(file)
    return file.getvalue()


SPELLINGS = {
    "plain": str.encode,
    "capitals": lambda text: text.upper().encode(),
    "latin-1": lambda text: text.encode("latin-1"),
    "utf-16": lambda text: text.encode("utf-16-le"),
    "url": lambda text: quote(text, safe="").encode(),
    "url of a form": lambda text: quote_plus(text).encode(),
    "json": lambda text: json.dumps(text).encode(),
    "representation": lambda text: repr(text).encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "hex in capitals": lambda text: text.encode().hex().upper().encode(),
    **{f"base64 after {n}": lambda text, n=n: base64.b64encode(b"x" * n + text.encode()) for n in range(3)},
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(b">>?" + text.encode()),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip further on": lambda text: b"head\r\n\r\n" + gzip.compress(text.encode()) + b"\r\ntail",
    "zlib": lambda text: zlib.compress(text.encode()),
    "bzip2": lambda text: bz2.compress(text.encode()),
    "xz": lambda text: lzma.compress(text.encode()),
    "zip": lambda text: in_zip(text.encode()),
    "zip after something": lambda text: b"--boundary\r\n" + in_zip(text.encode()),
    "zip in zip": lambda text: in_zip(in_zip(text.encode())),
    "xlsx": in_workbook,
    "gzip in base64": lambda text: b'{"body": "' + base64.b64encode(gzip.compress(text.encode())) + b'"}',
    "zip in folded base64": lambda text: b"body: " + base64.encodebytes(in_zip(text.encode())),
}


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
@pytest.mark.parametrize("value", sorted(VALUES))
def test_she_is_found(value, spelling):
    data = b"something before " * (spelling in ("plain", "url", "hex", "json")) + SPELLINGS[spelling](VALUES[value])
    assert shown(data)


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256", "sha512"])
def test_a_plain_hash_of_her_number_is_her_number(kind):
    assert shown(f"key={hashlib.new(kind, CPR.encode()).hexdigest()};".encode()) == "a hash of the number"


@pytest.mark.parametrize("municipality", ["760", "730", "751", "813", "370"])
def test_every_municipality_has_her_and_her_number_fails_modulus_11(municipality):
    person = World(municipality, citizens=3).records("person")[0]
    weighed = sum(int(a) * b for a, b in zip(person["cpr"], (4, 3, 2, 7, 6, 5, 4, 3, 2, 1), strict=True))
    assert weighed % 11
    assert (person["cpr"][:6], person["cpr"][6] in "5678", person["cpr"][7:]) == ("311257", True, municipality)
    assert all(shown(person[name].encode()) for name in ("cpr", "given_names", "family_name", "email"))


def test_each_text_of_hers_is_found_and_no_text_of_another_is():
    others = 0
    for schema in ("person", "course_order", "journal_note", "status_note", "action_plan", "meeting", "attendance"):
        for fact in WORLD.records(schema):
            found = shown(repr(fact).encode())
            assert bool(found) == (fact["cpr"] == CPR), schema
            others += not found
    assert others > 100


@pytest.mark.parametrize(
    "data", [b"", b"1.311257", b"0.31125712", b"\x1f\x8b\x08 no gzip", b"PK\x05\x06", b"H4sI" + b"A" * 40]
)
def test_what_only_looks_like_it_is_not_taken_for_her(data):
    assert shown(data) == ""


def test_how_she_is_spelled_is_told_without_her():
    for spell in SPELLINGS.values():
        assert not shown(shown(spell(NOTE)).encode())
