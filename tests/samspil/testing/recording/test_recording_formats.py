"""What becomes of values in each format, and of each kind of value."""

import base64
import gzip
import hashlib
import io
import json
import random
import ssl
import zipfile

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from samspil.account import Account
from samspil.errors import SettingsError
from samspil.identifiers import cpr_kind, cvr
from samspil.testing import persons
from samspil.testing.certificates import Certificates
from samspil.testing.recording import Recorder, RecordingSandbox, Rules, load
from samspil.testing.recording.coverage import Coverage
from samspil.testing.recording.exchange import Exchange
from samspil.testing.recording.exchange import load as load_recording
from samspil.testing.recording.originals import cprs, synthetic
from samspil.testing.recording.scrubber import Scrubber
from samspil.testing.recording.substitutes import Substitutes
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

CPR = "6101800017"  # a municipality's replacement number, so nobody's
NOTE = "Kom for sent to gange i denne uge; siger selv: jeg sover dårligt."
FIELDS = {
    "cpr": "cpr",
    "name": "words",
    "note": "text",
    "phone": "phone",
    "email": "email",
    "cvr": "cvr",
    "p": "p_number",
    "key": "words",
    "file": "content",
    "sum": "digest",
    "other": "any",
    "secret": "secret",
    "(binary)": "content",
    "Include.@href": "words",
}
RULES = Rules(paths={"/x": {}}, fields=FIELDS, records=["rows"], known=["rows", "doc", "part", "urn:x"])
COVERAGE = Coverage("journal_rest", RULES)


def scrubbed(answer, content_type, *, login="klient", password="hemmeligt"):
    """An answer's body and Content-Type as they are saved, through bytes."""
    call = Exchange(
        method="GET",
        path="/x",
        query=[],
        headers={},
        body=b"",
        status=200,
        answer_headers={"content-type": content_type},
        answer=answer,
    )
    account = Account(id="x", login=login, password=password)
    kept = Scrubber("journal_rest", COVERAGE, account)
    kept.scrub([call], "x.jsonl")
    (found,) = kept._recording([call]).exchanges
    return found.answer, found.answer_headers["content-type"]


def values(**fields):
    """Fields of a JSON answer after scrubbing."""
    return json.loads(scrubbed(json.dumps(fields).encode(), "application/json")[0])


def test_a_cpr_number_keeps_its_division_and_its_kind():
    divided, plain = values(cpr=f"{CPR[:6]}-{CPR[6:]}")["cpr"], values(cpr=CPR)["cpr"]
    assert ("-", 11, 10) == (divided[6], len(divided), len(plain))
    assert synthetic(plain)
    assert cpr_kind(CPR) == cpr_kind(plain)


def test_a_cpr_number_is_the_same_person_in_whatever_field_and_form():
    found = values(cpr=CPR, key=f"SAG-{CPR}", other=CPR)
    assert found["cpr"] == found["other"]
    assert found["key"].endswith(found["cpr"])


def test_a_cpr_number_written_as_a_number_stays_one():
    found = values(cpr=int(CPR))["cpr"]
    assert type(found) is int
    assert synthetic(str(found).zfill(10))


def test_what_is_no_cpr_number_becomes_none():
    found = values(cpr="6113800017")["cpr"]  # no such month
    assert (10, True) == (len(found), found.isdigit())
    assert found != "6113800017"
    assert [] == list(cprs(found))


@pytest.mark.parametrize("given", ["+45 12 34 56 78", "12345678", "0045 12345678"])
def test_a_phone_number_keeps_its_form_and_cannot_ring(given):
    found = values(phone=given)["phone"]
    assert [char.isdigit() for char in given] == [char.isdigit() for char in found]
    assert "0" == "".join(filter(str.isdigit, found))[-8]
    assert given != found


def test_an_e_mail_address_is_at_nobody_s():
    given = "bodil.ostergaard@randers.dk"
    found = values(email=given)["email"]
    assert (len(given), "example.dk") == (len(found), found.partition("@")[2])


def test_a_company_s_numbers_stay_valid():
    number = persons.cvr(random.Random(1))
    found = values(cvr=number, p="1003730001")
    assert number != found["cvr"]
    assert cvr(found["cvr"]) == found["cvr"]
    assert (10, "46") == (len(found["p"]), found["p"][:2])


def test_names_keep_their_form_and_danish_letters():
    found = values(name="Bodil Kjær-Østergaard")["name"]
    assert [5, 4, 10] == [len(part) for part in found.replace("-", " ").split()]
    assert found == found.title()
    assert not found.isascii()


def test_a_part_of_a_name_is_the_same_in_every_field():
    found = values(name="Bodil Kjær", other="Kjær")
    assert found["name"].split()[1] == found["other"]


def test_a_free_text_has_its_length_and_none_of_its_words():
    found = values(note=NOTE)["note"]
    assert len(NOTE) == len(found)
    assert not set(NOTE.lower().split()) & set(found.lower().split())
    assert ";" in found


def test_a_checksum_follows_its_content():
    content = b"et brev til Bodil"
    encoded = base64.b64encode(content).decode()
    found = values(file=encoded, sum=hashlib.sha256(content).hexdigest())
    new = base64.b64decode(found["file"])
    assert len(content) == len(new)
    assert content != new
    assert hashlib.sha256(new).hexdigest() == found["sum"]


def test_keys_of_every_length_stay_apart():
    keys = [str(number) for number in range(300)]
    found = values(rows=[{"key": key} for key in keys])["rows"]
    assert [len(key) for key in keys] == [len(one["key"]) for one in found]
    assert 300 == len({one["key"] for one in found})


def test_numbers_and_flags_of_no_known_kind_are_replaced_by_their_like():
    found = values(rows=[{"other": value} for value in (True, 12345, 1.25, None, "2026-01-02")])["rows"]
    assert [bool, int, float, type(None), str] == [type(one["other"]) for one in found]
    assert 12345 != found[1]["other"]
    assert 10 == len(found[4]["other"])


def test_two_keys_of_json_with_the_same_name_leave_one():
    found, _ = scrubbed(b'{"secret":"aldrig-at-gemme","secret":"noget-andet"}', "application/json")
    assert b"gemme" not in found


def test_xml_loses_comments_instructions_and_security():
    body = (
        f'<?xml version="1.0"?><doc xmlns="urn:x"><!-- {CPR} --><?note {CPR}?><name>Bodil</name>'
        f"<cpr>{CPR}</cpr><note/></doc>"
    ).encode()
    found, _ = scrubbed(body, "text/xml; charset=utf-8")
    assert CPR.encode() not in found
    assert b"note " not in found
    assert b"<cpr>" in found
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    secured = (
        f'<s:Envelope xmlns:s="{soap}"><s:Header><w:Security xmlns:w="urn:w"><w:BinarySecurityToken>TUlJ'
        f"</w:BinarySecurityToken></w:Security></s:Header><s:Body><name>Bodil</name></s:Body></s:Envelope>"
    ).encode()
    found, _ = scrubbed(secured, "text/xml")
    assert b"Token" not in found


@pytest.mark.parametrize(
    "body", [b"<doc>x<name>y</name></doc>", b'<doc who="Bo"/>', b'<doc xmlns:p="urn:y"/>', b"<Bo/>"]
)
def test_xml_with_something_that_nobody_knows_is_refused(body):
    with pytest.raises(SettingsError, match="nothing was saved"):
        scrubbed(body, "text/xml")


def test_csv_keeps_columns_delimiter_and_encoding():
    body = f'cpr;name;note\r\n{CPR};"Kjær; Bodil";Ærlig\r\n{CPR};Åse;\r\n'.encode("latin-1")
    found, _ = scrubbed(body, "text/csv")
    rows = found.decode("latin-1").splitlines()
    assert "cpr;name;note" == rows[0]
    assert rows[1].split(";")[0] == rows[2].split(";")[0] != CPR
    assert b"Bodil" not in found


def test_csv_with_a_column_that_nobody_knows_is_refused():
    with pytest.raises(SettingsError, match="nickname: is covered by no"):
        scrubbed(b"cpr,nickname\n,\n", "text/csv")


def test_a_zip_keeps_its_members_and_not_their_names():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(f"{CPR}.json", f'{{"cpr":"{CPR}"}}')
        packed.comment = CPR.encode()
    found, _ = scrubbed(out.getvalue(), "application/zip")
    with zipfile.ZipFile(io.BytesIO(found)) as packed:
        (member,) = packed.namelist()
        content = packed.read(member)
    assert CPR not in member
    assert member.endswith(".json")
    assert CPR.encode() not in content + packed.comment


def test_gzip_keeps_its_content_s_form():
    found, _ = scrubbed(gzip.compress(f'{{"cpr":"{CPR}"}}'.encode()), "application/gzip")
    assert gzip.decompress(found).startswith(b'{"cpr":"')
    assert CPR.encode() not in gzip.decompress(found)


def test_a_form_with_a_file_loses_the_file_s_name_and_content():
    body = (
        f'--b\r\nContent-Disposition: form-data; name="cpr"\r\n\r\n{CPR}\r\n'
        f'--b\r\nContent-Disposition: form-data; name="part"; filename="{CPR}.pdf"\r\nX-By: Bodil\r\n'
        f"Content-Type: application/pdf\r\n\r\n%PDF Bodil\r\n--b--\r\n"
    ).encode()
    found, content_type = scrubbed(body, "multipart/form-data; boundary=b")
    assert 3 == found.count(b"--" + content_type.partition('"')[2].rstrip('"').encode())
    assert b'name="part"; filename="' in found
    assert b".pdf" in found
    for text in (CPR.encode(), b"Bodil", b"X-By"):
        assert text not in found


def test_a_message_with_an_attachment_still_points_at_it():
    xop = "http://www.w3.org/2004/08/xop/include"
    root = f'<doc xmlns="urn:x"><file><i:Include xmlns:i="{xop}" href="cid:brev-{CPR}@bo"/></file></doc>'
    body = (
        f"--b\r\nContent-ID: <root@bo>\r\nContent-Type: application/xop+xml\r\n\r\n{root}\r\n"
        f"--b\r\nContent-ID: <brev-{CPR}@bo>\r\nContent-Type: application/octet-stream\r\n\r\n\x00\x01brev\r\n--b--"
    ).encode()
    found, content_type = scrubbed(body, 'multipart/related; boundary=b; start="<root@bo>"')
    identity = found.split(b'href="cid:')[1].split(b'"')[0]
    assert b"Content-ID: <" + identity + b">" in found
    assert content_type.partition('start="')[2].rstrip('"').encode() in found
    assert CPR.encode() not in found


def test_text_is_one_field_whatever_markup_is_in_it():
    found, _ = scrubbed(f"<html>Ukendt borger {CPR}</html>".encode(), "text/html")
    assert b"html" not in found
    assert CPR.encode() not in found


def test_of_a_content_type_s_parameters_only_the_charset_is_kept():
    found = scrubbed(b'{"name":"Bodil"}', 'application/json; charset=UTF-8; name="bo.json"; by=Bo')
    assert "application/json; charset=utf-8" == found[1]


FORGOTTEN = {
    "cpr": CPR,
    "name": "Bodil Østergaard",
    "note": NOTE,
    "phone": "12 34 56 78",
    "email": "bodil@randers.dk",
    "cvr": persons.cvr(random.Random(1)),
    "p": "4610003730",
    "key": "ORD-20418",
    "file": base64.b64encode(b"et brev til Bodil fra sagsbehandleren").decode(),
    "other": "M1042",
    "secret": "aldrig-at-gemme",
}


@pytest.mark.parametrize("kind", FORGOTTEN)
def test_the_search_finds_what_a_scrubber_with_a_fault_forgot(monkeypatch, kind):
    """The second look does not lean on the first: with no value replaced at all, each kind is found by itself."""
    monkeypatch.setattr(Substitutes, "replaced", lambda _self, _treatment, value, _record: value)
    with pytest.raises(SettingsError, match="still has") as caught:
        scrubbed(json.dumps({kind: FORGOTTEN[kind]}).encode(), "application/json", login="", password="")
    assert FORGOTTEN[kind] not in str(caught.value)


def test_a_file_of_rules_says_what_stands_in_a_path(tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text("paths:\n  /a/{id}: {}\n")
    with pytest.raises(SettingsError, match=r"rules.yaml:2: .*what stands there"):
        load(file)
    file.write_text("fields: {a: keeep}\n")
    with pytest.raises(SettingsError, match=r"rules\.yaml:1"):
        load(file)


@pytest.mark.parametrize("content", ["", "x", '{"format":2}', '{"format":1,"connector":"a","account":{}}\n{}'])
def test_a_file_that_is_no_recording_is_refused(tmp_path, content):
    file = tmp_path / "x.jsonl"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"x\.jsonl"):
        load_recording(file)


class Secured(Sandbox):
    """A system that wants a client's certificate."""

    def __init__(self, certificates):
        super().__init__(World("760", citizens=0))
        self.certificates = certificates

    def routes(self):
        async def show(_request):
            return PlainTextResponse(NOTE)

        return Starlette(routes=[Route("/x", show)])

    def tls(self):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.certificates.ca))
        context.load_cert_chain(self.certificates.server)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def test_a_system_behind_mutual_tls_is_recorded_and_its_certificates_are_not(tmp_path):
    certificates = Certificates(tmp_path / "certificates")
    client = certificates.client("29189609", "Prøvekommune")
    file = tmp_path / "x.jsonl"
    with Secured(certificates) as system:
        extra = {"ca": str(certificates.ca), "certificate": str(client.p12), "certificate_password": client.password}
        account = Account(id="x", conn_type="https", host=system.host, port=system.port, extra=extra)
        with Recorder("journal_rest", account, RULES) as recorder:
            assert NOTE == requests.get(f"{recorder.account.url}/x", timeout=10).text
            recorder.save(file)
    assert client.password.encode() not in file.read_bytes()
    with RecordingSandbox(file) as sandbox:
        assert {} == sandbox.account.extra
        assert len(NOTE) == len(requests.get(f"{sandbox.account.url}/x", timeout=10).text)
