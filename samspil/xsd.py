"""Records by their XML schema: raw bytes to nested dicts, checked, and back.

A record is a global element of an XSD file of ours. Decoding parses a whole batch in one go and falls back to one
record at a time when a batch has a broken one, so a broken record costs time but no neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import zeep.exceptions
import zeep.xsd
from lxml import etree
from zeep.xsd.types import builtins

from samspil import xml
from samspil.connector import Field
from samspil.cut import RecordShape
from samspil.errors import Refused, SettingsError

_NIL = f"{{{xml.XSI}}}nil"
_NAME = re.compile(r"[^\W\d][\w.-]{0,59}")

Kind = str  # "text" kept to the space, "token" of a form of its own, "date" likewise, "boolean", "integer"


class Node(NamedTuple):
    """An element of a record. ``children`` is empty for one that holds text, whose ``kind`` says of what type."""

    tag: str
    name: str
    required: bool
    many: bool
    nillable: bool
    kind: Kind
    children: dict[str, Node]


class RecordType:
    """The global element of ``shape`` in a schema file.

    In dicts an element that may repeat is always a list, an absent or nil one is absent, ``xs:boolean`` and whole
    numbers are bool and int, and everything else is text as on the wire. Raises SettingsError.
    """

    def __init__(self, file: Path, shape: RecordShape) -> None:
        self._shape = shape
        self._root = _tree(file, shape.tag)
        try:
            self._schema = etree.XMLSchema(etree.parse(file, etree.XMLParser(**xml.SAFE)))
        except etree.LxmlError as error:
            raise SettingsError(f"is not a usable schema ({type(error).__name__})", file=str(file)) from None
        self.fields: Mapping[str, Field] = dict(_fields(self._root.children, ""))
        self._reader = _reader(self._root)
        self._write = _writer(self._root, f"{shape.prefix}:" if shape.prefix else "")

    def decode(self, raws: Sequence[bytes]) -> list[dict[str, Any] | Refused]:
        """Each record, or why it is refused (``xml-malformed``, ``unknown-field``, ``bad-date``, …) and where."""
        return [problem or _value(element, self._reader) for element, problem in zip(*self._checked(raws), strict=True)]

    def check(self, raws: Sequence[bytes]) -> list[Refused | None]:
        """What ``decode`` would refuse, without decoding."""
        return self._checked(raws)[1]

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """The record with the shape's prefix, its elements in the schema's order, every value escaped.

        Values are text, bool or int. What ``check`` finds is not looked for here. Raises Refused for what cannot be
        written at all: ``unknown-field``, ``wrong-type``, ``bad-character``.
        """
        out: list[str] = []
        self._write(record, out.append, "")
        return "".join(out).encode()

    def _checked(self, raws: Sequence[bytes]) -> tuple[list[Any], list[Refused | None]]:
        """The parsed records and what is wrong with each (then its element may be missing)."""
        try:
            root = xml.parse(xml.wrap(raws, self._shape.prefixes))
            whole = len(root) == len(raws)
        except Refused:
            whole = False
        if not whole:
            if len(raws) == 1:
                return [None], [self._malformed(raws[0])]
            pairs = [self._checked([raw]) for raw in raws]
            return [elements[0] for elements, _ in pairs], [problems[0] for _, problems in pairs]
        elements = list(root)
        return elements, [self._problem(element) for element in elements]

    def _malformed(self, raw: bytes) -> Refused:
        try:
            xml.parse(xml.wrap([raw], self._shape.prefixes))
        except Refused as error:
            return error
        return Refused("xml-malformed", hint="not one element")

    def _problem(self, element: etree._Element) -> Refused | None:
        if element.tag != self._shape.tag:
            return Refused("unknown-field", field=_shown(xml.local(element)))
        if self._schema.validate(element):
            return None
        errors: Any = self._schema.error_log  # a list, which the stubs do not tell
        error = errors[0]
        steps = [re.sub(r"^.*:|\[\d+\]$", "", step) for step in (error.path or "").split("/")[2:]]
        return _refusal(error, steps, self._root)


_REASONS = {
    "SCHEMAV_CVC_ENUMERATION_VALID": "unknown-code",
    "SCHEMAV_CVC_LENGTH_VALID": "bad-length",
    "SCHEMAV_CVC_MINLENGTH_VALID": "bad-length",
    "SCHEMAV_CVC_MAXLENGTH_VALID": "bad-length",
    "SCHEMAV_CVC_PATTERN_VALID": "bad-format",
    "SCHEMAV_CVC_MININCLUSIVE_VALID": "out-of-range",
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": "out-of-range",
    "SCHEMAV_CVC_MINEXCLUSIVE_VALID": "out-of-range",
    "SCHEMAV_CVC_MAXEXCLUSIVE_VALID": "out-of-range",
    "SCHEMAV_CVC_TOTALDIGITS_VALID": "out-of-range",
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": "out-of-range",
}


def _refusal(error: etree._LogEntry, steps: list[str], node: Node) -> Refused:
    """A schema error as a reason and a path of names; libxml2's message is left behind, for it quotes the value."""
    path: list[str] = []
    parent, above = node, ""
    for step in steps:
        child = next((child for child in node.children.values() if child.name == step), None)
        if child is None:
            return Refused("unknown-field", field=".".join([*path, _shown(step)]))
        parent, above, node = node, ".".join(path), child
        path.append(f"{step}[]" if child.many else step)
    where = ".".join(path)
    if error.type_name == "SCHEMAV_ELEMENT_CONTENT":
        missing, _, expected = error.message.partition("Expected is")  # names of the schema, no values
        if "Missing child" in missing:
            parent, above = node, where
        for name in re.findall(r"[\w.-]+(?=[ ,)])", re.sub(r"\{[^{}]*\}", "", expected)):
            if any(child.required and child.name == name for child in parent.children.values()):
                return Refused("missing-field", field=f"{above}.{name}" if above else name)
        return Refused("unexpected-field", field=where)
    reason = "bad-date" if node.kind == "date" else "wrong-type"
    return Refused(_REASONS.get(error.type_name, reason), field=where)


def _shown(name: str) -> str:
    """A name that is not in the contract, unless it could be something else than a name."""
    return name if _NAME.fullmatch(name) and not any(character.isdigit() for character in name) else "?"


Convert = Callable[[str], Any]
Reader = dict[str, tuple[str, bool, bool, "Convert | None", "Reader | None"]]  # tag → name, many, nillable, …

_SPACE = " \t\r\n"
_CONVERT: Mapping[Kind, Convert | None] = {
    "text": None,
    "token": lambda text: text.strip(_SPACE),
    "date": lambda text: text.strip(_SPACE),
    "boolean": lambda text: text.strip(_SPACE) in ("true", "1"),
    "integer": int,
}


def _reader(node: Node) -> Reader:
    """A node as a table that is quick to read by."""
    return {
        tag: (child.name, child.many, child.nillable, _CONVERT[child.kind], _reader(child) if child.children else None)
        for tag, child in node.children.items()
    }


def _value(element: etree._Element, reader: Reader) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for child in element:
        name, many, nillable, convert, below = reader[child.tag]
        if nillable and child.get(_NIL) in ("true", "1"):
            continue
        value: Any
        if below is not None:
            value = _value(child, below)
        else:
            value = child.text or ""
            if convert is not None:
                value = convert(value)
        if many:
            record.setdefault(name, []).append(value)
        else:
            record[name] = value
    return record


Write = Callable[[Mapping[str, Any], Callable[[str], None], str], None]


def _writer(node: Node, prefix: str) -> Write:
    """The function that writes an element from a dict."""
    opening, closing = f"<{prefix}{node.name}>", f"</{prefix}{node.name}>"
    plan = [
        (
            child.name,
            child.many,
            _writer(child, prefix) if child.children else None,
            f"<{prefix}{child.name}>",
            f"</{prefix}{child.name}>",
        )
        for child in node.children.values()
    ]
    names = {child.name for child in node.children.values()}

    def write(record: Mapping[str, Any], out: Callable[[str], None], at: str) -> None:
        if not isinstance(record, dict):
            raise Refused("wrong-type", field=at)
        if not names >= record.keys():
            raise Refused("unknown-field", field=f"{at}{_shown(str(min(record.keys() - names)))}")
        out(opening)
        for name, many, below, start, end in plan:
            value = record.get(name)
            if value is None:
                continue
            if many and not isinstance(value, list):
                raise Refused("wrong-type", field=f"{at}{name}")
            for item in value if many else (value,):
                if below:
                    below(item, out, f"{at}{name}[]." if many else f"{at}{name}.")
                else:
                    out(start)
                    out(_text(item, f"{at}{name}"))
                    out(end)
        out(closing)

    return write


def _text(value: object, at: str) -> str:
    if type(value) is str:
        try:
            return xml.escaped(value)
        except Refused as error:
            raise Refused(error.reason, field=at) from None
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is int:
        return str(value)
    raise Refused("wrong-type", field=at)


def _fields(children: Mapping[str, Node], at: str) -> Iterator[tuple[str, Field]]:
    for child in children.values():
        path = f"{at}{child.name}[]" if child.many else f"{at}{child.name}"
        yield path, Field(required=child.required)
        yield from _fields(child.children, f"{path}.")


class Offline(zeep.Transport):
    """Lets zeep load files of one folder, and nothing else."""

    def __init__(self, file: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # zeep's own types are partial
        self.session.close()
        self._file, self._folder = file, file.resolve().parent

    def load(self, url: str) -> bytes:
        path = Path(url.removeprefix("file://")).resolve()
        if "://" in url.removeprefix("file://") or not path.is_relative_to(self._folder):
            raise SettingsError(
                "imports a file from elsewhere; put it in the same folder", file=str(self._file), field=url[:200]
            )
        try:
            return path.read_bytes()
        except OSError as error:
            raise SettingsError(f"cannot be read ({error.strerror})", file=str(path)) from None


@cache
def _schemas(file: Path) -> Any:
    schemas: Any = zeep.xsd.Schema  # zeep's own types are partial
    offline = Offline(file)
    try:
        return schemas(xml.parse(offline.load(str(file))), offline, str(file.resolve()), zeep.Settings(forbid_dtd=True))
    except (zeep.exceptions.Error, Refused, etree.LxmlError, LookupError, ValueError) as error:
        raise SettingsError(f"is not a usable schema ({type(error).__name__})", file=str(file)) from None


def _tree(file: Path, tag: str) -> Node:
    try:
        element = _schemas(file).get_element(tag)
    except (zeep.exceptions.Error, LookupError):
        raise SettingsError("the schema has no such element", file=str(file), field=tag) from None
    return _node(element)


def _node(element: Any) -> Node:
    children = [_node(child) for _, child in getattr(element.type, "elements", ())]
    return Node(
        tag=element.qname.text,
        name=element.qname.localname,
        required=not element.is_optional,
        many=element.accepts_multiple,
        nillable=bool(element.nillable),
        kind=_kind(element.type),
        children={child.tag: child for child in children},
    )


def _kind(kind: object) -> Kind:
    if isinstance(kind, builtins.Boolean):
        return "boolean"
    if isinstance(kind, builtins.Integer):
        return "integer"
    if isinstance(kind, (builtins.Date, builtins.DateTime, builtins.Time)):
        return "date"
    return "text" if isinstance(kind, builtins.String) else "token"
