"""A YAML file as a typed struct, with errors that point at file, line and field.

Only plain YAML: no tags, no objects, no anchors that grow, at most ``LIMIT`` bytes, ``DEEPEST`` levels within each other.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import yaml

from samspil.choices import choices
from samspil.errors import SettingsError

LIMIT = 1_000_000  # bytes; a municipality's file is a few kilobytes
DEEPEST = (
    50  # levels; a declaration has ten. libyaml's composer calls itself for each, and ends the process when it may not
)
TODO = "!TODO"  # before a value that a person has still to decide; the value is the question

T = TypeVar("T")

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there

_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp")}


class YamlFile(Generic[T]):
    """A file read as ``kind``: ``value`` is the struct, ``error`` makes an error that points at one of its fields."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        self.path = path
        self._lines: dict[str, int] = {}
        self._built: set[int] = set()
        raw = self._read()
        try:
            self.value: T = msgspec.convert(raw, kind)
        except msgspec.ValidationError as error:
            text, _, at = str(error).partition(" - at ")
            at = at.rpartition(" in ")[2]  # of a mapping's key: "`key` in `$.settings`"
            at = _named(raw, kind, at.strip("`").removeprefix("$").removeprefix("."))
            may = choices(kind, at) if text.startswith("Invalid enum value") else ""
            raise self.error(f"{text}; it may be {may}" if may else text, at=at) from None

    def line(self, at: str) -> int:
        """The 1-based line of a field path such as ``agreements[0].flows[1].schema``, or of its nearest parent."""
        while at and at not in self._lines:
            at = re.sub(r"(\[[^\[\]]*\]|\.?[^.\[\]]+)$", "", at)
        return self._lines.get(at, 1)

    def error(self, message: str, *, at: str = "") -> SettingsError:
        """An error at a field path of this file."""
        return SettingsError(message, file=str(self.path), line=self.line(at), field=at)

    def _read(self) -> object:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise SettingsError(f"cannot be read ({error.strerror})", file=str(self.path)) from None
        if len(data) > LIMIT:
            raise SettingsError(f"is larger than {LIMIT} bytes", file=str(self.path))
        try:
            self._require_shallow(data)
            node = yaml.compose(data, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            raise SettingsError(
                f"is not YAML: {error.problem}", file=str(self.path), line=mark.line + 1 if mark else 0
            ) from None
        except (yaml.YAMLError, UnicodeDecodeError):
            raise SettingsError("is not YAML text in UTF-8", file=str(self.path)) from None
        return None if node is None else self._build(node, "")

    def _require_shallow(self, data: bytes) -> None:
        """Count levels in the stream of events, which needs no more memory or stack for a deep file."""
        depth = 0
        for event in yaml.parse(data, Loader=_LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEEPEST:
                    line = event.start_mark.line + 1 if event.start_mark else 0
                    raise SettingsError(f"has more than {DEEPEST} levels", file=str(self.path), line=line)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _build(self, node: yaml.Node, at: str) -> Any:
        if id(node) in self._built:  # an alias: YAML's way to make a small file huge; nothing here needs one
            raise SettingsError("an anchor is used again (*name); write it out", file=str(self.path), field=at)
        self._built.add(id(node))
        self._lines[at] = node.start_mark.line + 1
        if node.tag == TODO:
            raise SettingsError(
                f"to decide: {node.value}", file=str(self.path), line=self._lines[at], field=at, reason="to-decide"
            )
        if isinstance(node, yaml.MappingNode):
            result: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = self._scalar(key_node)
                path = f"{at}.{key}" if at else str(key)
                if key in result:
                    raise SettingsError(
                        "is given twice", file=str(self.path), line=key_node.start_mark.line + 1, field=path
                    )
                result[key] = self._build(value_node, path)
                self._lines[path] = key_node.start_mark.line + 1
            return result
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, f"{at}[{index}]") for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _TAGS:
            raise SettingsError(
                "only plain text, numbers and lists here", file=str(self.path), line=node.start_mark.line + 1
            )
        try:
            return yaml.constructor.SafeConstructor().construct_object(node)
        except ValueError:  # a date that does not exist
            raise SettingsError(
                "is not a date; put quotes around it", file=str(self.path), line=node.start_mark.line + 1
            ) from None


def _named(raw: Any, kind: Any, at: str) -> str:
    """A path with the keys that msgspec leaves out (``schemas[...].list``): with that one alone it fails the same."""
    named, steps = "", []
    while "[...]" in at:
        before, _, at = at.partition("[...]")
        named += before
        steps += [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", before)]
        key = next((key for key in _below(raw, steps) if _fails(_only(raw, steps, key), kind, at)), None)
        if key is None:
            return named
        raw = _only(raw, steps, key)
        steps.append(key)
        named += f".{key}"
    return named + at


def _fails(raw: Any, kind: Any, after: str) -> bool:
    """Whether it is wrong at a place whose path ends like this."""
    try:
        msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        return str(error).strip("`").endswith(f"[...]{after}")
    return False


def _below(raw: Any, steps: list[Any]) -> Any:
    for step in steps:
        raw = raw[step]
    return raw


def _only(raw: Any, steps: list[Any], key: Any) -> Any:
    """A copy in which the mapping below ``steps`` has one key only."""
    if not steps:
        return {key: raw[key]}
    first, *rest = steps
    if isinstance(raw, list):
        return [_only(one, rest, key) if n == first else one for n, one in enumerate(raw)]
    return {**raw, first: _only(raw[first], rest, key)}
