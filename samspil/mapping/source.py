"""Python source being generated: lines, and the objects they name. Nothing of a mapping file is ever pasted in raw."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

from samspil.mapping.converter import Converter, Fast


class Stop(Exception):  # never leaves the package: the generated function gives up, tracing finds out why
    """The fast way gives up on a record."""


class Source:
    """One generated module. Names are made here; keys of records go in as ``repr``, everything else is bound."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"STOP": Stop, "NOTHING": {}}
        self._lines: list[str] = []
        self._depth = 0
        self._count = 0

    def line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines under a ``head`` such as ``if …:``."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def name(self, hint: str) -> str:
        """A name not used yet."""
        self._count += 1
        return f"{hint}{self._count}"

    def bind(self, value: object, hint: str) -> str:
        """A name for an object."""
        name = self.name(hint)
        self.namespace[name] = value
        return name

    def expression(self, fast: Fast | None, function: Callable[..., Any], converter: Converter) -> Callable[..., str]:
        """How the conversion is written, as a function of the values' expressions."""
        fast = fast or Fast("{f}({0})")
        bound = fast.bound if fast.bound is not None else function
        name = self.bind(bound, converter.name + "_") if "{f}" in fast.expression else ""
        return lambda *values: fast.expression.format(", ".join(values), f=name)

    def function(self, name: str, title: str) -> Callable[[Any], Any]:
        """Compile, and return the function of that name. Tracebacks and debuggers find the source by ``linecache``."""
        text = "\n".join(self._lines) + "\n"
        file = f"<mapping {title} {name} {blake2b(text.encode(), digest_size=4).hexdigest()}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), self.namespace)  # noqa: S102  # made of our own templates; see the class
        function: Callable[[Any], Any] = self.namespace[name]
        return function
