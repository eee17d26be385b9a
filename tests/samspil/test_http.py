import contextlib
import logging
import math
import socket
import threading
import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from samspil.account import Account
from samspil.cut import Cut, RecordShape
from samspil.errors import AccessError, Refused, SettingsError, Unavailable
from samspil.http import HttpSettings, Session
from samspil.testing.sandbox import Sandbox
from samspil.testing.traced import traced
from samspil.testing.world import World

WORLD = World("760", citizens=1)
CPR = "1503497805"


class Echo(Sandbox):
    """Answers with what it was asked."""

    def routes(self):
        async def echo(request):
            self.kept["body"][str(len(self.kept["body"]))] = await request.body()
            return Response(f"{request.method} {request.url.path}?{request.url.query}")

        async def redirect(request):
            return RedirectResponse("http://127.0.0.2:9/elsewhere")

        async def status(request):
            return Response(status_code=int(request.path_params["code"]))

        methods = ["GET", "POST", "PUT", "DELETE"]
        return Starlette(
            routes=[
                Route("/v1/redirect", redirect),
                Route("/v1/status/{code}", status),
                Route("/v1/{rest:path}", echo, methods=methods),
            ]
        )

    def account_fields(self):
        return {"schema": "v1"}


@pytest.fixture
def sandbox():
    with Echo(WORLD) as started:
        yield started


@pytest.fixture
def connect():
    made = []

    def session(account, *, passed=(), **settings):
        made.append(Session("journal", HttpSettings(url=account.url, **{"timeout": 5, **settings}), passed=passed))
        return made[-1]

    yield session
    for one in made:
        one.close()


@pytest.fixture
def session(sandbox, connect):
    return connect(sandbox.account, attempts=1)


def test_a_path_is_below_the_accounts_address_and_its_parts_are_quoted(session, sandbox):
    answer = session.send("GET", "/orders/{id}", parts={"id": "../x?y=ø/"}, query={"page": 1})
    assert sandbox.calls == ["GET /v1/orders/../x?y=ø/"]
    assert (answer.status, answer.body[-7:]) == (200, b"?page=1")
    assert answer.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_a_part_that_would_change_the_address_is_refused(session, sandbox, part):
    with pytest.raises(Refused, match="bad-id"):
        session.send("DELETE", "/orders/{id}", parts={"id": part})
    assert sandbox.calls == []


def test_a_whole_url_is_called_as_it_is(session, sandbox):
    assert session.send("GET", f"http://127.0.0.1:{sandbox.port}/v1/token").body == b"GET /v1/token?"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:{port}/v1/x",
        "http://127.0.0.1:9/v1/x",
        "https://127.0.0.1:{port}/v1/x",
        "http://127.0.0.1:{port}@127.0.0.2/v1/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/x",
        "http://127.0.0.1:port/x",
        "://",
    ],
)
def test_a_url_of_another_host_is_not_called(connect, sandbox, url):
    """Both servers listen: an address that an answer told would be reached."""
    with Echo(WORLD) as other:
        session = connect(sandbox.account, attempts=1)
        for call in (
            lambda address: session.send("GET", address),
            lambda address: session.post(address, data=b"", headers={}),
        ):
            with pytest.raises(SettingsError) as caught:
                call(url.format(port=other.port))
            assert "elsewhere" == caught.value.reason
        assert [] == other.calls + sandbox.calls


def test_a_host_that_the_settings_name_is_called(session):
    with Echo(WORLD) as login:
        session.allow(f"http://127.0.0.1:{login.port}/v1/token")
        assert 200 == session.send("POST", f"http://127.0.0.1:{login.port}/v1/token", data=b"").status


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http:///x", "http://x:port/", "ftp://127.0.0.1/x"])
def test_an_address_that_is_none_over_http_is_not_allowed(session, url):
    with pytest.raises(SettingsError):
        session.allow(url)


@pytest.mark.parametrize("status", [200, 201, 204, 400, 404, 409, 412, 422])
def test_an_answer_that_the_connector_understands_is_handed_over(session, status):
    assert session.send("GET", f"/status/{status}").status == status


@pytest.mark.parametrize("status", [401, 403])
def test_no_entry_is_an_access_error(session, status):
    with pytest.raises(AccessError) as caught:
        session.send("GET", f"/status/{status}")
    assert caught.value.reason == f"status-{status}"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_busy_or_broken_system_is_unavailable(session, status):
    with pytest.raises(Unavailable) as caught:
        session.send("GET", f"/status/{status}")
    assert (caught.value.reason, caught.value.retry_after) == (f"status-{status}", None)


def test_a_status_that_a_system_uses_as_answer_is_passed(connect, sandbox):
    assert connect(sandbox.account, passed=(500,)).send("GET", "/status/500").status == 500


def test_a_redirect_is_not_followed(session):
    with pytest.raises(SettingsError, match="status 307; put the system's new address"):
        session.send("GET", "/redirect")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(2, 2.0), ("0.5", 0.5), ("soon", None), ("", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("nan", None)],
)
def test_retry_after_is_understood(session, sandbox, given, seconds):
    sandbox.faults.add("status:503", retry_after=given)
    with pytest.raises(Unavailable) as caught:
        session.send("GET", "/x")
    assert caught.value.retry_after == seconds


def test_retry_after_may_be_a_date(session, sandbox):
    sandbox.faults.add("status:503", retry_after=format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True))
    with pytest.raises(Unavailable) as caught:
        session.send("GET", "/x")
    assert 290 < caught.value.retry_after <= 300


@pytest.mark.parametrize(
    ("fault", "reason"), [("truncate", "answer-truncated"), ("lost-answer", "closed"), ("timeout", "timeout")]
)
def test_an_answer_that_does_not_come_whole_is_unavailable(sandbox, connect, fault, reason):
    session = connect(sandbox.account, attempts=1, timeout=0.1 if fault == "timeout" else 5)
    sandbox.faults.add(fault)
    with pytest.raises(Unavailable) as caught:
        session.send("GET", "/x")
    assert caught.value.reason == reason


def test_a_system_that_is_down_or_unknown_is_unavailable(sandbox, session, connect):
    sandbox.stop()
    with pytest.raises(Unavailable) as caught:
        session.send("GET", "/x")
    assert caught.value.reason == "not-reached"


@pytest.mark.parametrize(("scheme", "host"), [("ftp", "127.0.0.1"), ("http", ""), ("http", "[::1")])
def test_an_address_that_is_none_is_a_settings_error(connect, scheme, host):
    with pytest.raises(SettingsError, match="is not the address"):
        connect(Account(id="journal", conn_type=scheme, host=host)).send("GET", "/x")


def test_an_answer_that_is_too_large_is_unavailable_and_not_asked_for_again(sandbox, connect, monkeypatch):
    monkeypatch.setattr("samspil.answer.LARGEST", 9)
    with pytest.raises(Unavailable) as caught:
        connect(sandbox.account).send("GET", "/x")
    assert (caught.value.reason, len(sandbox.calls)) == ("answer-size", 1)


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_that_unpacks_to_more_than_may_be_is_unavailable_and_never_held(monkeypatch, streamed):
    """Half a gigabyte of blanks in half a megabyte of gzip, over a real socket."""
    monkeypatch.setattr("samspil.answer.LARGEST", 4 << 20)
    bomb = b"".join(_packed(512 << 20))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        thread = threading.Thread(target=_answer_once, args=(server, bomb), daemon=True)
        thread.start()
        session = Session("x", HttpSettings(url=address, timeout=10, attempts=1))
        with contextlib.closing(session), traced() as memory:
            with pytest.raises(Unavailable) as caught:
                _read(session, address, streamed=streamed)
            peak = memory.peak
        thread.join(10)
    assert ("answer-truncated" if streamed else "answer-size") == caught.value.reason  # the blanks never end
    assert peak < 64 << 20


_SHAPE = RecordShape("urn:x", "R", "Id", "p")


def _read(session, address, *, streamed):
    if not streamed:
        session.send("GET", "/")
    list(Cut(session.post(address, data=b"", headers={}).iter_content(1 << 18), _SHAPE, system="x"))


def _packed(size):
    packer = zlib.compressobj(9, wbits=31)
    yield packer.compress(b"<a>")
    for _ in range(size >> 20):
        yield packer.compress(b" " * (1 << 20))
    yield packer.flush()


def _answer_once(server, body):
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        with contextlib.suppress(OSError):  # the other side hangs up
            connection.sendall(head.encode() + body)


def test_what_passes_is_tried_again_after_the_time_asked_for(sandbox, connect):
    sandbox.faults.add("status:429", retry_after="0.2")
    began = time.monotonic()
    assert connect(sandbox.account).send("GET", "/x").status == 200
    assert time.monotonic() - began >= 0.2
    assert len(sandbox.calls) == 2


def test_it_gives_up_after_a_few_times(sandbox, connect):
    sandbox.faults.add("status:503", times=math.inf, retry_after=0)
    with pytest.raises(Unavailable):
        connect(sandbox.account, attempts=3).send("GET", "/x")
    assert len(sandbox.calls) == 3


def test_a_long_wait_is_left_to_airflow(sandbox, connect):
    sandbox.faults.add("status:503", retry_after=600)
    with pytest.raises(Unavailable) as caught:
        connect(sandbox.account).send("GET", "/x")
    assert (caught.value.retry_after, len(sandbox.calls)) == (600, 1)


def test_no_entry_is_not_tried_again(sandbox, connect):
    with pytest.raises(AccessError):
        connect(sandbox.account).send("GET", "/status/401")
    assert len(sandbox.calls) == 1


def test_a_post_is_sent_again_only_if_it_had_no_effect_or_may_be_repeated(sandbox, connect):
    session = connect(sandbox.account)
    sandbox.faults.add("lost-answer")
    with pytest.raises(Unavailable):
        session.send("POST", "/x", data=b"1")
    assert len(sandbox.kept["body"]) == 1
    sandbox.faults.add("status:503", retry_after=0)
    session.send("POST", "/x", data=b"2")
    assert len(sandbox.kept["body"]) == 2
    sandbox.faults.add("lost-answer")
    session.send("POST", "/x", data=b"3", repeatable=True)
    assert len(sandbox.kept["body"]) == 4


def test_a_posted_answer_can_be_streamed(session, sandbox):
    response = session.post(f"{sandbox.account.url}/x", data=b"<a/>", headers={"SOAPAction": '""'})
    assert b"".join(response.iter_content(4)) == b"POST /v1/x?"
    response.close()
    assert session.post(f"{sandbox.account.url}/x", data=b"", headers={}, stream=False).content == b"POST /v1/x?"


def test_a_truncated_stream_is_noticed_by_its_reader(session, sandbox):
    sandbox.faults.add("truncate")
    response = session.post(f"{sandbox.account.url}/x", data=b"", headers={})
    with pytest.raises(requests.RequestException):
        b"".join(response.iter_content(1 << 18))
    response.close()


def test_the_rate_is_kept(sandbox, connect):
    session = connect(sandbox.account, rate=50)
    began = time.monotonic()
    for _ in range(6):
        session.send("GET", "/x")
    assert time.monotonic() - began >= 5 / 50


@pytest.mark.parametrize("fault", ["status:503", "truncate", "lost-answer", "status:401", "status:302"])
def test_messages_and_logs_hold_neither_query_nor_path_parts_nor_body(sandbox, session, fault, caplog):
    caplog.set_level(logging.DEBUG)
    sandbox.faults.add(fault)
    with pytest.raises((Unavailable, AccessError, SettingsError)) as caught:
        session.send("PUT", "/citizens/{cpr}", parts={"cpr": CPR}, query={"cpr": CPR}, data=CPR.encode())
    session.send("GET", "/x", query={"cpr": CPR})
    error = caught.value
    assert error.__cause__ is None
    assert CPR not in f"{error!r} {error.__suppress_context__ or error.__context__} {caplog.text}"
