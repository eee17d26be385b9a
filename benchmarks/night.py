"""One night of one flow, by the hub. ``python -m benchmarks.night`` with a JSON job on standard input.

Everything is on, unless the job says ``bare``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import sqlalchemy.dialects.postgresql.psycopg as dialect

import schemas
from benchmarks import bare, beside
from benchmarks.measure import measured
from connectors.jobcenter import connector as jobcenter
from connectors.journal_rest import connector as journal
from samspil import flow as steps
from samspil import registry
from samspil.account import Account
from samspil.flow import beside as helper
from samspil.hub import Hub

# imports belong to the start, not to the night
WARM = (registry.connector("database"), jobcenter, journal, psycopg, dialect, schemas)


def night(job: dict[str, Any]) -> dict[str, Any]:
    """Plan, guard, deliver and reconcile."""
    accounts = msgspec.convert(job["accounts"], dict[str, Account])
    with Hub.open(job["file"], accounts.__getitem__) as hub:
        name = hub.file.flows[0].name
        run = steps.plan(hub, name, job["key"])
        steps.guard(hub, run)
        steps.deliver(hub, run)
        counts: dict[str, Any] = msgspec.to_builtins(steps.reconcile(hub, run))
    return counts


if __name__ == "__main__":
    told = json.load(sys.stdin)
    helper.PROGRAM = beside.__name__
    if told["bare"]:
        bare.strip()
    with tempfile.TemporaryDirectory() as folder:
        left = Path(folder) / "helper.json"
        os.environ[beside.FILE] = str(left)
        measure = measured(lambda: night(told))
        beside.add(measure, left)
    print(json.dumps(measure))
