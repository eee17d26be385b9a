"""The sandbox of a declared REST connector, for its ``connectors/<name>/sandbox.py``::

class MeetingCalendarSandbox(RestSandbox):
    folder = Path(__file__).parent
    renders = {"meeting": meeting}  # a fact of the world → the system's record
"""

from __future__ import annotations

from samspil.testing.rest.sandbox import RestSandbox

__all__ = ["RestSandbox"]
