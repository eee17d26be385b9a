"""The sandbox is as strict as the real thing: what it lets pass, the real thing would."""

from __future__ import annotations

import pytest
import requests

from connectors.jobcenter.sandbox import PATH, JobcenterSandbox
from samspil import xml

JC = "urn:samspil:jobcenter:1"
SP = "http://serviceplatformen.dk/xml/schemas"
AUTHORITY = f'<a:AuthorityContext xmlns:a="{SP}/AuthorityContext/1/"><a:MunicipalityCVR>29189668</a:MunicipalityCVR></a:AuthorityContext>'
CALL = f'<c:CallContext xmlns:c="{SP}/CallContext/1/"><c:OnBehalfOfUser>{{}}</c:OnBehalfOfUser></c:CallContext>'
DELIVERY = (
    "<jc:Aflevering><jc:AfleveringsId>0b5b1b6e-0000-4000-8000-000000000000</jc:AfleveringsId>"
    "<jc:Handling>AFLEVER</jc:Handling><jc:Fremmoede><jc:FremmoedeId>1</jc:FremmoedeId></jc:Fremmoede></jc:Aflevering>"
)


def sent(sandbox, operation, inner, *, body=None, header="", **headers):
    message = f'<jc:{operation}Request xmlns:jc="{JC}">{inner}</jc:{operation}Request>'
    envelope = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<s:Header>{header}</s:Header><s:Body>{message}</s:Body></s:Envelope>"
    )
    sending = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{JC}/{operation}"', **headers}
    url = f"http://127.0.0.1:{sandbox.port}{PATH}"
    return requests.post(
        url, (body or envelope).encode(), headers=sending, auth=(sandbox.login, sandbox.password), timeout=10
    )


def code(response):
    return response.status_code, xml.text(xml.parse(response.content), "ErrorCode")


def test_the_contexts_are_asked_for_in_the_body_with_the_real_fault_text(sandbox):
    for header in ("", AUTHORITY):
        response = sent(sandbox, "AdgangHent", "", header=header)
        assert (500, "SIKKERHEDSMODEL") == code(response)
        expected = (
            "Security model for the called operation was not provided. "
            "The following are supported: [KombitToken, AuthorityContext]"
        )
        assert expected == xml.text(xml.parse(response.content), "faultstring")


def test_a_call_by_the_book_passes(sandbox):
    response = sent(sandbox, "AdgangHent", AUTHORITY + CALL.format("x" * 255))
    assert (200, "20") == (response.status_code, xml.text(xml.parse(response.content), "StatusKode"))


@pytest.mark.parametrize(
    ("operation", "inner", "expected"),
    [
        ("AdgangHent", AUTHORITY.replace("29189668", "55133018"), "MYNDIGHED"),
        ("AdgangHent", AUTHORITY.replace("29189668", "2918966"), "SKEMA"),
        ("AdgangHent", AUTHORITY + CALL.format("x" * 256), "SKEMA"),
        ("AdgangHent", CALL.format("x") + AUTHORITY, "SKEMA"),
        ("AdgangHent", AUTHORITY + "<jc:Ukendt/>", "SKEMA"),
        ("Ukendt", AUTHORITY, "SKEMA"),
        ("BestillingHent", AUTHORITY + "<jc:SideNummer>0</jc:SideNummer>", "SKEMA"),
        ("BestillingHent", AUTHORITY + "<jc:SideStoerrelse>5001</jc:SideStoerrelse>", "STOERRELSE"),
        ("FremmoedeHent", AUTHORITY, "SKEMA"),
        ("FremmoedeAflever", AUTHORITY, "SKEMA"),
        ("FremmoedeAflever", AUTHORITY + DELIVERY, "SKEMA"),
        ("FremmoedeAflever", AUTHORITY + DELIVERY * 501, "STOERRELSE"),
    ],
)
def test_what_it_refuses_as_a_whole(sandbox, operation, inner, expected):
    assert (500, expected) == code(sent(sandbox, operation, inner))


@pytest.mark.parametrize(
    "body", ["", "nej", "<x/>", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "<!-- -->" * 10, "x" * 10_000_001]
)
def test_what_is_no_message(sandbox, body):
    status, fault = code(sent(sandbox, "AdgangHent", "", body=body or " "))
    assert 500 == status
    assert fault in ("SKEMA", "STOERRELSE")


def test_headers_are_checked(sandbox):
    assert (500, "SKEMA") == code(sent(sandbox, "AdgangHent", AUTHORITY, SOAPAction='"urn:andet"'))
    assert 415 == sent(sandbox, "AdgangHent", AUTHORITY, **{"Content-Type": "application/json"}).status_code
    assert 405 == requests.get(f"http://127.0.0.1:{sandbox.port}{PATH}", timeout=10).status_code


def test_orders_and_activities_are_the_worlds(world, sandbox):
    response = sent(sandbox, "BestillingHent", AUTHORITY)
    root = xml.parse(response.content)
    assert len(world.records("course_order")) == len(list(root.iter(f"{{{JC}}}Bestilling")))
    assert ("60", "false") == (xml.text(root, "AntalIAlt"), xml.text(root, "FlereSider"))


def test_it_comes_back_where_it_was(world):
    sandbox = JobcenterSandbox(world)
    sandbox.start()
    port = sandbox.port
    sandbox.stop()
    sandbox.start()
    assert port == sandbox.port
    sandbox.stop()
