"""The reporting database on this machine: its tables in a real PostgreSQL database."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from samspil.testing import database


class DatabaseSandbox(database.DatabaseSandbox):
    """Nothing is read from it, so it begins empty."""

    folder = Path(__file__).parent
    renders: ClassVar = {}
