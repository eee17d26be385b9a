"""What may be kept of a system's traffic beside what its mappings tell: a small YAML file, read and checked.

::

    paths:                                   # every path met must be here; {name}: what stands there
      /v1/organisation: {}
      /v1/course-orders/{id}: {id: words}
    query: {page: keep, pageSize: keep}
    headers: {X-Tenant: keep}                # a header that is not here is left out of the recording
    settings: {tenant: keep}                 # the account's own; its secrets are replaced in any case
    records: [data, items.order]             # where records lie in JSON or CSV; XML tells by the record's name
    fields:                                  # what mappings do not know, by the end of its path
      hasMore: keep
      results.id: words
    known: [results, errors]                 # names of wrappers, namespaces and other words that tell of nobody

What is covered by nothing is refused when the recording is saved.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from samspil.yamlfile import YamlFile

Kind = Literal[
    "keep",  # cannot tell of a person; the search still looks at it
    "cpr",
    "words",  # names, addresses, keys: each run of letters or digits by another, the same one everywhere
    "text",  # free text: as many characters of coined words
    "any",  # by what it looks like: of a type that nobody has told
    "number",
    "code",
    "phone",
    "email",
    "cvr",
    "p_number",
    "content",  # bytes, also as base64
    "digest",  # SHA-256 of a content
    "filename",
    "secret",
    "passing",  # message ids, idempotency keys, time stamps: new with every call, so not compared in a replay
    "link",  # an address at the same system
    "drop",  # a setting or header that the recording does without
]


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file; see the module's docstring. :func:`load` reads one."""

    paths: dict[str, dict[str, Kind]] = {}
    query: dict[str, Kind] = {}
    headers: dict[str, Kind] = {}
    settings: dict[str, Kind] = {}
    records: list[str] = []
    fields: dict[str, Kind] = {}
    known: list[str] = []


class Filled(NamedTuple):
    """A path that fits a pattern: the pattern, and what stands in its places, still percent-encoded."""

    pattern: str
    parts: dict[str, str]


def load(file: Path) -> Rules:
    """Read a file of rules. Raises SettingsError with file, line and field."""
    found = YamlFile(file, Rules)
    for pattern, parts in found.value.paths.items():
        if set(re.findall(r"\{(\w+)\}", pattern)) != set(parts):
            raise found.error("say of each {name} in the path what stands there", at=f"paths.{pattern}")
    return found.value


def filled(rules: Rules, path: str) -> Filled | None:
    """The pattern a path fits; of several the one with the fewest places."""
    for pattern in sorted(rules.paths, key=lambda each: each.count("{")):
        expression = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(pattern))
        if match := re.fullmatch(expression, path):
            return Filled(pattern, match.groupdict())
    return None
