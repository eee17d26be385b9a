import math
import socket
import ssl
import threading
import time

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from samspil.testing.certificates import Certificates
from samspil.testing.sandbox import Sandbox
from samspil.testing.tls import client_certificate
from samspil.testing.world import World


class Counting(Sandbox):
    """Counts what it is sent."""

    def routes(self):
        async def put(request):
            self.kept["thing"][request.path_params["key"]] = await request.json()
            return JSONResponse({"held": len(self.kept["thing"])})

        async def show(request):
            return JSONResponse({"night": self.night, "secret": client_certificate(request.scope) is not None})

        return Starlette(routes=[Route("/things/{key}", put, methods=["PUT"]), Route("/", show)])

    def account_fields(self):
        return {"login": "kalle", "schema": "v1"}


class Secured(Counting):
    def __init__(self, world, certificates):
        super().__init__(world)
        self.certificates = certificates

    def tls(self):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.certificates.ca))
        context.load_cert_chain(self.certificates.server)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context


@pytest.fixture
def sandbox():
    with Counting(World("760", citizens=1)) as started:
        yield started


@pytest.fixture
def session():
    with requests.Session() as opened:
        yield opened


@pytest.fixture
def url(sandbox):
    return f"http://127.0.0.1:{sandbox.port}"


def put(session, url, key="1"):
    return session.put(f"{url}/things/{key}", json={"a": 1}, timeout=5)


def test_it_is_reached_by_its_account(sandbox, session):
    account = sandbox.account
    assert (account.login, account.url) == ("kalle", f"http://127.0.0.1:{sandbox.port}/v1")
    assert session.get(account.url.removesuffix("/v1"), timeout=5).json() == {"night": 1, "secret": False}


def test_it_keeps_what_it_receives_and_notes_the_calls(sandbox, session, url):
    put(session, url)
    put(session, url, key="2")
    assert sandbox.held("thing") == {"1": {"a": 1}, "2": {"a": 1}}
    assert sandbox.calls == ["PUT /things/1", "PUT /things/2"]


def test_it_goes_to_another_night(sandbox, session, url):
    sandbox.to_night(2)
    assert session.get(url, timeout=5).json()["night"] == 2


def test_start_and_stop_are_quick_and_leave_no_thread():
    before = set(threading.enumerate())
    sandbox = Counting(World("760", citizens=1))
    began = time.perf_counter()
    sandbox.start()
    started = time.perf_counter()
    with requests.Session() as session:  # an idle connection must not hold up the stop
        put(session, f"http://127.0.0.1:{sandbox.port}")
        asked = time.perf_counter()
        sandbox.stop()
    stopped = time.perf_counter()
    assert set(threading.enumerate()) == before
    assert started - began < 0.2
    assert stopped - asked < 0.2
    sandbox.stop()


def test_a_stopped_sandbox_is_down_and_comes_back_where_it_was(sandbox, session, url):
    put(session, url)
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        session.get(url, timeout=5)
    sandbox.start()
    put(session, url, key="2")
    assert sorted(sandbox.held("thing")) == ["1", "2"]


def test_a_taken_port_is_an_error_at_start():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sandbox = Counting(World("760", citizens=1))
        sandbox.port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            sandbox.start()


def test_a_status_is_answered_with_its_retry_after_and_has_no_effect(sandbox, session, url):
    sandbox.faults.add("status:503", path="/things", retry_after=2)
    session.get(url, timeout=5).raise_for_status()
    answer = put(session, url)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert sandbox.held("thing") == {}
    assert put(session, url).status_code == 200


def test_a_retry_after_may_be_a_date(sandbox, session, url):
    sandbox.faults.add("status:429", retry_after="Fri, 30 Oct 2026 03:00:00 GMT")
    assert session.get(url, timeout=5).headers["retry-after"] == "Fri, 30 Oct 2026 03:00:00 GMT"


def test_a_truncated_answer_ends_before_its_length(sandbox, url):
    sandbox.faults.add("truncate")
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
    head, body = received.split(b"\r\n\r\n")
    assert b"content-length: 26" in head.lower()
    assert body == b'{"night":1,"s'


def test_a_truncated_answer_is_noticed_by_requests(sandbox, session, url):
    sandbox.faults.add("truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(url, timeout=5)


def test_a_lost_answer_has_its_effect(sandbox, session, url):
    sandbox.faults.add("lost-answer")
    with pytest.raises(requests.ConnectionError):
        put(session, url)
    assert sandbox.held("thing") == {"1": {"a": 1}}


def test_garbage_is_no_json(sandbox, session, url):
    sandbox.faults.add("garbage")
    answer = session.get(url, timeout=5)
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_held_call_is_closed_after_its_seconds(sandbox, session, url):
    sandbox.faults.add("timeout", seconds=0.01)
    with pytest.raises(requests.ConnectionError):
        session.get(url, timeout=5)


def test_a_held_call_does_not_hold_up_the_stop(sandbox, session, url):
    sandbox.faults.add("timeout", seconds=60)
    with pytest.raises(requests.ReadTimeout):
        session.get(url, timeout=0.05)
    began = time.perf_counter()
    sandbox.stop()
    assert time.perf_counter() - began < 0.2


def test_faults_happen_as_often_and_as_late_as_asked(sandbox, session, url):
    sandbox.faults.add("status:500", after=1, times=2)
    assert [session.get(url, timeout=5).status_code for _ in range(4)] == [200, 500, 500, 200]
    sandbox.faults.add("status:500", times=math.inf)
    assert [session.get(url, timeout=5).status_code for _ in range(2)] == [500, 500]
    sandbox.faults.clear()
    assert session.get(url, timeout=5).status_code == 200


def test_a_fault_of_the_sandboxs_own_waits_for_the_sandbox(sandbox, session, url):
    sandbox.faults.add("half-batch", path="/things")
    assert put(session, url).status_code == 200
    assert sandbox.faults.take("half-batch", "/elsewhere") is None
    assert sandbox.faults.take("half-batch", "/things/7").kind == "half-batch"
    assert sandbox.faults.take("half-batch", "/things/7") is None


def test_a_client_certificate_is_seen_over_tls_and_faults_work_there(tmp_path, session):
    certificates = Certificates(tmp_path)
    session.trust_env = False
    session.verify = str(certificates.ca)
    with Secured(World("760", citizens=1), certificates) as sandbox:
        url = sandbox.account.url.removesuffix("/v1")
        assert url.startswith("https://")
        assert session.get(url, timeout=5).json()["secret"] is False
        session.close()
        session.cert = str(certificates.client("29189668", "Randers Kommune").pem)
        assert session.get(url, timeout=5).json()["secret"] is True
        sandbox.faults.add("lost-answer")
        with pytest.raises(requests.ConnectionError):
            put(session, url)
        assert sandbox.held("thing") == {"1": {"a": 1}}
