"""Records in the shared schema's own words: what the kit's own systems speak, with a mapping that is written for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from samspil.connector import Field
from samspil.mapping import tree
from samspil.mapping.tree import Node

_AS = {date: "date", datetime: "timestamp", Decimal: "decimal_point", int: "integer", bool: "boolean", float: "number"}


def fields(struct: type) -> Mapping[str, Field]:
    """A plain record's fields: those of the struct. None that address protection hides is required."""
    nodes = [node for node in tree.ours(struct).walk() if node.path and not (node.many and node.children)]
    return {node.path: Field(node.required and not node.extra.get("protected")) for node in nodes}


def write_mapping(struct: type, folder: Path, schema: str) -> Path:
    """Write ``<folder>/<schema>.yaml``, which maps every field to itself; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"record": schema, "rows": _rows(tree.ours(struct))}
    (folder / f"{schema}.yaml").write_bytes(msgspec.yaml.encode(document))
    return folder


def _rows(node: Node) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for child in node.children.values():
        name = ".".join(child.parts(node)) + ("[]" if child.many else "")
        if child.children and child.many:
            rows.append({"theirs": name, "ours": name, "rows": _rows(child)})
        elif child.children:
            rows += [
                {**row, "theirs": f"{name}.{row['theirs']}", "ours": f"{name}.{row['ours']}"} for row in _rows(child)
            ]
        else:
            rows.append({"theirs": name, "ours": name} | _converter(child))
    return rows


def _converter(node: Node) -> dict[str, Any]:
    if node.extra.get("code_list"):
        return {"as": {"code": {"list": node.extra["code_list"]}}}
    if node.base is bytes:
        return {"as": "base64"}
    return {"as": _AS[node.base]} if node.base in _AS else {}
