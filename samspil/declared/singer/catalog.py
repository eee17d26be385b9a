"""The contract of a Singer connector: ``catalog.json``, the tap's own catalog as it was when people agreed on it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from samspil.connector import Field
from samspil.declared.singer.declaration import Stream
from samspil.errors import SettingsError

_LARGEST = 8 << 20  # bytes of a catalog.json


class Contract:
    """One stream of the catalog. Raises SettingsError if the file does not have what the declaration says of it.

    ``left_out``: properties that the catalog deselects. Not every tap obeys, so a reader drops them itself.
    """

    def __init__(self, path: Path, told: Stream) -> None:
        self._path, self._told = path, told
        entries = [entry for entry in _streams(path) if entry.get("tap_stream_id", entry.get("stream")) == told.record]
        if len(entries) != 1:
            raise SettingsError(f"has no stream {told.record}, or two", file=str(path), field=told.record)
        self.entry = entries[0]
        schema = self.entry.get("schema")
        if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
            raise self._error("the stream has no schema with properties", "")
        self.left_out = frozenset(name for name, meta in _metadata(self.entry) if name and not _is_selected(meta))
        self.properties: dict[str, Any] = {
            name: node for name, node in schema["properties"].items() if name not in self.left_out
        }
        self._required = {*told.keys, *schema.get("required", ())}
        named = [*told.keys, *([told.incremental.changed, told.incremental.mark] if told.incremental else [])]
        for name in filter(None, named):
            if name not in self.properties:
                raise self._error("is named in the declaration, but the stream has no such property", name)

    def fields(self) -> Mapping[str, Field]:
        """Every property that is read, by dotted path."""
        return dict(_paths(self.properties, self._required, ""))

    def selected(self) -> dict[str, Any]:
        """The catalog to give the tap: this stream alone, selected, with the way it is to be read."""
        entry = copy.deepcopy(self.entry)
        method = "INCREMENTAL" if self._told.incremental else "FULL_TABLE"
        key = self._told.incremental.changed if self._told.incremental else None
        entry["replication_method"], entry["replication_key"] = method, key
        wanted: dict[str, Any] = {"selected": True, "replication-method": method}
        if key:
            wanted["replication-key"] = key
        metadata = entry.setdefault("metadata", [])
        own = next((item for item in metadata if not item.get("breadcrumb")), None)
        if own is None:
            metadata.append(own := {"breadcrumb": [], "metadata": {}})
        own["metadata"] = {**own.get("metadata", {}), **wanted}
        return {"streams": [entry]}

    def require(self, schema: Any, key: list[str] | None) -> None:
        """Compare a schema the tap tells with the contract. Raises SettingsError naming the property that differs."""
        told = schema.get("properties") if isinstance(schema, dict) else None
        if not isinstance(told, dict):
            raise self._error("the tap's SCHEMA has no properties", "")
        there = {name: node for name, node in told.items() if name not in self.left_out}
        for name in sorted({*there, *self.properties}):
            if name not in self.properties:
                raise self._error("is new: the contract has no such property", name)
            if name not in there:
                raise self._error("is gone: the tap no longer gives it", name)
            if (where := _difference(self.properties[name], there[name], name)) is not None:
                raise self._error("has another type than in the contract", where)
        if key and sorted(key) != sorted(self._told.keys):
            raise self._error("the tap names other key properties than the declaration", "key")

    def _error(self, message: str, name: str) -> SettingsError:
        hint = "" if not name else "; look at what changed, then renew the file with the tap's --discover"
        field = ".".join(filter(None, (self._told.record, name)))
        return SettingsError(f"{message}{hint}", file=str(self._path), field=field, reason="contract-drift")


def _streams(path: Path) -> list[dict[str, Any]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"cannot be read ({error.strerror})", file=str(path)) from None
    if len(data) > _LARGEST:
        raise SettingsError(f"is larger than {_LARGEST} bytes", file=str(path))
    return streams(data, str(path))


def streams(data: bytes, place: str) -> list[dict[str, Any]]:
    """The streams of a catalog in JSON. Raises SettingsError if it is none."""
    try:
        return msgspec.json.decode(data, type=dict[str, list[dict[str, Any]]])["streams"]
    except (msgspec.MsgspecError, KeyError, ValueError, RecursionError):
        raise SettingsError("is not a Singer catalog", file=place) from None


def _metadata(entry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Top-level property (or "" for the stream itself) and what the catalog says of it."""
    for item in entry.get("metadata", ()):
        crumbs = item.get("breadcrumb") or []
        if not crumbs:
            yield "", item.get("metadata", {})
        elif len(crumbs) == 2 and crumbs[0] == "properties":
            yield crumbs[1], item.get("metadata", {})


def _is_selected(meta: Mapping[str, Any]) -> bool:
    inclusion = meta.get("inclusion", "available")
    if inclusion != "available":
        return bool(inclusion == "automatic")
    return bool(meta.get("selected", meta.get("selected-by-default", True)))


def _kinds(node: Any) -> frozenset[str]:
    told = node.get("type", ()) if isinstance(node, dict) else ()
    return frozenset((told,) if isinstance(told, str) else told)


def _difference(mine: Any, theirs: Any, at: str) -> str | None:
    """The path of the first difference in shape; lengths, bounds and descriptions may change."""
    if not isinstance(mine, dict) or not isinstance(theirs, dict):
        return None if mine == theirs else at
    if _kinds(mine) != _kinds(theirs):
        return at
    for word in ("format", "$ref", "anyOf", "oneOf"):
        if mine.get(word) != theirs.get(word):
            return at
    ours, others = mine.get("properties", {}), theirs.get("properties", {})
    for name in sorted({*ours, *others}):
        if name not in ours or name not in others:
            return f"{at}.{name}"
        if (found := _difference(ours[name], others[name], f"{at}.{name}")) is not None:
            return found
    if "items" in mine or "items" in theirs:
        return _difference(mine.get("items"), theirs.get("items"), f"{at}[]")
    return None


def _paths(properties: Mapping[str, Any], required: set[str], before: str) -> Iterator[tuple[str, Field]]:
    for name, node in properties.items():
        path, inner = f"{before}{name}", node
        if "array" in _kinds(node) and isinstance(node.get("items"), dict):
            path, inner = f"{path}[]", node["items"]
        if "object" in _kinds(inner) and inner.get("properties"):
            yield from _paths(inner["properties"], set(inner.get("required", ())), f"{path}.")
        else:
            yield path, Field(required=name in required)
