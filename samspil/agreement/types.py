"""Types that the parts of a municipality's file have in common."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*\Z", max_length=60)]  # of a system, a schema, a field, a report
