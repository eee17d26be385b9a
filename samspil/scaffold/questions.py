"""What to ask the vendor: of every system, and where this contract says nothing."""

from __future__ import annotations

from collections.abc import Mapping

from samspil.scaffold.openapi import OpenApi
from samspil.scaffold.text import listed
from samspil.scaffold.wsdl import Wsdl

COMMON = (
    "Deletions: how does one learn that a record was deleted, merged or opened by mistake? For how long is it told?",
    (
        "Changes: does a record carry the time of its last change, by whose clock, and how late can one be committed with an "
        "older time?"
    ),
    "The key: does a record keep it for ever, also when it is moved or merged?",
    "Limits: how many calls a second are welcome at night, and what is answered to too many (429 with Retry-After)?",
    "Test system: is there one with synthetic persons, who opens an account, and is it the same version as in production?",
    "Errors: which codes are there, which mean try again later, and does an error ever come with status 200?",
    "Times: in which zone are moments, and is an end date inclusive?",
    "Empty values: left out, empty or null, and do the three mean different things?",
    "Versions: how, and how long before, is a change of the contract announced?",
    (
        "Data protection: who is data responsible (dataansvarlig), is there a data processing agreement (databehandleraftale), "
        "and on which legal basis (hjemmel) may each field be passed on?"
    ),
    "Protected addresses (adressebeskyttelse): are they marked, or left out?",
    "Operation: hours of maintenance, whom to call at two at night, and when does the certificate or password expire?",
)

OF_FILES = (
    "Is a file written under another name and renamed when it is whole? If not: a last line with the count, or a file beside?",
    "Does each file have all records, or what changed? Only a whole file can show that something is gone.",
    "When is it written, on which days, and what is written on a day without records: a file with a header, or none?",
    "Are CPR numbers and postal codes text from end to end? A spreadsheet in between eats leading zeros.",
    "May a cell hold a line break, the separator or a quote, and how is it written then?",
)


def of_openapi(file: OpenApi) -> list[str]:
    """What this contract leaves open."""
    queries = [p for call in file.calls for p in call.parameters if p.place == "query"]
    sizes = [p for p in queries if p.schema.get("type") == "integer" and "maximum" not in p.schema]
    statuses = {status for call in file.calls for status in call.statuses}
    writes = any(call.method in ("POST", "PUT") for call in file.calls)
    found = [f"Paging: how large may `{p.name}` be?" for p in sizes[:1]]
    found.append("Paging: is the list the same from page to page while somebody works in the system?")
    if not any(str(p.schema.get("format", "")).startswith("date") for p in queries):
        found.append("Changes: no list takes a time; can one ask for what changed since?")
    if "429" not in statuses:
        found.append("The contract knows no 429: what is answered to too many calls?")
    if writes:
        found.append(
            "Writing: is a call sent again with the same idempotency key harmless, and for how long is it remembered?"
        )
    return found


def of_wsdl(file: Wsdl, records: Mapping[str, str]) -> list[str]:
    found = [
        "Paging: what is the largest page, and is the list the same from page to page while somebody works in the system?"
    ]
    sends = sorted({one.name for record in records.values() for one in file.uses(record).sends})
    if sends:
        found.append(
            f"Writing ({listed(sends)}): is a message sent again harmless, by which of its elements, and for how long is it "
            "remembered?"
        )
    if not file.fault_codes:
        found.append("Faults: the WSDL does not say what is in them; which codes are there?")
    if file.statuses:
        found.append(f"`{file.statuses[0]}` in ordinary answers: which values mean that all is well?")
    found.append(
        "Is there WS-Security or a token besides what the WSDL says, and does the service want client certificates?"
    )
    return found
