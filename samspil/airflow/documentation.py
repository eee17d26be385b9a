"""What a DAG's page says of its municipality: the agreement in words."""

from __future__ import annotations

from samspil.agreement import Agreement, Flow, MunicipalityFile

_MISSED = """
A red **check** is a system that cannot be reached: only the flows of that system wait. An **approve** that awaits
input is a plan larger than the agreement allows: nothing was sent; look at it and answer under *Required actions*. A
red one was not answered in time. A red **reconcile** is a flow that does not balance. The log of each task ends with
what to do next.
"""


def dag_text(file: MunicipalityFile) -> str:
    """Markdown: what flows between whom, for what purpose, on what legal basis, and which fields."""
    head = (
        f"# {file.municipality.name} ({file.municipality.code})\n\n"
        f"Every night at `{file.schedule}` Danish time; done by {file.deadline}.\n{_MISSED}"
    )
    return head + "".join(_agreement_text(agreement) for agreement in file.agreements)


def _agreement_text(agreement: Agreement) -> str:
    rows = "".join(_row(flow) for flow in agreement.flows)
    return (
        f"\n## {agreement.name}: {' and '.join(agreement.between)}\n\n"
        f"**Purpose (formål):** {agreement.purpose}\n\n"
        f"**Legal basis (hjemmel):** {agreement.legal_basis}\n\n"
        "| flow | rhythm | fields | protected addresses | guard |\n| --- | --- | --- | --- | --- |\n"
        f"{rows}"
    )


def _row(flow: Flow) -> str:
    fields = ", ".join(sorted(flow.fields_sent))
    guard = f"{flow.guard.changes:g} % changes, {flow.guard.deletions:g} % deletions, reads from {flow.guard.smallest_read:g} %"
    return f"| {flow.name} | {flow.rhythm} | {fields} | {flow.protected_addresses} | {guard} |\n"
