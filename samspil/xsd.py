"""Records by their XML schema: raw bytes to nested dicts, checked, and back.

A record is a global element of an XSD file of ours. Decoding parses a whole batch in one go and falls back to one
record at a time when a batch has a broken one, so a broken record costs time but no neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from samspil import xml
from samspil.connector import Field
from samspil.cut import RecordShape
from samspil.elements import CONVERT, Node, fields, shown, tree
from samspil.errors import Refused, SettingsError

_NIL = f"{{{xml.XSI}}}nil"


class RecordType:
    """The global element of ``shape`` in a schema file.

    In dicts an element that may repeat is always a list (empty if absent), another absent or nil one is absent, ``xs:boolean`` and whole
    numbers are bool and int, and everything else is text as on the wire. Raises SettingsError.
    """

    def __init__(self, file: Path, shape: RecordShape) -> None:
        try:
            schema = etree.XMLSchema(etree.parse(file, etree.XMLParser(**xml.SAFE)))
        except etree.LxmlError as error:
            raise SettingsError(f"is not a usable schema ({type(error).__name__})", file=str(file)) from None
        self._of(shape, tree(file, shape.tag), schema)

    @classmethod
    def of(cls, shape: RecordShape, root: Node, schema: etree.XMLSchema) -> RecordType:
        """The same from an element and a schema that were found otherwise, in a WSDL for example."""
        made = cls.__new__(cls)
        made._of(shape, root, schema)  # noqa: SLF001  # its own
        return made

    def _of(self, shape: RecordShape, root: Node, schema: etree.XMLSchema) -> None:
        self._shape, self.name = shape, shape.record
        self._root, self._schema = root, schema
        self.fields: Mapping[str, Field] = dict(fields(root.children))
        self._names = {path.replace("[]", "").rpartition(".")[2] for path in self.fields}
        self._read = _reader(root)
        self._write = _writer(root, shape)

    def known(self, said: str) -> str:
        """The field that a system names in its answer, if it is one of the record's; its text may quote the record."""
        path = re.sub(r"\[\d*\]", "[]", said)
        return path if path in self.fields or path in self._names else ""

    def decode(self, raws: Sequence[bytes]) -> list[dict[str, Any] | Refused]:
        """Each record, or why it is refused (``xml-malformed``, ``unknown-field``, ``bad-date``, …) and where."""
        return [problem or self._decoded(element) for element, problem in zip(*self._checked(raws), strict=True)]

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

    def _decoded(self, element: etree._Element) -> dict[str, Any] | Refused:
        try:
            return self._read(element)
        except KeyError as error:  # where the schema lets anything stand
            return Refused("unknown-field", field=shown(str(error.args[0]).rpartition("}")[2]))

    def _malformed(self, raw: bytes) -> Refused:
        try:
            xml.parse(xml.wrap([raw], self._shape.prefixes))
        except Refused as error:
            return error
        return Refused("xml-malformed", hint="not one element")

    def _problem(self, element: etree._Element) -> Refused | None:
        if element.tag != self._shape.tag:
            return Refused("unknown-field", field=shown(xml.local(element)))
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
            return Refused("unknown-field", field=".".join([*path, shown(step)]))
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


def _reader(node: Node) -> Callable[[etree._Element], dict[str, Any]]:
    """The function that reads a checked element as a dict."""
    table = {
        tag: (
            child.name,
            child.many,
            child.nillable,
            None if child.kind == "text" else CONVERT[child.kind],
            _reader(child) if child.children else None,
        )
        for tag, child in node.children.items()
    }
    lists = [child.name for child in node.children.values() if child.many]

    def read(element: etree._Element) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for child in element:
            name, many, nillable, convert, below = table[child.tag]
            if nillable and child.get(_NIL) in ("true", "1"):
                continue
            value: Any
            if below is not None:
                value = below(child)
            else:
                value = child.text or ""
                if convert is not None:
                    value = convert(value)
            if many:
                record.setdefault(name, []).append(value)
            else:
                record[name] = value
        for name in lists:
            record.setdefault(name, [])
        return record

    return read


Write = Callable[[Mapping[str, Any], Callable[[str], None], str], None]


def tags(node: Node, shape: RecordShape) -> tuple[str, str]:
    """Start and end tag; an element of another namespace than the record's declares its own."""
    namespace = node.tag[1:].partition("}")[0] if node.tag.startswith("{") else ""
    if namespace == shape.namespace:
        name = f"{shape.prefix}:{node.name}" if shape.prefix else node.name
        return f"<{name}>", f"</{name}>"
    if not namespace:
        return f"<{node.name}>", f"</{node.name}>"
    return f'<other:{node.name} xmlns:other="{namespace}">', f"</other:{node.name}>"


def _writer(node: Node, shape: RecordShape) -> Write:
    """The function that writes an element from a dict."""
    opening, closing = tags(node, shape)
    plan = [
        (child.name, child.many, _writer(child, shape) if child.children else None, *tags(child, shape))
        for child in node.children.values()
    ]
    names = frozenset(child.name for child in node.children.values())

    def write(record: Mapping[str, Any], out: Callable[[str], None], at: str) -> None:
        _known(record, names, at)
        out(opening)
        for name, many, below, start, end in plan:
            value = record.get(name)
            if value is None:
                continue
            if many and not isinstance(value, list):
                raise Refused("wrong-type", field=f"{at}{name}[]")
            for item in value if many else (value,):
                if below:
                    below(item, out, f"{at}{name}[]." if many else f"{at}{name}.")
                else:
                    text = item if type(item) is str and item.isalnum() else _text(item, at, name)
                    out(f"{start}{text}{end}")
        out(closing)

    return write


def _known(record: object, names: frozenset[str], at: str) -> None:
    if not isinstance(record, dict):
        raise Refused("wrong-type", field=at.rstrip("."))
    if not names.issuperset(record):
        raise Refused("unknown-field", field=f"{at}{shown(str(min(record.keys() - names)))}")


def _text(value: object, at: str, name: str) -> str:
    if type(value) is str:
        try:
            return xml.escaped(value)
        except Refused as error:
            raise Refused(error.reason, field=f"{at}{name}") from None
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is int:
        return str(value)
    raise Refused("wrong-type", field=f"{at}{name}")
