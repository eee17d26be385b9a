"""A part of a declaration under a name of its author's own choice, such as a table by its schema.

Read as part of the whole, msgspec would say that something is wrong somewhere in ``tables[...]``; read by itself, the
error has the name, and so the line.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from samspil.yamlfile import YamlFile

T = TypeVar("T")


def part(file: YamlFile[Any], value: object, kind: type[T], *, at: str) -> T:
    """``value``, which stands at the path ``at`` of the file, as ``kind``. Raises SettingsError."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text, _, place = str(error).rpartition(" - at ")
        path = place.rpartition("`$")[2].rstrip("`").removesuffix("[...]")
        raise file.error(text or str(error), at=f"{at}{path}") from None
