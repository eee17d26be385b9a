"""Every municipality's systems as sandboxes, and the accounts that reach them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self, cast

import msgspec

from samspil.account import Account
from samspil.agreement import MunicipalityFile
from samspil.errors import SettingsError
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World


class NationalSandbox(Protocol):
    """What the sandbox of a national system has: it takes the worlds of all its municipalities at once."""

    def account_of(self, municipality: str) -> Account:
        """The account of the municipality with this code."""


class Systems:
    """A context manager. ``accounts`` are by connection; a national system is one sandbox for all municipalities.

    ``citizens`` is how many each municipality has.
    """

    def __init__(self, files: Sequence[MunicipalityFile], *, citizens: int = 200) -> None:
        self.accounts: dict[str, Account] = {}
        self.sandboxes: dict[tuple[str, str], Sandbox] = {}  # (municipality's slug, system)
        self.national: dict[str, Sandbox] = {}  # by connector
        worlds = [World(file.municipality.code, citizens=citizens) for file in files]
        for file, world in zip(files, worlds, strict=True):
            for name, use in file.systems.items():
                kind = sandbox_of(use.connector)
                national = hasattr(kind, NationalSandbox.account_of.__name__)
                if not national:
                    sandbox = kind(world)
                elif use.connector in self.national:
                    sandbox = self.national[use.connector]
                else:
                    sandbox = self.national[use.connector] = kind(*worlds)
                account = sandbox.start()
                if national:
                    account = cast("NationalSandbox", sandbox).account_of(file.municipality.code)
                self.sandboxes[file.slug, name] = sandbox
                self.accounts[use.connection] = msgspec.structs.replace(account, id=use.connection)

    @property
    def environment(self) -> dict[str, str]:
        """``AIRFLOW_CONN_<ID>`` as JSON, one variable per account."""
        return {f"AIRFLOW_CONN_{name.upper()}": _as_json(account) for name, account in self.accounts.items()}

    def to_night(self, night: int) -> None:
        """Let every system show the next night's facts."""
        for sandbox in set(self.sandboxes.values()):
            sandbox.to_night(night)

    def stop(self) -> None:
        """Stop serving."""
        for sandbox in set(self.sandboxes.values()):
            sandbox.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def sandbox_of(connector: str) -> type[Sandbox]:
    """The sandbox in ``connectors/<connector>/sandbox.py``. Raises SettingsError if there is none."""
    try:
        module = importlib.import_module(f"connectors.{connector}.sandbox")
    except ImportError as error:
        raise SettingsError(f"no sandbox: {error}", field=connector, reason="no-sandbox") from error
    kinds = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Sandbox) and value.__module__ == module.__name__
    ]
    if len(kinds) != 1:
        raise SettingsError(f"sandbox.py must have one Sandbox, not {len(kinds)}", field=connector, reason="no-sandbox")
    return kinds[0]


def _as_json(account: Account) -> str:
    fields = msgspec.structs.asdict(account)
    del fields["id"]
    return json.dumps({name: value for name, value in fields.items() if value not in ("", None, {})})
