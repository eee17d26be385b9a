"""The second look, by itself: what it finds, in which encodings, and that it is quiet where there is nothing."""

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import quopri
import random
import string
import urllib.parse
import zipfile
import zlib

import pytest

from samspil.testing import persons
from samspil.testing.recording import search
from samspil.testing.recording.originals import Originals, synthetic

OUTSIDE = "6101800017"  # a municipality's replacement number, so nobody's; it is outside of the synthetic range
NAME, SECRET = "Bodil Østergaard", "aldrig-at-gemme"


def zipped(data, name="a"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, data)
    return out.getvalue()


def b64(data):
    return base64.b64encode(data).decode()


ENCODINGS = {
    "as it is": lambda text: text,
    "among other words": lambda text: f"vedr. {text}, se bilag",
    "in capitals": str.upper,
    "percent": urllib.parse.quote_plus,
    "percent of every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "base64": lambda text: b64(text.encode()),
    "base64, one byte on": lambda text: b64(b"x" + text.encode() + b"yz"),
    "base64, two bytes on": lambda text: b64(b"xy" + text.encode() + b"z"),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(b"\xff\xfe~~ " + text.encode()).decode(),
    "base64 glued to a word": lambda text: f"vedhæftet:a{b64(text.encode())}",
    "folded base64": lambda text: base64.encodebytes(f"{'fyld ' * 30}{text}{' fyld' * 30}".encode()).decode(),
    "base64 twice": lambda text: b64(b64(f"se {text}".encode()).encode()),
    "hex": lambda text: text.encode().hex(),
    "hex in capitals": lambda text: text.encode().hex().upper(),
    "hex with blanks": lambda text: text.encode().hex(" "),
    "json in a text": lambda text: json.dumps({"a": json.dumps({"b": text})}),
    "entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "xml": lambda text: f"<a>{html.escape(text)}</a>".encode("ascii", "xmlcharrefreplace").decode(),
    "quoted-printable": lambda text: quopri.encodestring(f"{'fyld ' * 14}{text}".encode()).decode(),
    "gzip": lambda text: b64(gzip.compress(f"a;b\n1;{text}".encode())),
    "zlib": lambda text: b64(zlib.compress(text.encode())),
    "bzip2": lambda text: b64(bz2.compress(text.encode())),
    "xz": lambda text: b64(lzma.compress(text.encode())),
    "zip": lambda text: b64(zipped(text.encode())),
    "a name in a zip": lambda text: b64(zipped(b"x", f"{text}.txt")),
    "gzip in zip": lambda text: b64(zipped(gzip.compress(text.encode()))),
    "utf-16": lambda text: b64(text.encode("utf-16")),
    "latin-1": lambda text: b64(f"Emne: {text}.".encode("latin-1")),
}


def line(value):
    """A line of a recording with a value in its answer, and coined words around it."""
    return json.dumps({"method": "GET", "answer": f'{{"a":"Tizeho ginem","b":{json.dumps(value)}}}'}).encode() + b"\n"


@pytest.fixture
def originals():
    found = Originals()
    found.add("words", NAME)
    found.add("secret", SECRET)
    found.add("cpr", OUTSIDE)
    return found


def leak(data, originals, words=frozenset(), public=frozenset()):
    return search.leak(data, originals, {"method", "answer", "GET", *words}, public)


@pytest.mark.parametrize("text", [OUTSIDE, NAME, SECRET])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_original_is_found(originals, encoding, text):
    data = line("Rutamehiv") + line(ENCODINGS[encoding](text))
    found = leak(data, originals)
    assert found is not None
    assert 2 == found.line
    assert text not in str(found)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_cpr_number_that_was_never_seen_is_found(encoding):
    assert leak(line(ENCODINGS[encoding](f"nr {OUTSIDE}")), Originals()) is not None


@pytest.mark.parametrize("written", ["610180-0017", "610180 0017", "610180.0017", "610180\u20130017", "x610180-0017y"])
def test_a_cpr_number_is_found_however_it_is_divided(written):
    assert "something that is a CPR number" == leak(line(written), Originals()).what


def test_a_cpr_number_in_the_name_of_a_field_is_found():
    assert leak(json.dumps({"headers": {f"x-{OUTSIDE}": "1"}}).encode(), Originals()) is not None


def test_a_number_that_lost_its_zero_is_found():
    rng = random.Random(5)
    number = next(one for one in (persons.cpr(rng) for _ in range(1000)) if one.startswith("0"))
    originals = Originals()
    originals.add("cpr", int(number))
    assert leak(line(int(number)), originals) is not None


def test_a_piece_of_a_free_text_is_found():
    originals = Originals()
    originals.add("text", "Kom for sent to gange i denne uge og siger selv, at det skyldes dårlig søvn om natten.")
    assert leak(line("…siger selv, at det skyldes dårlig søvn om natten."), originals) is not None


def test_a_short_name_is_found_as_a_word_only():
    originals = Originals()
    originals.add("words", "Ida")
    assert leak(line("Taler med IDA."), originals) is not None
    assert leak(line("Tidavu kidaz"), originals) is None


def test_words_of_the_contract_are_no_leak(originals):
    originals.add("words", "Handleplan")
    data = line("<Handleplan>urn:bodil:1</Handleplan>")
    assert leak(data, originals) is not None
    assert leak(data, originals, words={"Handleplan"}, public={"urn:bodil:1"}) is None


def test_a_public_word_hides_no_cpr_number():
    assert leak(line(OUTSIDE), Originals(), words={OUTSIDE}, public={OUTSIDE}) is not None


def test_synthetic_numbers_and_numbers_of_nobody_are_no_leak():
    rng = random.Random(3)
    numbers = [persons.cpr(rng, kind) for kind in ("ordinary", "municipal", "health") for _ in range(300)]
    assert all(map(synthetic, numbers))
    shown = [*numbers, "0000000000", "4612345678", "2026-10-30T22:00:00.1234567Z", "3213801234"]
    assert leak(line(" ".join(shown)), Originals()) is None


def test_what_unfolds_to_too_much_is_a_leak(originals):
    bomb = gzip.compress(b"\0" * (search.LARGEST + 10))
    assert "more than can be looked through" == leak(line(b64(bomb)), originals).what


def test_noise_is_no_leak(originals):
    """Random letters and random bytes in base64: nothing in them is taken for a person."""
    rng = random.Random(11)
    for _ in range(5):
        letters = "".join(rng.choices(string.ascii_letters + " ", k=20_000))
        assert leak(line(letters) + line(b64(rng.randbytes(20_000))), originals) is None
