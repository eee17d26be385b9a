"""Values made from what a contract or a declaration says of them alone."""

from __future__ import annotations

import re
import re._parser as regular  # type: ignore[import-not-found]  # Python has no public parser of regular expressions
from collections.abc import Iterator
from typing import Any

from samspil.declared.settings import Setting, Settings, written_out


def given(settings: Settings) -> dict[str, Any]:
    """A value for each setting of the system's own; its default where it has one."""
    return {
        name: _value(name, one) if one.default is None else one.default for name, one in written_out(settings).items()
    }


def _value(name: str, setting: Setting) -> Any:
    if setting.pattern:
        return sampled(setting.pattern)
    number = setting.least if setting.least is not None else min(1, setting.most if setting.most is not None else 1)
    kinds: dict[str, Any] = {"integer": int(number), "number": number, "boolean": True}
    most = None if setting.most is None else int(setting.most)
    return kinds.get(setting.type, f"proeve-{name}".ljust(int(setting.least or 0), "x")[:most])


def sampled(pattern: str) -> str:
    """The simplest text that a regular expression matches as a whole."""
    return "".join(_sample(regular.parse(_translated(pattern))))


def _translated(pattern: str) -> str:
    """An XML Schema expression as Python's: the classes of name characters are its own."""
    return re.sub(r"\\[icIC]", lambda match: {"i": "[A-Za-z]", "c": "[A-Za-z0-9]"}.get(match[0][1], "[-]"), pattern)


def _sample(parsed: Any) -> Iterator[str]:
    """The simplest text that an expression matches."""
    for kind, value in parsed:
        name = str(kind)
        if name == "LITERAL":
            yield chr(value)
        elif name == "IN":
            yield _one(value)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            for _ in range(value[0]):
                yield from _sample(value[2])
        elif name == "SUBPATTERN":
            yield from _sample(value[3])
        elif name == "BRANCH":
            yield from _sample(value[1][0])
        elif name in ("ANY", "NOT_LITERAL", "CATEGORY"):
            yield "a"


def _one(members: Any) -> str:
    kind, value = members[0]
    if str(kind) == "RANGE":
        return chr(value[0])
    if str(kind) == "LITERAL":
        return chr(value)
    return "0" if str(value) == "CATEGORY_DIGIT" else "a"
