"""The register of consents (samtykker): who has consented, as the flows that carry consent have read it.

Persons and records are keyed digests. Each change has a number that rises within its carrier, so that a flow that
depends on consent finds whose consent changed since it last looked, and looks again at their records and no others.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, bindparam, text

from samspil.store.outbox import READY
from samspil.store.tables import DIGEST, FILTERED, PUT, SUPERSEDED

NEVER, GIVEN, WITHDRAWN = 0, 1, 2
FORGOTTEN = bytes(DIGEST)  # the fingerprint of a record that must be looked at again: no record has it


class Known(NamedTuple):
    """What is known of one record's consent."""

    subject: bytes
    person: bytes
    state: int


def learn(connection: Connection, carrier: int, known: Sequence[tuple[bytes, bytes, bool]]) -> None:
    """Enter (subject, person, given) as read. A consent that was given and is no longer is withdrawn."""
    if not known:
        return
    changed = connection.execute(_LAST, {"carriers": [carrier]}).scalar_one() + 1
    last = {row[0]: row for row in known}.values()
    rows = [(subject, person, GIVEN if given else NEVER) for subject, person, given in last]
    if connection.dialect.name == "postgresql":
        _learn_at_once(connection, carrier, changed, rows)
    else:
        connection.exec_driver_sql(
            f"INSERT INTO consents ({_COLUMNS}) VALUES (?, ?, ?, ?, ?) {_LEARNT}",
            [(carrier, *row, changed) for row in rows],
        )


def _learn_at_once(
    connection: Connection, carrier: int, changed: int, rows: Sequence[tuple[bytes, bytes, int]]
) -> None:
    """All rows as three values, cut apart by the server: a statement for each row takes ten times as long."""
    subjects, persons, states = zip(*rows, strict=True)
    cut = {
        "subjects": b"".join(subjects),
        "persons": b"".join(persons),
        "states": bytes(states),
        "size": DIGEST,
        "last": len(rows) - 1,
        "flow": carrier,
        "changed": changed,
    }
    connection.exec_driver_sql(_AT_ONCE, cut)


def find(
    connection: Connection, carriers: Sequence[int], subjects: Sequence[bytes], persons: Sequence[bytes]
) -> Sequence[Known]:
    """What is known through these flows of the consents in these records, and of all consents of these persons."""
    if not carriers or not persons:
        return []
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        page = {
            "carriers": list(carriers),
            "subjects": b"".join(subjects),
            "persons": b"".join(persons),
            "size": DIGEST,
            "last_subject": len(subjects) - 1,
            "last_person": len(persons) - 1,
        }
        with driver.cursor(binary=True) as cursor:  # bytes as they are
            return [Known(*row) for row in cursor.execute(_FIND, page).fetchall()]
    few, these, those = (",".join("?" * len(each)) for each in (carriers, subjects, persons))
    query = f"{_FIND_SQLITE} ({few}) AND subject IN ({these}) UNION {_FIND_SQLITE} ({few}) AND person IN ({those})"
    rows = connection.exec_driver_sql(query, (*carriers, *subjects, *carriers, *persons))
    return [Known(*row) for row in rows]


def withhold(connection: Connection, flow: int, records: Sequence[tuple[bytes, bytes]]) -> None:
    """Remember records (key, person) that were kept back for want of consent."""
    if records:
        connection.execute(_WITHHOLD, [{"flow": flow, "key": key, "person": person} for key, person in records])


def count_withheld(connection: Connection, flow: int) -> int:
    """How many records of the flow are kept back for want of consent, or go without some fields."""
    return int(connection.execute(_WITHHELD, {"flow": flow}).scalar_one())


def stop(connection: Connection, flow: int, carriers: Sequence[int], refusing: Sequence[int]) -> None:
    """Settle what is pending of persons who refused since the flow last looked: it was planned when they had not."""
    bounds = {"flow": flow, "carriers": list(carriers), "refusing": list(refusing), "at": time.time()}
    connection.execute(_STOP, bounds)


def look_again(connection: Connection, flow: int, carriers: Sequence[int], *, held: bool) -> bool:
    """Forget the fingerprints of all records of persons whose consent changed since; whether any did.

    A source that gives changes only is read as a whole, since it would not give these records again. With ``held`` what
    is held back in the target's words is mapped anew too: it has the fields that a consent let through, and nobody
    looks at the consent again when it is replayed. What waits behind it goes along, so that the order stays.
    """
    bounds = {"flow": flow, "carriers": list(carriers)}
    if not connection.execute(_ANY, bounds).first():
        return False
    if held:
        now = {**bounds, "at": time.time()}
        connection.execute(_RETURN, now)
        connection.execute(_STOP, {**now, "refusing": (NEVER, GIVEN, WITHDRAWN)})
    connection.execute(_FORGET, {**bounds, "forgotten": FORGOTTEN})
    connection.execute(_RELEASE, bounds)
    connection.execute(text("UPDATE flows SET cursor = NULL WHERE id = :flow"), {"flow": flow})
    connection.execute(_MARK, bounds)
    return True


_CARRIERS: BindParameter[Any] = bindparam("carriers", expanding=True)
_LAST = text("SELECT COALESCE(MAX(changed), 0) FROM consents WHERE carrier_id IN :carriers").bindparams(_CARRIERS)
_COLUMNS = "carrier_id, subject, person, state, changed"
_LEARNT = f"""
    ON CONFLICT (carrier_id, subject) DO UPDATE SET person = excluded.person, changed = excluded.changed,
        former = CASE WHEN consents.person <> excluded.person THEN consents.person ELSE consents.former END,
        state = CASE WHEN excluded.state = {NEVER} AND consents.state <> {NEVER} THEN {WITHDRAWN}
            ELSE excluded.state END
    WHERE consents.person <> excluded.person
        OR consents.state <> excluded.state AND NOT (consents.state = {WITHDRAWN} AND excluded.state = {NEVER})
    """
_AT_ONCE = f"""
    INSERT INTO consents ({_COLUMNS})
    SELECT %(flow)s, substring(%(subjects)b FROM n * %(size)s + 1 FOR %(size)s),
        substring(%(persons)b FROM n * %(size)s + 1 FOR %(size)s), get_byte(%(states)b, n), %(changed)s
    FROM generate_series(0, %(last)s) AS n
    {_LEARNT}
    """
_FIND = """
    SELECT c.subject, c.person, c.state::int4
    FROM generate_series(0, %(last_subject)s) AS n
    CROSS JOIN LATERAL (
        SELECT * FROM consents k WHERE k.carrier_id = ANY (%(carriers)s)
            AND k.subject = substring(%(subjects)s::bytea FROM n * %(size)s + 1 FOR %(size)s)
        OFFSET 0
    ) c
    UNION SELECT c.subject, c.person, c.state::int4
    FROM generate_series(0, %(last_person)s) AS n
    CROSS JOIN LATERAL (
        SELECT * FROM consents k WHERE k.carrier_id = ANY (%(carriers)s)
            AND k.person = substring(%(persons)s::bytea FROM n * %(size)s + 1 FOR %(size)s)
        OFFSET 0
    ) c
    """
_FIND_SQLITE = "SELECT subject, person, state FROM consents WHERE carrier_id IN"
_WITHHOLD = text(
    """
    INSERT INTO withheld (flow_id, key, person) VALUES (:flow, :key, :person)
    ON CONFLICT (flow_id, key) DO UPDATE SET person = excluded.person
    """
)
_WITHHELD = text(  # those the source still has
    """
    SELECT count(*) FROM withheld w JOIN links l ON l.flow_id = w.flow_id AND l.key = w.key WHERE w.flow_id = :flow
    """
)
_SINCE = """
    c.carrier_id IN :carriers AND c.changed > COALESCE(
        (SELECT m.changed FROM consent_marks m WHERE m.flow_id = :flow AND m.carrier_id = c.carrier_id), 0)
    """
# A record may know the person by the number from before longer than the one that the consent stands in.
_BOTH = (
    "SELECT c.person FROM consents c WHERE {0} UNION SELECT c.former FROM consents c WHERE {0} AND c.former IS NOT NULL"
)
_CHANGED, _REFUSED = _BOTH.format(_SINCE), _BOTH.format(f"{_SINCE} AND c.state IN :refusing")
_ANY = text(f"{_CHANGED} LIMIT 1").bindparams(_CARRIERS)
_STOP = text(
    f"""
    INSERT INTO receipts (outbox_id, status, reference, at)
    {READY} SELECT o.id, {SUPERSEDED}, '', :at
    FROM ready u JOIN outbox o ON o.id >= u.first AND o.id < u.beyond
    LEFT JOIN receipts r ON r.outbox_id = o.id
    WHERE r.outbox_id IS NULL AND o.action = {PUT} AND o.person IN ({_REFUSED})
    """
).bindparams(_CARRIERS, bindparam("refusing", expanding=True))
_RETURN = text(
    f"""
    UPDATE quarantine SET state = 'superseded', note = 'the consent changed: it is mapped anew', settled = :at
    WHERE flow_id = :flow AND state = 'open' AND stage IN ('plan', 'deliver') AND person IN ({_CHANGED})
    """
).bindparams(_CARRIERS)
_FORGET = text(
    f"""
    UPDATE links SET fingerprint = :forgotten
    WHERE flow_id = :flow AND (
        EXISTS (SELECT 1 FROM outbox o WHERE o.id = links.outbox_id AND o.person IN ({_CHANGED}))
        OR state = {FILTERED}
            AND key IN (SELECT w.key FROM withheld w WHERE w.flow_id = :flow AND w.person IN ({_CHANGED})))
    """
).bindparams(_CARRIERS)
_RELEASE = text(f"DELETE FROM withheld WHERE flow_id = :flow AND person IN ({_CHANGED})").bindparams(_CARRIERS)
_MARK = text(
    """
    INSERT INTO consent_marks (flow_id, carrier_id, changed)
    SELECT :flow, carrier_id, MAX(changed) FROM consents WHERE carrier_id IN :carriers GROUP BY carrier_id
    ON CONFLICT (flow_id, carrier_id) DO UPDATE SET changed = excluded.changed
    """
).bindparams(_CARRIERS)
