"""The archive's mappings, and what its sandbox looks at before it answers."""

from __future__ import annotations

import msgspec
import pytest
import requests

from connectors.case_archive.sandbox import CaseArchiveSandbox
from samspil import registry, xml
from samspil.mapping import load
from samspil.testing.world import World
from samspil.wssecurity import secured
from schemas import SCHEMAS

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE = "urn:samspil:case-archive:1"
HEADER = (
    "<a:Kald><a:MyndighedCVR>29189609</a:MyndighedCVR>"
    "<a:KaldsId>0f8fad5b-d9cb-469f-a165-70867728950e</a:KaldsId></a:Kald>"
)


@pytest.fixture(scope="module")
def sandbox():
    with CaseArchiveSandbox(World("760", citizens=30)) as running:
        yield running


@pytest.mark.parametrize("schema", ["case", "document"])
def test_every_fact_survives_the_way_there_and_back(schema):
    kind = registry.connector("case_archive")
    table = load("case_archive", schema, fields=kind.fields(schema), struct=SCHEMAS[schema])
    for fact in World("751", citizens=60).records(schema):
        ours = msgspec.convert(fact, SCHEMAS[schema])
        (theirs,) = kind.kinds[schema].decode([kind.kinds[schema].encode(table.to_theirs(fact.keys())(ours))])
        assert ours == table.to_ours(theirs)


def call(sandbox, operation, inner="", header=HEADER, signed=True, **changed):
    account = sandbox.account
    body = (
        f'<s:Envelope xmlns:s="{ENVELOPE}" xmlns:a="{NAMESPACE}"><s:Header>{header}</s:Header>'
        f"<s:Body><a:{operation}>{inner}</a:{operation}></s:Body></s:Envelope>"
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": f'"{NAMESPACE}/{operation}"', **changed}
    auth = None if "Authorization" in changed else (account.login.encode(), account.password.encode())
    data = body.encode()
    if signed:
        security = secured(account.settings(registry.connector("case_archive").Settings), system="archive")
        action = headers["SOAPAction"].strip('"')
        data = security.seal(data, action=action, url=account.url, system="archive").data
    answer = requests.post(account.url, data=data, headers=headers, auth=auth, timeout=5)
    return answer.status_code, answer.content


def test_an_operation_that_nothing_is_declared_of_is_answered_from_the_wsdl(sandbox):
    status, body = call(sandbox, "JournalpostListe", "<a:Sagsnummer>1</a:Sagsnummer>")
    assert 200 == status
    answer = xml.parse(body).find(f"{{{ENVELOPE}}}Body")[0]
    assert f"{{{NAMESPACE}}}JournalpostListeSvar" == answer.tag
    assert sandbox._contract.whole.validate(answer)


@pytest.mark.parametrize(
    ("operation", "inner", "changed", "says"),
    [
        ("Ping", "<a:Mere/>", {}, "content is not allowed"),
        ("SagHent", "", {}, "Missing child"),
        ("Ping", "", {"SOAPAction": '"other"'}, "SOAPAction"),
        ("Ping", "", {"header": ""}, "Kald"),
        ("Ping", "", {"header": HEADER.replace("29189609", "2918")}, "Kald"),
        ("Ping", "", {"header": HEADER.replace("29189609", "12345678")}, "MYNDIGHED"),
    ],
)
def test_what_does_not_fit_is_a_fault(sandbox, operation, inner, changed, says):
    status, body = call(sandbox, operation, inner, **changed)
    assert 500 == status
    assert says in body.decode()


def test_what_nobody_signed_is_a_fault(sandbox):
    status, body = call(sandbox, "Ping", signed=False)
    assert 500 == status
    assert "signature-missing" in body.decode()


def test_a_stranger_and_another_format_are_turned_away(sandbox):
    assert 401 == call(sandbox, "Ping", Authorization="Basic eDp5")[0]
    assert 415 == call(sandbox, "Ping", **{"Content-Type": "application/json"})[0]
