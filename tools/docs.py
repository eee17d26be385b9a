"""Write the generated pages of ``docs/reference/``: connectors, agreements and shared schemas, as the code has them,
and the README's table of connectors with the level that each has shown (``make levels`` tries them anew).

Nothing there is written by hand, so nothing there can be out of date: ``tests/tools/test_docs.py`` compares.
"""  # noqa: INP001 - a script beside the packages, not one of them

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from samspil import registry
from samspil.agreement import Agreement, Flow, load_all
from samspil.cli import connectors as cli
from samspil.testing.conformance import results

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- connectors: written by `make docs` -->\n", "<!-- end of connectors -->\n"
NOTE = "<!-- Written by `make docs`; changes made here are lost. -->"


def main() -> None:
    """Write every page anew."""
    folder = ROOT / "docs" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    README.write_text(readme(), encoding="utf-8")


def pages() -> dict[str, str]:
    """File name → text of each page."""
    return {"connectors.md": connectors(), "agreements.md": agreements(), "schemas.md": schemas()}


def connectors() -> str:
    """What each connector reads and writes."""
    rows = [
        (f"[{name}](../../connectors/{name}/README.md)", kind.title, _schemas(kind.reads), _schemas(kind.writes))
        for name, kind in registry.connectors().items()
    ]
    return _page("Connectors", table(("connector", "system", "reads", "writes"), rows))


def readme() -> str:
    """The README with its table of connectors as it should be today."""
    found = results.read(results.default_file())
    told = [cli.row(name, kind, found.get(name)) for name, kind in registry.connectors().items()]
    rows = [
        (f"[{name}](connectors/{name}/README.md)", title, kind, level, f"{version}, {date}" if date else "")
        for name, title, kind, _, _, level, version, date in told
    ]
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    head = ("connector", "system", "kind", "level", "on version, date")
    return f"{before}{BEGIN}{table(head, rows)}\n{END}{after}"


def agreements() -> str:
    """What flows in each municipality, why and on what legal basis."""
    parts: list[str] = []
    for file in load_all(ROOT / "dags" / "municipalities", registry.schemas()):
        times = f"Every run: `{file.schedule}`, done by {file.deadline}, Danish time."
        parts += [f"## {file.municipality.name} ({file.municipality.code})", times]
        for agreement in file.agreements:
            rows = [(flow.schema, flow.source, flow.target, flow.rhythm, _fields(flow)) for flow in agreement.flows]
            parts += [
                f"### {agreement.name}: {' and '.join(agreement.between)}",
                f"Purpose (formål): {agreement.purpose}",
                f"Legal basis (hjemmel): {agreement.legal_basis}",
                table(("schema", "from", "to", "rhythm", "fields, by owner"), rows),
                *_privacy(agreement),
            ]
    return _page("Agreements", *parts)


def schemas() -> str:
    """Every field of every shared schema, with its Danish term."""
    parts: list[str] = []
    for name, struct in registry.schemas().items():
        rows = [
            (field.name, "yes" if field.required else "", *_about(field.type))
            for field in msgspec.structs.fields(struct)
        ]
        summary = (struct.__doc__ or "").partition("\n")[0]
        parts += [f"## {name}", summary, table(("field", "required", "term", "kind", "unit or codes", "source"), rows)]
    return _page("Shared schemas", *parts)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((NOTE, f"# {title}", *parts)) + "\n"


def _schemas(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


def _privacy(agreement: Agreement) -> Iterable[str]:
    """What leaves as pseudonyms, what consent keeps back, and which tables may be made."""
    if (hidden := agreement.pseudonyms) is not None:
        yield f"Pseudonyms to {hidden.recipient}: {', '.join(hidden.fields)}; when its key changes: {hidden.rotation}"
    for flow in agreement.flows:
        if (told := flow.consent) is not None and told.carries:
            kept = ", ".join(told.without) or "every record"
            when = "missing or withdrawn" if told.strict else "withdrawn"
            yield f"Consent (samtykke): {told.field} of {flow.schema}; where it is {when}, {kept} of that person stays"
    for report in agreement.reports:
        by = ", ".join(axis.title for axis in report.axes)
        yield f"Report {report.name}: {report.schema} of {report.source} by {by}; no cell below {report.smallest} persons"


def _fields(flow: Flow) -> str:
    return "; ".join(f"**{owner}** {', '.join(owned)}" for owner, owned in flow.fields.items())


def _about(kind: Any) -> tuple[str, str, str, str]:
    """Danish term, sensitivity, unit or code list, and source of a field's description."""
    extra: dict[str, Any] = {}
    for part in getattr(kind, "__metadata__", ()):
        extra |= (part.extra or {}) if isinstance(part, msgspec.Meta) else {}
    unit = extra.get("unit") or extra.get("code_list") or ""
    return (extra.get("da", ""), extra.get("sensitivity", ""), unit, extra.get("source", ""))


if __name__ == "__main__":
    main()
