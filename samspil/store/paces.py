"""Whose turn it is at a system: one row per account, the moment from which nobody has reserved its time."""

from __future__ import annotations

from sqlalchemy import Connection, text

_FAR = 3600.0  # seconds: a clock that was set back must not make everybody wait


def reserve(connection: Connection, municipality: str, account: str, seconds: float, now: float) -> float:
    """Reserve the account's next free ``seconds`` (``now`` since 1970); how long until they begin."""
    row = {"municipality": municipality, "account": account, "span": seconds, "now": now, "far": now + _FAR}
    free = float(connection.execute(_RESERVE, row).scalar_one())
    return max(0.0, free - seconds - now)


_RESERVE = text(
    """
    INSERT INTO paces (municipality, account, free) VALUES (:municipality, :account, :now + :span)
    ON CONFLICT (municipality, account) DO UPDATE SET
        free = CASE WHEN paces.free BETWEEN :now AND :far THEN paces.free ELSE :now END + :span
    RETURNING free
    """
)
