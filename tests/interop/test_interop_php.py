"""PHP's SoapServer, over HTTP: requests it understands, answers and faults we understand."""

from __future__ import annotations

import base64

import pytest

from samspil.cut import RecordShape
from samspil.errors import Refused

from .conftest import needed

needed("PHP SoapServer")


SHAPE = RecordShape("urn:x", "Sag", "Id", "ns1")
TEXT = "æøå ÆØÅ <&> ]]> \"' \t € 𝄞"


def test_php_reads_our_values_and_we_its(php, connect):
    content = bytes(range(256))
    found = connect(php).call("Hent", {"Id": TEXT, "Fil": content})
    assert (TEXT, content, 1) == (found["Sag"][0]["Id"], base64.b64decode(found["Sag"][0]["Fil"]), found["Antal"])


def test_php_reads_records_put_last_as_bytes(php, connect):
    records = [b"<p:Sag><p:Id>%d</p:Id></p:Sag>" % number for number in range(3)]
    found = connect(php).call("Hent", {"Id": "x"}, records=records, prefixes={"p": "urn:x"})
    assert ["x", "0", "1", "2"] == [one["Id"] for one in found["Sag"]]


def test_php_s_large_answer_is_cut_into_records(php, connect):
    reading = connect(php).read("Hent", {"Id": "mange5000"}, SHAPE)
    found = [raw for slices in reading for raw in slices.raws]
    assert "<ns1:Sag><ns1:Id>sag-4999 æøå &lt;&amp;&gt;</ns1:Id></ns1:Sag>".encode() == found[-1]
    assert ("5000", 5000) == (reading.value("Antal"), len(found))


@pytest.mark.parametrize("way", ["call", "read"])
def test_php_s_fault_is_typed_by_its_code(php, connect, way):
    soap = connect(php)
    with pytest.raises(Refused) as caught:
        soap.call("Hent", {"Id": "fault"}) if way == "call" else list(soap.read("Hent", {"Id": "fault"}, SHAPE))
    assert "fault-1014" == caught.value.reason
    assert "010150" not in str(caught.value)
