"""The sandbox of a declared drop, for its ``connectors/<name>/sandbox.py``::

class CompanyListSandbox(DropSandbox):
    folder = Path(__file__).parent
    renders = {"company": company}  # a fact of the world → the file's row
"""

from __future__ import annotations

from samspil.testing.drop.folder import FileSandbox
from samspil.testing.drop.sandbox import DropSandbox
from samspil.testing.drop.written import Row

__all__ = ["DropSandbox", "FileSandbox", "Row"]
