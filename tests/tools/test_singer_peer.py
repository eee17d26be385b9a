"""Taps are installed from locks: exact versions with checksums, and a lock for every tap that a connector names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "tools" / "taps").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_package_of_a_lock_has_one_version_and_checksums(lock):
    packages = re.split(r"\n(?=\S)", lock.read_text().strip())
    wrong = [
        package.split()[0]
        for package in packages
        if not re.match(r"[a-z0-9.-]+==[0-9][0-9a-z.]*( ;[^\n]*)? \\\n", package) or "--hash=sha256:" not in package
    ]
    assert [] == wrong


def test_every_declared_tap_has_a_lock():
    declarations = [path.read_text() for path in (ROOT / "connectors").glob("*/connector.yaml")]
    named = {found[1] for text in declarations if (found := re.search(r"^tap: (\S+)$", text, re.MULTILINE))}
    assert named <= {lock.stem for lock in LOCKS}
    assert named
