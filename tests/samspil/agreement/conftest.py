"""A good municipality file, and ways to write it with one thing changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

GOOD = """\
municipality: {code: "730", name: Randers, cvr: "29189668"}
systems:
  jobcenter: {connector: jobcenter, connection: randers_jobcenter}
  journal: {connector: journal_files, connection: randers_journal, pool_slots: 2}
  star: {connector: star, connection: randers_star}
schedule: "0 2 * * *"
deadline: "06:00"
agreements:
  - name: stu
    between: [jobcenter, journal]
    purpose: courses
    legal_basis: an act, a section
    flows:
      - schema: course_order
        from: jobcenter
        to: journal
        rhythm: nightly
        fields:
          jobcenter: [id, cpr, provider, start, consent]
        only: {provider: ["1003730001"], consent: [true]}
        guard: {changes: 20}
      - schema: attendance
        from: journal
        to: jobcenter
        rhythm: weekly
        fields:
          jobcenter: [cpr, order_id]
          journal: [id, date, status, hours]
        protected_addresses: sent
        after: [jobcenter-course_order-journal]
  - name: national
    between: [jobcenter, star]
    purpose: reporting
    legal_basis: another act
    flows:
      - schema: activity
        from: jobcenter
        to: star
        rhythm: monthly
        fields: {jobcenter: [id, cpr, kind]}
"""


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def changed() -> Callable[[str, str], str]:
    def change(old: str, new: str) -> str:
        assert GOOD.count(old) == 1, f"{old!r} must stand once in the good file"
        return GOOD.replace(old, new)

    return change


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    def to_file(text: str, name: str = "randers.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to_file
