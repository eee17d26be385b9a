"""The sandbox of a declared database, for its ``connectors/<name>/sandbox.py``::

class DataWarehouseSandbox(DatabaseSandbox):
    folder = Path(__file__).parent
    renders = {"attendance": attendance}  # a fact of the world → the row
"""

from __future__ import annotations

from samspil.testing.database.postgresql import PostgresqlSandbox
from samspil.testing.database.sandbox import DatabaseSandbox

__all__ = ["DatabaseSandbox", "PostgresqlSandbox"]
