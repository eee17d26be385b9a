"""Points in time as the messages write them."""

from __future__ import annotations

from datetime import UTC, datetime

from samspil.errors import Refused


def written(moment: datetime) -> str:
    """Milliseconds and Z, exactly: services of the shared municipal platform accept no other form."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def read(text: str | None) -> datetime:
    """Raises Refused (``timestamp-invalid``) for what is no time, or one of no zone."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        raise Refused("timestamp-invalid", hint="not a time") from None
    if moment.tzinfo is None:
        raise Refused("timestamp-invalid", hint="a time without its zone")
    return moment
