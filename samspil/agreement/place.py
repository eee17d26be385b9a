"""Where something stands in a municipality's file, for errors that show only when a flow is made ready."""

from __future__ import annotations

from pathlib import Path

from samspil.agreement.terms import Flow, MunicipalityFile, WrittenFile
from samspil.errors import SettingsError
from samspil.yamlfile import YamlFile


def wrong(file: MunicipalityFile, flow: Flow, at: str, message: str) -> SettingsError:
    """An error at ``at`` within the flow's agreement (``pseudonyms.fields[0]``), with file and line."""
    if not file.path:
        return SettingsError(message, field=f"{flow.name}: {at}")
    number = next(n for n, agreement in enumerate(file.agreements) if agreement.name == flow.agreement.name)
    return YamlFile(Path(file.path), WrittenFile).error(message, at=f"agreements[{number}].{at}")
