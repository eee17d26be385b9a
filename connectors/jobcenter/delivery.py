"""Records on their way to the jobcenter: one Aflevering each, answered by one Kvittering each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.jobcenter.contract import record_type
from samspil import xml
from samspil.connector import Change, Receipt
from samspil.errors import Refused, reason_of


def encoded(schema: str, batch: Sequence[Change]) -> tuple[dict[str, bytes], dict[str, Receipt]]:
    """The deliveries by AfleveringsId, and a receipt for each that the schema refuses: one bad record would cost all.

    The AfleveringsId is the change's idempotency key in lower case.
    """
    kind = record_type(schema)
    records: dict[str, bytes] = {}
    receipts: dict[str, Receipt] = {}
    for change in batch:
        try:
            records[change.idempotency_key.lower()] = kind.encode(change.record)
        except Refused as error:
            receipts[change.idempotency_key.lower()] = Receipt(refused=error)
    for key, problem in zip(list(records), kind.check(list(records.values())), strict=True):
        if problem:
            receipts[key] = Receipt(refused=problem)
            del records[key]
    heads = {change.idempotency_key.lower(): _head(change) for change in batch}
    return {key: b"<jc:Aflevering>%s%s</jc:Aflevering>" % (heads[key], raw) for key, raw in records.items()}, receipts


def receipt(schema: str, answer: Mapping[str, Any]) -> Receipt | None:
    """A Kvittering as a receipt: MODTAGET, AFLEVERET and ACCEPTERET all mean that the system has the record.

    None for a record that the system failed at (FEJLET): it is to be sent again with the same id.
    """
    if answer["Forretning"] == "FEJLET" or answer["Transport"] == "FEJL":
        return None
    number = answer["Registreringsnummer"]
    if answer["Forretning"] != "AFVIST":
        return Receipt(their_id=number, reference=str(answer["AfleveringsId"]))
    code, field = str(answer["Fejlkode"] or "ukendt"), str(answer["Felt"] or "")
    if field != "Registreringsnummer":  # of the delivery, not of the record
        field = record_type(schema).known(field)  # their text goes no further than our own names
    return Receipt(their_id=number, refused=Refused(f"rejected-{reason_of(code)}", field=field))


def _head(change: Change) -> bytes:
    action = "TILBAGETRAEK" if change.action == "delete" else "AFLEVER"
    head = f"<jc:AfleveringsId>{change.idempotency_key.lower()}</jc:AfleveringsId><jc:Handling>{action}</jc:Handling>"
    if change.their_id:
        head += f"<jc:Registreringsnummer>{xml.escaped(change.their_id)}</jc:Registreringsnummer>"
    return head.encode()
