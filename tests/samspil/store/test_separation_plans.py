"""Under row-level security a large table is still looked up by its index, as without."""

from __future__ import annotations

import os
import re
from contextlib import closing

import pytest
from sqlalchemy import event

from samspil.store import Store, comparison, consents, outbox, persons, receipts, runs, waiting
from samspil.store.tables import first_id

CODE = "760"
RUNS, ROWS = 40, 250  # of the flow; rows of each run
ABSENT = [os.urandom(16) for _ in range(50)]


@pytest.fixture
def filled(separated):
    """A worker's store: one flow with many runs, one of which waits, and a neighbour with as many."""
    url = separated.role("worker", CODE)
    with closing(Store(separated.owner)) as store, store.transaction() as connection:
        for code in ("730", CODE):
            flow = runs.flow_id(connection, code, "orders")
            for night in range(RUNS):
                run = runs.start(connection, flow, f"night {night}").id
                runs.change(connection, run, state=runs.State.DONE, pending=night == RUNS - 1)
                connection.exec_driver_sql(
                    "INSERT INTO outbox SELECT %(first)s + n, decode(md5(n::text || %(first)s::text), 'hex'), "
                    "decode(md5(n::text), 'hex'), 1, decode(md5(n::text), 'hex'), 'p' FROM generate_series(1, %(rows)s) n",
                    {"first": first_id(run), "rows": ROWS},
                )
            connection.exec_driver_sql(
                "INSERT INTO links (flow_id, key, fingerprint, state, outbox_id, person) SELECT %s, key, fingerprint, 1, id, person "
                "FROM outbox WHERE id >> 32 IN (SELECT id FROM runs WHERE flow_id = %s)",
                (flow, flow),
            )
            connection.exec_driver_sql(
                "INSERT INTO persons SELECT %s, decode(md5(n::text || 'p'), 'hex'), 'h', 'w', 1 FROM generate_series(1, 5000) n",
                (code,),
            )
        connection.exec_driver_sql(
            "INSERT INTO receipts SELECT o.id, 1, '', 0 FROM outbox o JOIN runs r ON r.id = o.id >> 32 WHERE NOT r.pending"
        )
    with closing(Store(separated.owner)) as store, store.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    with closing(Store(url)) as store:
        yield store


CALLS = {
    "waiting": outbox.waiting,
    "disagreed": lambda connection, flow: receipts.supersede_disagreed(connection, flow, "another"),
    "closed": outbox.close_settled_runs,
    "unsent": lambda connection, flow: connection.execute(waiting._UNSENT, {"flow": flow}),
    "stopped": lambda connection, flow: consents.stop(connection, flow, [flow], [1]),
    "counted": lambda connection, flow: runs.receipts_by_action(connection, newest(connection)),
    "compared": lambda connection, flow: connection.exec_driver_sql(
        comparison._POSTGRESQL.replace("INSERT INTO seen SELECT key FROM page", "SELECT 1"),
        {**page("keys"), "prints": b"".join(ABSENT), "flow": flow, "filtered": 2},
    ),
    "keys": lambda connection, flow: connection.exec_driver_sql(persons._FIND, {**page("persons"), "m": CODE}),
}


def page(name):
    return {name: b"".join(ABSENT), "size": 16, "last": len(ABSENT) - 1}


def newest(connection):
    return connection.exec_driver_sql("SELECT max(id) FROM runs").scalar()


@pytest.mark.parametrize("call", CALLS)
def test_large_tables_are_asked_through_their_index(filled, call):
    """A rule is no reason to read all of a table: what is asked beside it goes through the index first."""
    told = []
    with filled.transaction() as connection:
        flow = runs.find_flow(connection, CODE, "orders")
        event.listen(connection, "before_cursor_execute", lambda _c, _cursor, *said: told.append(said[:2]))
        CALLS[call](connection, flow)
        statement, values = told[-1]
        plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values))
    assert "SubPlan" in plan or call == "keys", "the rule is not there"
    assert re.findall(r"Index (?:Only )?Scan using (?:outbox|links|persons)_pkey", plan), plan
    assert not re.search(r"Seq Scan on (outbox|links|persons)", plan), plan
