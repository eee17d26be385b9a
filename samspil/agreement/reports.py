"""Reports (indberetninger): tables of counts that an agreement allows, with the rules for small cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from samspil.agreement.types import Name
from samspil.errors import SettingsError

if TYPE_CHECKING:
    from samspil.agreement.terms import WrittenAgreement

Wrong = Callable[[str, str], SettingsError]  # message, field path

LEAST = 3  # persons: no published cell of official statistics is below


class Axis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One dimension of a table: a field of the schema; of a date its month, quarter or year.

    ``of`` names another schema that the record points at with its ``order_id``, such as course_order.
    """

    field: Name
    by: Literal["month", "quarter", "year"] | None = None
    of: Name | None = None

    @property
    def title(self) -> str:
        """What the column is called."""
        return f"{self.field}_{self.by}" if self.by else self.field


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many records, by one to four dimensions, with every total.

    A cell of fewer than ``smallest`` persons is never shown. ``zeros: hidden`` counts an empty cell as small too. Of a suppressed cell
    nobody may be able to work out a range narrower than ``width`` (highest less lowest).
    """

    name: Name
    source: Name
    schema: Name
    axes: Annotated[tuple[Axis, ...], Meta(min_length=1, max_length=4)]
    smallest: Annotated[int, Meta(ge=LEAST, le=1000)] = 5
    zeros: Literal["shown", "hidden"] = "shown"
    width: Annotated[int, Meta(ge=1, le=1000)] = 4


def check(agreements: Sequence[WrittenAgreement], schemas: Mapping[str, type], wrong: Wrong) -> None:
    """Raise ``wrong`` for the first report that cannot be made, or would name a person."""
    names: set[str] = set()
    for index, agreement in enumerate(agreements):
        for number, report in enumerate(agreement.reports):
            at = f"agreements[{index}].reports[{number}]"
            if report.name in names:
                raise wrong("another report has this name", f"{at}.name")
            names.add(report.name)
            if report.source not in agreement.between:
                raise wrong(f"{report.source} is not a party of agreement {agreement.name}", f"{at}.source")
            if "cpr" not in _fields(schemas, report.schema):
                raise wrong(f"there is no schema {report.schema} of persons", f"{at}.schema")
            titles = [axis.title for axis in report.axes]
            for place, axis in enumerate(report.axes):
                if titles.index(axis.title) != place:
                    raise wrong("the same dimension twice", f"{at}.axes[{place}]")
                _check_axis(schemas, report, axis, f"{at}.axes[{place}]", wrong)


def _check_axis(schemas: Mapping[str, type], report: Report, axis: Axis, at: str, wrong: Wrong) -> None:
    if axis.of is not None and (axis.of not in schemas or "order_id" not in _fields(schemas, report.schema)):
        raise wrong(f"a {report.schema} does not point at a {axis.of}", f"{at}.of")
    schema = axis.of or report.schema
    known = _fields(schemas, schema)
    if axis.field not in known:
        raise wrong(f"schema {schema} has no field {axis.field}", f"{at}.field")
    kind, extra = known[axis.field]
    if kind in (date, datetime):
        if axis.by is None:
            raise wrong("write by: month, quarter or year", at)
    elif axis.by is not None:
        raise wrong(f"{axis.field} is no date", f"{at}.by")
    elif extra.get("sensitivity") == "identifier" or (kind is not bool and not _closed(axis.field, extra)):
        raise wrong(f"{axis.field} has no closed set of values to count by", f"{at}.field")


def _closed(name: str, extra: Mapping[str, Any]) -> bool:
    """Codes of a list, and production units and companies by their public number."""
    return "code_list" in extra or name in ("provider", "company_cvr", "company_p_number", "municipality")


def _fields(schemas: Mapping[str, type], schema: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Each field's plain type and what the schema says of it."""
    found: dict[str, tuple[Any, dict[str, Any]]] = {}
    for field in msgspec.structs.fields(schemas[schema]) if schema in schemas else ():
        kind: Any = field.type
        extra: dict[str, Any] = {}
        while hasattr(kind, "__metadata__"):
            for part in kind.__metadata__:
                extra |= getattr(part, "extra", None) or {}
            kind = kind.__origin__
        plain = [one for one in getattr(kind, "__args__", (kind,)) if one is not type(None)]
        found[field.name] = (plain[0] if len(plain) == 1 else kind, extra)
    return found
