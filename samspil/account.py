"""An account: one organisation's access to one system, in the form Airflow stores its connections.

Under Airflow an account is an Airflow connection; without Airflow it is read from the same environment variable
Airflow would read (``AIRFLOW_CONN_<ID>``, a JSON object), so there is one spelling and no import of Airflow.
"""

from __future__ import annotations

import os
from typing import Any, TypeVar

import msgspec

from samspil.errors import SettingsError


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every connector's settings: closed and typed. Mark a secret with ``Annotated[str, SECRET]``.

    ``url`` is made from the connection's type (scheme), host, port and schema (path).
    """

    url: str

    def __repr__(self) -> str:  # settings in a traceback must not show a secret
        return f"{type(self).__name__}(url={self.url!r}, …)"


SECRET = msgspec.Meta(extra={"secret": True})

S = TypeVar("S", bound=Settings)


class Account(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of an Airflow connection. ``extra`` holds what a connector's settings want beyond the others."""

    id: str
    conn_type: str = "http"
    host: str = ""
    port: int | None = None
    schema: str = ""
    login: str = ""
    password: str = ""
    extra: dict[str, Any] = {}

    def __repr__(self) -> str:  # an account in a traceback must not show its password
        return f"Account({self.id!r})"

    @classmethod
    def from_environment(cls, connection: str) -> Account:
        """Read ``AIRFLOW_CONN_<CONNECTION>``. Raises SettingsError if it is missing or is not the JSON form."""
        variable = f"AIRFLOW_CONN_{connection.upper()}"
        text = os.environ.get(variable)
        if text is None:
            raise SettingsError(f"no account: set {variable} or add the connection in Airflow", field=connection)
        try:
            return msgspec.convert({"id": connection, **msgspec.json.decode(text)}, cls)
        except (msgspec.MsgspecError, TypeError):
            raise SettingsError("is not a connection in JSON form", field=variable) from None

    @property
    def url(self) -> str:
        """``scheme://host:port/path`` without a trailing slash."""
        port = f":{self.port}" if self.port else ""
        path = f"/{self.schema.strip('/')}" if self.schema else ""
        return f"{self.conn_type}://{self.host}{port}{path}"

    def settings(self, kind: type[S]) -> S:
        """This account as a connector's settings. Raises SettingsError naming the missing or unknown setting."""
        given: dict[str, Any] = {"url": self.url, **self.extra}
        if self.login:
            given["username"] = self.login
        if self.password:
            given["password"] = self.password
        try:
            return msgspec.convert(given, kind)
        except msgspec.ValidationError as error:
            raise SettingsError(_without_value(str(error)), field=f"connection {self.id}") from None


def _without_value(message: str) -> str:
    """Msgspec quotes an invalid enum value; a setting may be a secret, so the quotation is cut."""
    return "invalid value" + message[message.rfind(" - at") :] if "Invalid" in message else message
