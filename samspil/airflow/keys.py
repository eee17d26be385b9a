"""The master key from Airflow's secrets backend, where it is not in the worker's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Variable
from airflow.sdk.log import mask_secret

from samspil.errors import SettingsError

if TYPE_CHECKING:
    from samspil.vault import Master

VARIABLE = "samspil_key"


def master(municipality: str) -> Master:
    """A municipality's master key: SAMSPIL_KEY or SAMSPIL_KEY_FILE if one is set, else from Airflow's secrets backend.

    There the variable ``samspil_key_CODE`` is asked for first, so that each municipality may have a key of its own, then
    ``samspil_key``. Written alike in all. Masked in the task's log from here on. Raises SettingsError.
    """
    from samspil.vault import Master  # noqa: PLC0415  # Airflow reads DAGs every few seconds, and not the store for that

    try:
        return Master.from_environment(municipality)
    except SettingsError as missing:
        if missing.reason != "no-master-key":
            raise
    for variable in (f"{VARIABLE}_{municipality}", VARIABLE):
        text = Variable.get(variable, default=None)
        if text:
            break
    else:
        raise SettingsError(
            f"no master key: set SAMSPIL_KEY, SAMSPIL_KEY_FILE, or the variable {VARIABLE}_{municipality} or {VARIABLE} "
            "in the secrets backend",
            field="SAMSPIL_KEY",
            reason="no-master-key",
        )
    mask_secret(text)
    for part in text.replace(",", " ").split():
        mask_secret(part.rpartition(":")[2])
    return Master.parse(text, f"Airflow variable {variable}")
