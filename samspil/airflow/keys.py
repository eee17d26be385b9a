"""The master key from Airflow's secrets backend, where it is not in the worker's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Variable
from airflow.sdk.log import mask_secret

from samspil.errors import SettingsError

if TYPE_CHECKING:
    from samspil.vault import Master

VARIABLE = "samspil_key"
_FIELD = f"Airflow variable {VARIABLE}"


def master() -> Master:
    """The master key: SAMSPIL_KEY or SAMSPIL_KEY_FILE if one is set, else the variable of Airflow's secrets backend.

    Written alike in all three. Masked in the task's log from here on. Raises SettingsError.
    """
    from samspil.vault import Master  # noqa: PLC0415  # Airflow reads DAGs every few seconds, and not the store for that

    try:
        return Master.from_environment()
    except SettingsError as missing:
        if missing.reason != "no-master-key":
            raise
    text = Variable.get(VARIABLE, default=None)
    if not text:
        raise SettingsError(
            f"no master key: set SAMSPIL_KEY, SAMSPIL_KEY_FILE, or the variable {VARIABLE} in the secrets backend",
            field="SAMSPIL_KEY",
            reason="no-master-key",
        )
    mask_secret(text)
    for part in text.replace(",", " ").split():
        mask_secret(part.rpartition(":")[2])
    return Master.parse(text, _FIELD)
