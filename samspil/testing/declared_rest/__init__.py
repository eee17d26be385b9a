"""The sandbox of a declared REST connector, for its ``connectors/<name>/sandbox.py``::

class MeetingCalendarSandbox(DeclaredRestSandbox):
    folder = Path(__file__).parent
    renders = {"meeting": meeting}  # a fact of the world → the system's record
"""

from __future__ import annotations

from samspil.testing.declared_rest.sandbox import DeclaredRestSandbox

__all__ = ["DeclaredRestSandbox"]
