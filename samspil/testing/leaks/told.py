"""Everything an error shows."""

from __future__ import annotations

import json
import traceback

from samspil.errors import SamspilError


def told(error: BaseException) -> str:
    """Message, representation, fields, and the traceback with what caused it."""
    fields = json.dumps(error.__dict__, default=str, ensure_ascii=False) if isinstance(error, SamspilError) else ""
    return "\n".join([str(error), repr(error), fields, *traceback.format_exception(error)])
