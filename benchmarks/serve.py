"""A sandbox in a process of its own, serving prepared pages until standard input closes; prints its account."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from connectors.jobcenter.sandbox import JobcenterSandbox
from connectors.journal_rest.sandbox import JournalRestSandbox
from samspil.testing.world import World

if __name__ == "__main__":
    protocol, folder = sys.argv[1:]
    kind = JournalRestSandbox if protocol == "REST" else JobcenterSandbox
    with kind(World("760"), bulk=Path(folder)) as sandbox:
        print(msgspec.json.encode(sandbox.account).decode(), flush=True)
        sys.stdin.read()
