"""The elements that a schema file describes, as a tree; read from one folder and never from the network."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import zeep.exceptions
import zeep.xsd
from lxml import etree
from zeep.xsd.types import builtins

from samspil import xml
from samspil.connector import Field
from samspil.errors import Refused, SettingsError

Kind = Literal["text", "token", "date", "boolean", "integer"]
# text is kept to the space; a token has a form of its own, and so has a date

_SPACE = " \t\r\n"
CONVERT: Mapping[Kind, Callable[[str], Any]] = {  # a leaf's text to its value; the text has been or must be checked
    "text": str,
    "token": lambda text: text.strip(_SPACE),
    "date": lambda text: text.strip(_SPACE),
    "boolean": lambda text: {"true": True, "1": True, "false": False, "0": False}[text.strip(_SPACE)],
    "integer": int,
}

_NAME = re.compile(r"[^\W\d][\w.-]{0,59}")

logging.getLogger("zeep").setLevel(logging.CRITICAL + 1)  # it logs values that it cannot read


class Node(NamedTuple):
    """An element of a record. ``children`` is empty for one that holds text, whose ``kind`` says of what type."""

    tag: str
    name: str
    required: bool
    many: bool
    nillable: bool
    kind: Kind
    children: dict[str, Node]


def fields(children: Mapping[str, Node], at: str = "") -> Iterator[tuple[str, Field]]:
    """Dotted paths of all that is below, containers included, ``[]`` after what may repeat."""
    for child in children.values():
        path = f"{at}{child.name}[]" if child.many else f"{at}{child.name}"
        yield path, Field(required=child.required)
        yield from fields(child.children, f"{path}.")


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


def tree(file: Path, tag: str) -> Node:
    """A global element of a schema file. Raises SettingsError."""
    try:
        element = _schemas(file).get_element(tag)
    except (zeep.exceptions.Error, LookupError):
        raise SettingsError("the schema has no such element", file=str(file), field=tag) from None
    return node(element)


def node(element: Any) -> Node:
    """An element as zeep knows it, as a tree. What stands in the place of an ``xs:any`` is in no tree."""
    children = [
        node(child) for _, child in getattr(element.type, "elements", ()) if not isinstance(child, zeep.xsd.Any)
    ]
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


def shown(name: str) -> str:
    """A name that is not in the contract, unless it could be something else than a name."""
    return name if _NAME.fullmatch(name) and not any(character.isdigit() for character in name) else "?"
