"""What a converter is, and the register of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from samspil.codes import CodeList
from samspil.mapping.tree import Node

VERSION = 1  # raise it when a converter gives another result for the same value

Options = Mapping[str, Any]


class Fast(NamedTuple):
    """How a generated function writes the conversion: an expression of the value ``{0}`` and of ``{f}``, ``bound``."""

    expression: str
    bound: Any = None


SAME = Fast("{0}")


@dataclass(frozen=True, kw_only=True)
class Converter:
    """One converter with its options. ``to_ours`` and ``to_theirs`` raise anything for a value that does not pass.

    ``theirs`` are the JSON types it takes, ``ours`` the types of field it fits, ``reason`` the code for a value of
    the right type that does not pass, ``arity`` how many fields it joins on their side and on ours
    (``symmetric``: or the other way round). ``fast_ours``
    may leave a check to the validation of the struct that follows; the result must be the same.
    """

    name: str
    to_ours: Callable[..., Any]
    to_theirs: Callable[..., Any]
    theirs: tuple[type, ...] = (str,)
    ours: tuple[type, ...] = (str,)
    reason: str = "not-valid"
    arity: tuple[int, int] = (1, 1)
    symmetric: bool = False
    fast_ours: Fast | None = None
    fast_theirs: Fast | None = None
    options: str = ""
    code_list: CodeList | None = None
    pseudonym: bool = False  # whether the wire takes a pseudonym in the place of the value
    values: Mapping[Any, str] = field(default_factory=dict)  # of a code: theirs → ours

    def turned(self) -> Converter:
        """The same with the sides exchanged: one of ours made of several of theirs."""
        return replace(self, to_ours=self.to_theirs, to_theirs=self.to_ours, arity=self.arity[::-1])

    @property
    def identity(self) -> str:
        """What a digest takes in: everything that decides the result."""
        return f"{self.name}/{VERSION}/{self.options}"


Make = Callable[[Options, Node, Mapping[str, CodeList]], Converter]
CONVERTERS: dict[str, Make] = {}
FIRST: dict[str, str] = {}  # the option that may be written without its name


def converter(name: str, *options: str) -> Callable[[Make], Make]:
    """Enter a converter under its name, with the names of its options; the first may be written without its name."""

    def enter(make: Make) -> Make:
        def checked(given: Options, node: Node, lists: Mapping[str, CodeList]) -> Converter:
            unknown = [key for key in given if key not in options]
            if unknown:
                raise ValueError(
                    f"{name} has no option {unknown[0]!r}" + (f", only {', '.join(options)}" * bool(options))
                )
            shown = ", ".join(f"{key}: {_shown(value)}" for key, value in sorted(given.items()))
            return replace(make(given, node, lists), options=shown)

        CONVERTERS[name] = checked
        FIRST[name] = options[0] if options else ""
        return make

    return enter


def exactly(kind: type) -> Callable[[Any], Any]:
    """A check that the value is of that type and of no subclass (True is no integer)."""

    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError
        return value

    return check


def spelled(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)  # YAML reads an option called true as a boolean


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{theirs!s} → {ours}" for theirs, ours in value.items())
    return spelled(value)
