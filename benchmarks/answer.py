"""One large SOAP answer, read to decoded records: by the hub's way of streaming, and as zeep's own objects.

``python -m benchmarks.answer`` with a JSON job on standard input; prints the measure as JSON.
"""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any

import msgspec
import requests
import zeep

from benchmarks.measure import measured
from connectors.jobcenter import connector as jobcenter
from connectors.jobcenter.contract import CODES, HERE, record_type, shape
from samspil.account import Account
from samspil.errors import Refused
from samspil.http import Session
from samspil.soap import Soap

SCHEMA, OPERATION = "course_order", "BestillingHent"
WSDL = HERE / "jobcenter.wsdl"


def streamed(account: Account) -> dict[str, int]:
    """Cut from the stream, checked against the XSD and decoded to dicts, a slice at a time."""
    settings: Any = account.settings(jobcenter.JobcenterSettings)
    session = Session("jobcenter", settings, passed=(500,))
    soap = Soap(session, WSDL, url=settings.url, system="jobcenter", codes=CODES)
    kind, counts = record_type(SCHEMA), {"read": 0, "held": 0}
    reading = soap.read(OPERATION, _values(account), shape(SCHEMA), http_headers={"Authorization": _basic(account)})
    for slices in reading:
        for start in range(0, len(slices.raws), 500):
            found = kind.decode(slices.raws[start : start + 500])
            refused = sum(isinstance(one, Refused) for one in found)
            counts["read"] += len(found) - refused
            counts["held"] += refused
    session.close()
    return counts


def objects(account: Account) -> dict[str, int]:
    """The answer as zeep gives it: parsed as a whole, an object for each element."""
    session = requests.Session()
    session.auth = (account.login, account.password)
    client = zeep.Client(str(WSDL), transport=zeep.Transport(session=session))
    service = client.create_service(
        next(iter(client.wsdl.bindings)), f"http://{account.host}:{account.port}{account.schema}"
    )
    return {"read": len(service.BestillingHent(**_values(account)).Bestilling)}


def _values(account: Account) -> dict[str, Any]:
    return {
        "AuthorityContext": {"MunicipalityCVR": account.extra["municipality_cvr"]},
        "CallContext": {"CallersServiceCallIdentifier": str(uuid.uuid4())},
        "SideNummer": 1,
        "SideStoerrelse": 5000,
    }


def _basic(account: Account) -> str:
    request = requests.Request("GET", "http://unused", auth=(account.login, account.password)).prepare()
    return str(request.headers["Authorization"])


if __name__ == "__main__":
    told = json.load(sys.stdin)
    way = {"streamed": streamed, "objects": objects}[told["way"]]
    account = msgspec.convert(told["account"], Account)
    print(json.dumps(measured(lambda: way(account))))
