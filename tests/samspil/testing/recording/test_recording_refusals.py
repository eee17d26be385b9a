"""A person or a secret in whatever place: the recording is not saved, and the error names the place only."""

import base64
import gzip
import io
import json
import zipfile
from pathlib import Path

import msgspec
import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from samspil.account import Account
from samspil.errors import SettingsError
from samspil.testing.recording import Recorder, RecordingSandbox, load
from samspil.testing.recording.recorder import METHODS
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

RULES = load(Path(__file__).parent / "journal_rest.yaml")
CPR = "6101800017"  # a municipality's replacement number, so nobody's; it is outside of the synthetic range
TOKEN = "tok-5f2e8a71c0d94b36"
ACCOUNT = {"login": "klient-4711", "password": "aldrig-at-gemme", "extra": {"tenant": "centre-1"}}
PERSON = {"id": "ORD-20418", "cprNumber": CPR, "courseOrderId": "BST-777888", "text": "Taler med Bodil Østergaard"}
PAGE = {"data": [PERSON], "hasMore": False}


class Scripted(Sandbox):
    """Answers whatever it was told, to any call."""

    def __init__(self, answer=None, content_type="application/json", **headers):
        super().__init__(World("760", citizens=0))
        self.answer = json.dumps(PAGE).encode() if answer is None else answer
        self.answer_headers = {"content-type": content_type, **headers}

    def routes(self):
        async def any_call(_request):
            return Response(self.answer, headers=self.answer_headers)

        return Starlette(routes=[Route("/{path:path}", any_call, methods=METHODS)])

    @property
    def account(self):
        return Account(id="journal", host=self.host, port=self.port, **ACCOUNT)


def saved(file, system, *, rules=RULES, path="/v1/journal-notes", largest=1 << 20, **call):
    """Record one call to a scripted system and save it; what the file says of the call."""
    with system, Recorder("journal_rest", system.account, rules, largest=largest) as recorder:
        requests.request(call.pop("method", "GET"), f"{recorder.account.url}{path}", timeout=10, **call)
        recorder.save(file)
    return msgspec.json.decode(file.read_bytes().splitlines()[1])


def rules(**more):
    """The journal's rules with some more, as somebody careless might write them."""
    return msgspec.structs.replace(RULES, **{name: getattr(RULES, name) | value for name, value in more.items()})


def page(**fields):
    return json.dumps({"data": [{**PERSON, **fields}], "hasMore": False}).encode()


def in_base64(text):
    return base64.b64encode(text.encode()).decode()


CARELESS = {
    "header": ({"headers": {"X-Case": "keep"}}, Scripted(), {"headers": {"X-Case": f"sag {CPR}"}}),
    "header of the answer": ({"headers": {"ETag": "keep"}}, Scripted(None, etag=f'"{CPR}"'), {}),
    "query": ({"query": {"cpr": "keep"}}, Scripted(), {"params": {"cpr": f"{CPR[:6]}-{CPR[6:]}"}}),
    "path": ({"paths": {"/v1/persons/{cpr}": {"cpr": "keep"}}}, Scripted(), {"path": f"/v1/persons/{CPR}"}),
    "field outside of the record": ({"fields": {"note": "keep"}}, Scripted(json.dumps({**PAGE, "note": f"se {CPR}"}).encode()), {}),
    "base64 in a field": ({"fields": {"note": "keep"}}, Scripted(json.dumps({**PAGE, "note": in_base64(f"se {CPR}")}).encode()), {}),
    "hex in a field": ({"fields": {"note": "keep"}}, Scripted(json.dumps({**PAGE, "note": CPR.encode().hex()}).encode()), {}),
    "name in a field": ({"fields": {"note": "keep"}}, Scripted(json.dumps({**PAGE, "note": "Taler med Bodil Østergaard"}).encode()), {}),
    "key in a field": ({"fields": {"note": "keep"}}, Scripted(json.dumps({**PAGE, "note": "se ORD-20418"}).encode()), {}),
    "gzip body": (
        {"fields": {"note": "keep"}},
        Scripted(gzip.compress(json.dumps({**PAGE, "note": CPR}).encode()), **{"content-encoding": "gzip"}),
        {},
    ),
    "gzip in base64 in a field": (
        {"fields": {"note": "keep"}},
        Scripted(json.dumps({**PAGE, "note": base64.b64encode(gzip.compress(f"cpr {CPR}".encode())).decode()}).encode()),
        {},
    ),
    "error message": ({"fields": {"error": "keep"}}, Scripted(json.dumps({"error": f"ukendt borger {CPR}"}).encode()), {}),
    "token in an error message": (
        {"fields": {"error": "keep"}},
        Scripted(json.dumps({"error": f"token {TOKEN} udløbet"}).encode()),
        {"headers": {"Authorization": f"Bearer {TOKEN}"}},
    ),
    "password in a field": ({"fields": {"note": "keep"}}, Scripted(json.dumps({**PAGE, "note": ACCOUNT["password"]}).encode()), {}),
    "login and password in base64": (
        {"fields": {"note": "keep"}},
        Scripted(json.dumps({**PAGE, "note": in_base64(f"{ACCOUNT['login']}:{ACCOUNT['password']}")}).encode()),
        {},
    ),
    "cookie in a field": (
        {"fields": {"note": "keep"}},
        Scripted(json.dumps({**PAGE, "note": "9f1c33ab77de"}).encode(), **{"set-cookie": "session=9f1c33ab77de"}),
        {},
    ),
    "file name": (
        {"fields": {"(filename)": "keep", "file": "keep"}},
        Scripted(),
        {"method": "POST", "files": {"file": (f"plan_{CPR}.txt", "x", "text/plain")}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", CARELESS)
def test_the_search_finds_what_a_careless_rule_let_through(tmp_path, place, files_written):
    more, system, call = CARELESS[place]
    with pytest.raises(SettingsError) as caught:
        saved(tmp_path / "leak.jsonl", system, rules=rules(**more), **call)
    assert "recording-leak" == caught.value.reason
    assert "call 1 (" in str(caught.value)
    for value in (CPR, "Bodil", "ORD-20418", TOKEN, ACCOUNT["password"]):
        assert value not in str(caught.value)
    assert [] == list(tmp_path.iterdir())
    assert [] == files_written


NOT_COVERED = {
    "a query that no rule has": ({"params": {"cpr": CPR}}, Scripted(), "call 1 (GET /v1/{collection}), query.cpr"),
    "a path that no rule has": ({"path": f"/v2/{CPR}"}, Scripted(), "call 1 (GET), the path"),
    "a field that is not in the contract": ({}, Scripted(page(nickname="Bo")), "the answer's body, data.nickname"),
    "a field whose name is a person": ({}, Scripted(page(**{CPR: 1})), "the answer's body, data.?"),
    "a field outside of the record": ({}, Scripted(b'{"data":[],"hasMore":false,"by":"x"}'), "the answer's body, by"),
    "a wrapper that nobody knows": ({}, Scripted(b'{"Bodil":{"hasMore":false}}'), "the answer's body, Bodil.hasMore"),
}


@pytest.mark.parametrize("what", NOT_COVERED)
def test_what_nothing_covers_is_refused_by_the_name_of_its_place(tmp_path, what, files_written):
    call, system, place = NOT_COVERED[what]
    with pytest.raises(SettingsError) as caught:
        saved(tmp_path / "x.jsonl", system, **call)
    assert "recording-not-covered" == caught.value.reason
    assert place in str(caught.value)
    assert CPR not in str(caught.value)
    assert [] == files_written


@pytest.mark.parametrize(
    ("answer", "content_type"),
    [
        (b'{"data":[', "application/json"),
        (b"<a>", "text/xml"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "text/xml"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x00\x01", "image/jpeg"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b\x08", "application/gzip"),
        (b"{}", ""),
        (b"--x--", "multipart/mixed; boundary=y"),
    ],
)
def test_a_body_that_cannot_be_looked_into_is_refused(tmp_path, answer, content_type):
    with pytest.raises(SettingsError) as caught:
        saved(tmp_path / "x.jsonl", Scripted(answer, content_type))
    assert caught.value.reason in ("recording-unreadable", "recording-not-covered")
    assert [] == list(tmp_path.iterdir())


def test_a_header_that_no_rule_has_is_left_out(tmp_path):
    found = saved(tmp_path / "x.jsonl", Scripted(None, etag=CPR), headers={"X-Case": CPR, "Cookie": "a=hemmelig-kage"})
    assert {"accept", "content-type"} >= found["headers"].keys()
    assert {"content-type"} == found["answer_headers"].keys()
    assert CPR not in str(found)


def test_a_file_name_with_a_person_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="the file's name: still has something that is a CPR number"):
        saved(tmp_path / f"optagelse-{CPR}.jsonl", Scripted())
    assert [] == list(tmp_path.iterdir())


def test_what_is_larger_than_the_limit_is_forgotten_and_refused(tmp_path):
    system = Scripted(b" " * 200_000, "text/plain")
    with pytest.raises(SettingsError) as caught:
        saved(tmp_path / "x.jsonl", system, largest=100_000)
    assert "recording-too-large" == caught.value.reason
    assert [] == list(tmp_path.iterdir())


def test_a_bomb_in_gzip_counts_unpacked(tmp_path):
    system = Scripted(gzip.compress(b" " * 5_000_000), "text/plain", **{"content-encoding": "gzip"})
    with pytest.raises(SettingsError, match="more than 100000 bytes"):
        saved(tmp_path / "x.jsonl", system, largest=100_000)


def test_nothing_but_the_scrubbed_file_is_written(tmp_path, files_written):
    saved(tmp_path / "good.jsonl", Scripted())
    assert [tmp_path / "good.jsonl"] == list(tmp_path.iterdir())
    assert files_written
    assert [] == [name for name in files_written if not name.startswith(str(tmp_path))]


def test_an_empty_recording_is_refused(tmp_path):
    with Scripted() as system, Recorder("journal_rest", system.account, RULES) as recorder:  # noqa: SIM117 - the save
        with pytest.raises(SettingsError, match="nothing was recorded"):
            recorder.save(tmp_path / "x.jsonl")


def test_the_system_that_is_down_is_not_recorded(tmp_path):
    system = Scripted()
    system.start()
    system.stop()
    with Recorder("journal_rest", system.account, RULES) as recorder:
        assert 502 == requests.get(f"{recorder.account.url}/v1/x", timeout=10).status_code
        with pytest.raises(SettingsError, match="nothing was recorded"):
            recorder.save(tmp_path / "x.jsonl")


def test_an_account_s_setting_that_no_rule_has_is_refused(tmp_path):
    with Scripted() as system:
        account = msgspec.structs.replace(system.account, extra={"tenant": "centre-1", "scope": "journal"})
        with Recorder("journal_rest", account, RULES) as recorder:
            requests.get(f"{recorder.account.url}/v1/journal-notes", timeout=10)
            with pytest.raises(SettingsError, match=r"the account, setting.scope: is covered by no"):
                recorder.save(tmp_path / "x.jsonl")


def test_an_address_in_the_settings_and_links_in_answers_lead_through_the_recorder(tmp_path):
    """The token's server is another one, and the next page is a link: both are recorded and replayed."""
    file = tmp_path / "links.jsonl"
    with Scripted(b'{"access_token":"hemmelig-adgang","expires_in":60}') as tokens, Scripted() as system:
        system.answer = json.dumps({**PAGE, "next": f"{system.account.url}/v1/journal-notes?page=2"}).encode()
        extra = {"tenant": "centre-1", "token_url": f"{tokens.account.url}/oauth/token"}
        account = msgspec.structs.replace(system.account, extra=extra)
        more = rules(paths={"/-/1/oauth/token": {}}, fields={"next": "link"})
        with Recorder("journal_rest", account, more) as recorder:
            requests.post(recorder.account.extra["token_url"], timeout=10)
            first = requests.get(f"{recorder.account.url}/v1/journal-notes?page=1", timeout=10).json()
            assert first["next"].startswith(recorder.account.url)
            requests.get(first["next"], timeout=10)
            assert 3 == recorder.save(file)
        assert (1, 2) == (len(tokens.calls), len(system.calls))
    with RecordingSandbox(file) as sandbox:
        assert requests.post(sandbox.account.extra["token_url"], timeout=10).json()["access_token"] != "hemmelig-adgang"
        page = requests.get(f"{sandbox.account.url}/v1/journal-notes?page=1", timeout=10).json()
        assert requests.get(page["next"], timeout=10).json()["data"] == page["data"]


def test_a_zip_with_a_file_that_cannot_be_read_is_refused(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("brev.pdf", b"%PDF")
    with pytest.raises(SettingsError, match=r"\(binary\): is covered by no"):
        saved(tmp_path / "x.jsonl", Scripted(out.getvalue(), "application/zip"))
