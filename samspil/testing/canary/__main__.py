"""``python -m samspil.testing.canary``: the search over a night, Airflow in earnest and crashes, with every log at debug level.

Prints the places with things searched, bytes and finds, and leaves them in ``build/canary.json``. Ends with 1 if there is a find,
if a test failed, or if a place had nothing to search: a search that saw nothing proves nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from samspil.cli.show import table
from samspil.testing.canary import places
from samspil.testing.canary.tally import Tally

BUILD = Path("build")
FILE = BUILD / "canary.json"
TESTS = (
    "tests/dags/test_real_scheduler.py",
    "tests/samspil/flow/test_beside.py",
    "tests/samspil/flow/test_crashes.py",
    "tests/samspil/cli/test_cli_runs.py",
)
DEBUG = {"SAMSPIL_CANARY": "debug", "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG"}


def main(tests: Sequence[str]) -> int:
    """Run it all in the repository's folder; the exit code."""
    tally = Tally()
    codes = [_demo(tally), _tested(tally, tests or TESTS)]
    tally.write(FILE)
    finds = ("finds", "allowed")
    table("The canary person", ("place", "searched", "bytes", *finds), tally.rows(), ("searched", "bytes", *finds))
    for find in tally.found:
        print(find)
    empty = [place for place, counts in tally.places.items() if not counts.bytes]
    if empty:
        print(f"Nothing to search in: {', '.join(empty)}")
    print(f"{len(tally.found)} finds in {sum(one.bytes for one in tally.places.values()):,} bytes. As JSON: {FILE}")
    return 1 if any(codes) or tally.found or empty else 0


def _demo(tally: Tally) -> int:
    print("Running the demo …", flush=True)
    command = [sys.executable, "-m", "samspil.demo"]
    done = subprocess.run(command, env={**os.environ, **DEBUG}, capture_output=True, check=False)  # noqa: S603 - our own
    for said in (done.stdout, done.stderr):
        tally.look("process output", "the demo", said)
    places.folder(tally, BUILD / "demo")
    tally.look("temporary files", "demo.json", (BUILD / "demo.json").read_bytes())
    return done.returncode


def _tested(tally: Tally, tests: Sequence[str]) -> int:
    """Run tests; what they searched is in their own report."""
    print(f"Running {', '.join(tests)} …", flush=True)
    FILE.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", *tests]
    done = subprocess.run(command, env={**os.environ, **DEBUG}, check=False)  # noqa: S603 - our own
    tally.add(msgspec.json.decode(FILE.read_bytes(), type=Tally))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
