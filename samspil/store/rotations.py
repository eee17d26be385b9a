"""Which recipients have been told which old pseudonym is which new one: once for each version of their key."""

from __future__ import annotations

import time

from sqlalchemy import Connection, text


def claim(connection: Connection, municipality: str, recipient: str, version: int) -> bool:
    """Enter that the file is written now; False if it was before."""
    bounds = {"municipality": municipality, "recipient": recipient, "version": version, "at": time.time()}
    return connection.execute(_CLAIM, bounds).rowcount == 1


_CLAIM = text(
    """
    INSERT INTO rotations (municipality, recipient, version, at) VALUES (:municipality, :recipient, :version, :at)
    ON CONFLICT DO NOTHING
    """
)
