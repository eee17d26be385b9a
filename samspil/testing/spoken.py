"""Facts in the codes that a system has: one with fewer than ours shows and takes records all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from samspil.mapping import Mapping as SchemaMapping
from samspil.testing.facts import TODAY, Fact


class Spoken:
    """Replaces, in a schema's facts, each code that the mapping has no word for by one that it has."""

    def __init__(self, mapping: SchemaMapping) -> None:
        self._codes: list[tuple[list[str], Mapping[str, str]]] = []  # a path, and for each code of ours one it has
        for pair in mapping.resolution.every():
            codes = pair.converter.code_list if pair.converter else None
            if pair.converter is None or codes is None:
                continue
            every = [code.code for code in codes.codes]
            has = set(pair.converter.values.values())
            valid = [code.code for code in codes.on(TODAY) if code.code in has] or sorted(has)
            instead = {code: code if code in has else valid[n % len(valid)] for n, code in enumerate(every)}
            if len(has) < len(every):
                self._codes += [(node.path.split("."), instead) for node in pair.ours]

    def __call__(self, fact: Fact) -> Fact:
        """The fact itself where it says nothing that the system cannot."""
        for path, instead in self._codes:
            fact = _said(fact, path, instead)
        return fact


def _said(value: Any, path: Sequence[str], instead: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_said(one, path, instead) for one in value]
    if not path:
        return instead.get(value, value)
    name = path[0].removesuffix("[]")
    if not isinstance(value, dict) or value.get(name) is None:
        return value
    return {**value, name: _said(value[name], path[1:], instead)}
