"""Accounts from Airflow's connections."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, get_args

import msgspec
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from samspil import registry
from samspil.account import SECRET, Account, Settings
from samspil.agreement import MunicipalityFile
from samspil.errors import SettingsError


def account(connection_id: str, file: MunicipalityFile) -> Account:
    """The account behind an Airflow connection, wherever Airflow keeps it (environment, secrets backend, database).

    Its password and whatever the connector's settings call a secret are masked in the task's log from here on.
    Raises SettingsError if there is no such connection or its extra is not a JSON object.
    """
    try:
        connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        raise SettingsError(
            "Airflow has no such connection: add it under Admin → Connections or as "
            f"AIRFLOW_CONN_{connection_id.upper()}",
            field=f"connection {connection_id}",
        ) from None
    found = Account(
        id=connection_id,
        conn_type=connection.conn_type or "http",
        host=connection.host or "",
        port=connection.port,
        schema=connection.schema or "",
        login=connection.login or "",
        password=connection.password or "",
        extra=_extra(connection_id, connection.extra),
    )
    for use in file.systems.values():
        if use.connection == connection_id:
            _mask(found, _settings(use.connector))
    return found


def _extra(connection_id: str, text: str | None) -> dict[str, Any]:
    try:
        extra = json.loads(text or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise SettingsError("its extra must be a JSON object", field=f"connection {connection_id}")
    return extra


@cache
def _settings(connector: str) -> type[Settings]:
    return registry.connector(connector).Settings


def _mask(account: Account, kind: type[Settings]) -> None:
    """Airflow masks the password, and in the extra what has a name it knows; the settings know better."""
    for field in msgspec.structs.fields(kind):
        value = account.extra.get(field.encode_name)
        if value and _is_secret(field.type):
            mask_secret(value)


def _is_secret(kind: Any) -> bool:
    """Whether the type is marked ``SECRET``, also inside ``… | None``."""
    return SECRET in getattr(kind, "__metadata__", ()) or any(map(_is_secret, get_args(kind)))
