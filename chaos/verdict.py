"""What is true in the end, against what should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from chaos.office import Office
from chaos.rows import Rows

COLUMNS = ("lost", "doubled", "disordered", "unbalanced", "stuck")


class Verdict(msgspec.Struct, kw_only=True):
    """What is wrong, a line each. ``stuck``: the hub could not go on, or raised what nobody can act upon."""

    lost: list[str] = msgspec.field(default_factory=list)
    doubled: list[str] = msgspec.field(default_factory=list)
    disordered: list[str] = msgspec.field(default_factory=list)
    unbalanced: list[str] = msgspec.field(default_factory=list)
    stuck: list[str] = msgspec.field(default_factory=list)

    @property
    def numbers(self) -> dict[str, int]:
        """How many of each, in the order of COLUMNS."""
        return {name: len(getattr(self, name)) for name in COLUMNS}

    def judge(self, rows: Rows, office: Office, seen: dict[str, Any]) -> None:
        """Compare centre and office, and what the store says of itself (``seen``, see ``chaos.night``)."""
        self.lost += _lost(rows, office, seen["held"])
        self.doubled += _doubled(office)
        self.disordered += _disordered(rows, office)
        effects = len(office.effects)
        for what, number, wanted in (
            ("receipts", seen["accepted"], effects),
            ("entries of writes in the ledger", seen["entered"], effects),
            ("links", seen["linked"], len(office.plans)),
        ):
            if number != wanted:
                self.unbalanced.append(f"{number} {what}, {wanted} at the office")
        if not seen["ledger"]:
            self.unbalanced.append("the ledger does not verify")

    def balance(self, counts: dict[str, Any]) -> None:
        """A run's counts."""
        if not counts["balances"]:
            self.unbalanced.append("a run does not balance")


def _lost(rows: Rows, office: Office, held: Sequence[Sequence[str]]) -> list[str]:
    there = {plan["id"]: plan for plan in office.plans.values()}
    kept = {key for key, stage in held if stage == "map"}
    found = [f"{key} waits for nothing" for key, stage in held if stage != "map"]
    for key in rows.versions:
        row, plan = rows.held.get(key), there.get(key)
        if row is None or row.order != "mine":
            if plan is not None:
                found.append(f"{key} should have been taken back")
        elif row.broken:
            if key not in kept:
                found.append(f"{key} is not in the quarantine")
        elif plan is None or plan["title"] != str(row.version):
            found.append(f"{key} is not there in its last version")
    return found


def _doubled(office: Office) -> list[str]:
    effects = Counter((effect.action, effect.key, effect.version) for effect in office.effects)
    held = Counter(plan["id"] for plan in office.plans.values())
    return [
        *(f"{action} {key} took effect {times} times" for (action, key, _), times in effects.items() if times > 1),
        *(f"{key} is there {times} times" for key, times in held.items() if times > 1),
        *(f"{key} came with another change's key" for key in office.reused),
    ]


def _disordered(rows: Rows, office: Office) -> list[str]:
    """Of one person's records what was changed later came later. Deletions are planned last, so they do not count.

    An edit of what is not sent leaves the version as it was, and what is sent may be due to it, if it was made by then.
    """
    last: dict[str, int] = {}
    found = []
    for effect in office.effects:
        if effect.action != "put":
            continue
        before = last.get(effect.person, 0)
        due = [edit for edit in rows.edits[effect.key, effect.version] if before <= edit <= effect.edits]
        if not due:
            found.append(f"version {effect.version} of {effect.key} came after edit {before} of another record")
        last[effect.person] = min(due, default=before)
    return found
