"""A call to the system as one account: the login's headers, and one more try with a new token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samspil.account import Account
from samspil.answer import Answer
from samspil.declared.login import Access
from samspil.declared.rest.declaration import Declaration
from samspil.declared.values import filled, text
from samspil.errors import AccessError, Unavailable
from samspil.http import Session


class Caller:
    """One account's calls."""

    def __init__(self, account: Account, declaration: Declaration, settings: Any) -> None:
        self.system, self.address, self.settings = account.id, str(settings.url), settings
        self._session = Session(account.id, settings)
        self._login = Access(declaration.login, self._session, settings)
        self._declared = declaration.headers

    def send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **call: Any) -> Answer:
        """Every call may be repeated: a write carries its idempotency key or names its record.

        Raises AccessError, Unavailable, SettingsError, or Refused if a part of the path is none.
        """
        try:
            return self._session.send(method, path, headers=self._headers(headers), repeatable=True, **call)
        except AccessError as error:
            if error.reason != "status-401" or not self._login.renew():
                raise
        return self._session.send(method, path, headers=self._headers(headers), repeatable=True, **call)

    def get(self, path: str, **call: Any) -> Answer:
        """Read something that must be there."""
        answer = self.send("GET", path, **call)
        if answer.status != 200:
            raise self.strange(f"GET {path}: answered with status {answer.status}", f"status-{answer.status}")
        return answer

    def strange(self, message: str, reason: str) -> Unavailable:
        """The system does what its contract does not know."""
        return Unavailable(message, system=self.system, reason=reason)

    def close(self) -> None:
        self._session.close()

    def _headers(self, more: Mapping[str, str] | None) -> dict[str, str]:
        own = {header: text(filled(value, self.settings)) for header, value in self._declared.items()}
        return {"Accept": "application/json", **own, **self._login.headers(), **(more or {})}
