"""Taking persons out of the store: every row about them in some flows, in the caller's transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, text, update

from samspil.store import bulk
from samspil.store.consents import WITHDRAWN
from samspil.store.tables import ERASED, flows, persons, quarantine, runs

_MANY = 500


class Rows(NamedTuple):
    """How many rows are about persons."""

    outbox: int
    links: int
    quarantine: int


def all_flows(connection: Connection, municipality: str) -> Mapping[int, str]:
    """Every flow the municipality ever had, by number; also those its file no longer has."""
    rows = connection.execute(select(flows.c.id, flows.c.name).where(flows.c.municipality == municipality))
    return {row.id: row.name for row in rows}


def choose(connection: Connection, numbers: Collection[int], who: Collection[bytes]) -> None:
    """Note the persons and their rows in these flows in temporary tables, for ``count`` and ``destroy``."""
    kind = "bytea" if connection.dialect.name == "postgresql" else "BLOB"
    for table in ("leaving", "going", "their", "agreed"):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE leaving (person {kind} PRIMARY KEY)")
    bulk.insert(connection, "leaving", ("person",), [(person,) for person in who])
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE going (id bigint PRIMARY KEY, flow_id int, key {kind})")
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE their (flow_id int, key {kind})")
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE agreed (key {kind})")
    for statement in (_GOING, _THEIR, _AGREED):
        connection.execute(statement, {"flows": list(numbers)})


def count(connection: Connection, numbers: Collection[int], entries: Collection[int] = ()) -> Rows:
    """How many rows ``destroy`` would take away."""
    links, held = (
        connection.execute(text(f"SELECT count(*) FROM {what}").bindparams(_flows()), {"flows": list(numbers)}).scalar()
        for what in (_LINKS, _HELD)
    )
    outbox = connection.exec_driver_sql("SELECT count(*) FROM going").scalar()
    return Rows(int(outbox or 0), int(links or 0), int(held or 0) + len(entries))


def destroy(
    connection: Connection, numbers: Collection[int], entries: Collection[int] = (), *, keep_out: bool = False
) -> Rows:
    """Delete what ``choose`` chose, and these entries of the quarantine besides.

    What each run counted stays as numbers in the run, so that it still balances. With ``keep_out`` a link's key stays
    with nothing else, so that the record is not taken in again while its source has it.
    """
    done = count(connection, numbers, entries)
    _keep_counts(connection)
    bound = {"flows": list(numbers)}
    connection.execute(text(f"DELETE FROM {_HELD}").bindparams(_flows()), bound)
    for start in range(0, len(entries), _MANY):
        some = list(entries)[start : start + _MANY]
        connection.execute(quarantine.delete().where(quarantine.c.id.in_(some)))
    if keep_out:
        what, _, where = _LINKS.partition(" WHERE ")
        nothing = "fingerprint = :none, outbox_id = NULL, their_id = NULL, person = NULL"
        connection.execute(
            text(f"UPDATE {what} SET state = {ERASED}, {nothing} WHERE {where}").bindparams(_flows()),
            {**bound, "none": bytes(16)},
        )
    else:
        connection.execute(text(f"DELETE FROM {_LINKS}").bindparams(_flows()), bound)
    for statement in (*_BESIDE, _REMEMBERING if keep_out else _FORGETTING):
        connection.execute(statement, bound)
    connection.exec_driver_sql("DELETE FROM receipts WHERE outbox_id IN (SELECT id FROM going)")
    connection.exec_driver_sql("DELETE FROM outbox WHERE id IN (SELECT id FROM going)")
    return done


def chosen_entries(connection: Connection, numbers: Collection[int]) -> set[int]:
    """Entries of the quarantine that ``destroy`` takes away by itself."""
    query = text(f"SELECT id FROM {_HELD}").bindparams(_flows())
    return set(connection.execute(query, {"flows": list(numbers)}).scalars())


def forget_key(connection: Connection, municipality: str, person: bytes) -> None:
    """Destroy a person's key for good; the row stays, so that no other is made."""
    connection.execute(_BLOCK, {"m": municipality, "p": person})
    connection.execute(
        update(persons)
        .where(persons.c.municipality == municipality, persons.c.person == person)
        .values(wrapped=None, handle=None)
    )


def forget_unused_keys(connection: Connection, municipality: str) -> int:
    """Destroy the keys of those chosen of whom nothing is left in any flow; they may come again. How many."""
    return connection.execute(_UNUSED, {"m": municipality}).rowcount


def of_nobody(connection: Connection, numbers: Collection[int], *, after: int) -> Sequence[Any]:
    """The next entries of the quarantine of which nobody knows whom they are about."""
    query = select(quarantine).where(
        quarantine.c.flow_id.in_(numbers), quarantine.c.person.is_(None), quarantine.c.id > after
    )
    return connection.execute(query.order_by(quarantine.c.id).limit(_MANY)).all()


def choose_idle(connection: Connection, numbers: Collection[int], before: float) -> tuple[int, Rows, Collection[int]]:
    """Choose the persons of whom nothing was planned, sent or held back in these flows since a time.

    How many they are, their rows, and entries of the quarantine besides that are as old and of nobody in particular.
    """
    bound = {"flows": list(numbers), "before": before}
    who = [bytes(row[0]) for row in connection.execute(_IDLE, bound)]
    choose(connection, numbers, who)
    query = select(quarantine.c.id).where(
        quarantine.c.flow_id.in_(numbers), quarantine.c.person.is_(None), quarantine.c.at < before
    )
    entries = set(connection.execute(query).scalars()) - chosen_entries(connection, numbers)
    return len(who), count(connection, numbers, entries), entries


def overwrite(connection: Connection) -> None:
    """Let SQLite write zeros over what this transaction deletes; PostgreSQL's tables are vacuumed afterwards."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def _keep_counts(connection: Connection) -> None:
    tallies: dict[int, Counter[tuple[int, int | None]]] = defaultdict(Counter)
    for run, action, status, many in connection.execute(_TALLIES):
        tallies[run][action, status] += many
    for run, tally in tallies.items():
        counts = dict(connection.execute(select(runs.c.counts).where(runs.c.id == run)).scalar_one())
        for action, status, many in counts.get("erased", ()):
            tally[action, status] += many
        counts["erased"] = [[*which, many] for which, many in tally.items()]
        connection.execute(update(runs).where(runs.c.id == run).values(counts=counts))


def _flows() -> Any:
    return bindparam("flows", expanding=True)


_OF_THEM = "person IN (SELECT person FROM leaving)"
_GOING = text(
    f"""
    INSERT INTO going SELECT o.id, u.flow_id, o.key FROM outbox o JOIN runs u ON u.id = o.id >> 32
    WHERE u.flow_id IN :flows AND o.{_OF_THEM}
    """
).bindparams(_flows())
_THEIR = text(
    f"""
    INSERT INTO their SELECT flow_id, key FROM going
    UNION SELECT flow_id, key FROM links WHERE flow_id IN :flows AND {_OF_THEM}
    """
).bindparams(_flows())
_LINKS = f"links WHERE flow_id IN :flows AND ({_OF_THEM} OR outbox_id IN (SELECT id FROM going))"
# What was held back of their records before anybody knew whom it was about has the same key.
_HELD = f"""quarantine WHERE flow_id IN :flows AND ({_OF_THEM} OR person IS NULL AND EXISTS (
    SELECT 1 FROM their t WHERE t.flow_id = quarantine.flow_id AND t.key = quarantine.key))"""
# The sides of a baseline may name two persons; whom its rows in the outbox, links and conflicts are about tells both.
_AGREED = text(
    f"""
    INSERT INTO agreed SELECT key FROM baselines WHERE flow_id IN :flows AND (
        {_OF_THEM} OR first IN (SELECT key FROM their) OR second IN (SELECT key FROM their)
        OR key IN (SELECT key FROM conflicts WHERE {_OF_THEM}))
    """
).bindparams(_flows())
_BESIDE = [
    text(statement).bindparams(_flows())
    for statement in (
        f"DELETE FROM conflicts WHERE flow_id IN :flows AND ({_OF_THEM} OR key IN (SELECT key FROM agreed))",
        "DELETE FROM baselines WHERE flow_id IN :flows AND key IN (SELECT key FROM agreed)",
        "UPDATE consents SET former = NULL WHERE carrier_id IN :flows AND former IN (SELECT person FROM leaving)",
        f"DELETE FROM withheld WHERE flow_id IN :flows AND {_OF_THEM}",
    )
]
# Whoever only stayed away for long may come again, and a consent once withdrawn is not unknown then.
_FORGETTING = text(f"DELETE FROM consents WHERE carrier_id IN :flows AND {_OF_THEM}").bindparams(_flows())
_REMEMBERING = text(
    f"DELETE FROM consents WHERE carrier_id IN :flows AND {_OF_THEM} AND state <> {WITHDRAWN}"
).bindparams(_flows())
_TALLIES = text(
    """
    SELECT o.id >> 32, o.action, r.status, count(*)
    FROM going g JOIN outbox o ON o.id = g.id LEFT JOIN receipts r ON r.outbox_id = o.id
    GROUP BY o.id >> 32, o.action, r.status
    """
)
_BLOCK = text("INSERT INTO persons (municipality, person, version) VALUES (:m, :p, 0) ON CONFLICT DO NOTHING")
_UNUSED = text(
    f"""
    DELETE FROM persons WHERE municipality = :m AND wrapped IS NOT NULL AND {_OF_THEM}
      AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.person = persons.person)
      AND NOT EXISTS (SELECT 1 FROM links l WHERE l.person = persons.person)
      AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.person = persons.person)
    """
)
_IDLE = text(
    """
    SELECT person FROM (
        SELECT o.person, COALESCE(r.at, u.started) AS at
        FROM outbox o JOIN runs u ON u.id = o.id >> 32 LEFT JOIN receipts r ON r.outbox_id = o.id
        WHERE u.flow_id IN :flows AND o.person IS NOT NULL
        UNION ALL SELECT person, at FROM quarantine WHERE flow_id IN :flows AND person IS NOT NULL
    ) touched GROUP BY person HAVING max(at) < :before
    """
).bindparams(_flows())
