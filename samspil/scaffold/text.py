"""Text of YAML files as a person would write it, with open decisions in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Protocol

import yaml

from samspil.yamlfile import TODO

WIDTH = 120  # characters in a line

_PLAIN = re.compile(r"[A-Za-zÆØÅæøå_/$][\wÆØÅæøå./$+-]*( [\wÆØÅæøå./$+-]+)*")


class Ask(Protocol):
    """How an undecided value is written: as the question, or as what would do until it is decided."""

    def __call__(self, question: str, until: str, /) -> str: ...


def asked(question: str, _until: str) -> str:
    """The question."""
    return f"{TODO} {json.dumps(question, ensure_ascii=False)}"


def supposed(_question: str, until: str) -> str:
    """What lets the sandbox run before anything is decided; never written to a scaffold."""
    return until


def scalar(value: object) -> str:
    """A value in YAML, in quotes where it needs them."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def flow(**values: object) -> str:
    """``{a: 1, b: text}``, without what is empty."""
    return "{" + ", ".join(f"{name}: {scalar(value)}" for name, value in values.items() if value != "") + "}"


def listed(names: Iterable[str], *, most: int = 6) -> str:
    """Names for a question."""
    found = list(names)
    return ", ".join(found[:most]) + (", …" if len(found) > most else "")


def indented(text: str, by: int) -> str:
    """The same, deeper."""
    return "".join(f"{' ' * by}{line}\n" if line else "\n" for line in text.splitlines())
