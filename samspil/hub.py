"""One municipality's hub, opened: its file, its store, its keys, its ledger and the connectors to its systems."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from samspil import codes, mapping, registry
from samspil.account import Account
from samspil.agreement import Flow, MunicipalityFile, load_municipality
from samspil.breaker import Breaker
from samspil.connector import Connector
from samspil.errors import SettingsError
from samspil.expiry import Expiry
from samspil.flow.beside import Helper
from samspil.flow.compiled import CompiledFlow, compile_flow
from samspil.ledger import Ledger
from samspil.mapping.pairs import TO_OURS, TO_THEIRS
from samspil.store import Store, breakers, expiries, runs
from samspil.vault import Master, Persons, Vault
from samspil.vault.master import Source

FOLDER = "dags/municipalities"


def folder() -> Path:
    """Where the municipalities' files lie."""
    return Path(os.environ.get("SAMSPIL_MUNICIPALITIES", FOLDER))


def file_of(municipality: str) -> Path:
    """A municipality's file by its name (``randers``) or path. Raises SettingsError naming those there are."""
    path = Path(municipality) if municipality.endswith(".yaml") else folder() / f"{municipality}.yaml"
    if path.is_file():
        return path
    there = sorted(file.stem for file in folder().glob("*.yaml"))
    if not there:
        raise SettingsError("no such municipality, nor any other here; set SAMSPIL_MUNICIPALITIES", file=str(path))
    near = get_close_matches(municipality.lower(), there, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise SettingsError(f"no such municipality; {meant}there are: {', '.join(there)}", file=str(path))


class Hub:
    """A context manager. Connectors and flows are made when first asked for; making them opens no connection."""

    def __init__(
        self,
        file: MunicipalityFile,
        store: Store,
        vault: Vault,
        account: Callable[[str], Account],
        *,
        write: bool = True,
    ) -> None:
        self.file, self.store, self.vault = file, store, vault
        vault.unlock(store, write=write)
        self.persons = Persons(vault)
        self.ledger = Ledger(file.municipality.code, vault.signer(), self.persons)
        self.helper = Helper(store, vault)
        self._account, self._write = account, write
        self._connectors: dict[str, Connector] = {}
        self._flows: dict[str, CompiledFlow] = {}
        self._mappings: dict[tuple[str, ...], mapping.Mapping] = {}

    @classmethod
    def open(
        cls,
        path: Path | str,
        account: Callable[[str], Account] = Account.from_environment,
        *,
        master: Source = Master.from_environment,
        write: bool = True,
    ) -> Hub:
        """Open the hub of a municipality's file; ``write=False`` promises that nothing is written anywhere.

        ``account`` finds an account by its connection's name; ``master`` a master key by code, by itself from ``SAMSPIL_KEY``
        or ``SAMSPIL_KEY_FILE``. The store is ``SAMSPIL_STORE``. Raises SettingsError, also for a wrong key: with
        another one every record would look new and every record held would look gone.
        """
        file = load_municipality(Path(path), registry.schemas())
        code = file.municipality.code
        vault = Vault(master(code), code)
        store = Store.from_environment(code, create=write)
        with ExitStack() as undo:
            undo.callback(store.close)
            hub = cls(file, store, vault, account, write=write)
            undo.pop_all()
        return hub

    @classmethod
    def find(cls, municipality: str, *, write: bool = True) -> Hub:
        """Open by file name (``randers``) or path. Files lie in ``SAMSPIL_MUNICIPALITIES`` (dags/municipalities)."""
        return cls.open(file_of(municipality), write=write)

    def connector(self, system: str) -> Connector:
        """The connector to one of the municipality's systems. Raises SettingsError."""
        if system not in self._connectors:
            try:
                use = self.file.systems[system]
            except KeyError:
                raise SettingsError("no such system in the municipality's file", field=system) from None
            connector = registry.connector(use.connector)(self._account(use.connection))
            if self._write:
                code = self.file.municipality.code
                connector = Breaker(self.store, code, use.connection, system).guard(connector)
            self._connectors[system] = connector
        return self._connectors[system]

    def mapping(self, system: str, schema: str, *directions: str) -> mapping.Mapping:
        """How a system's records and a shared schema become each other; both ways if nothing is said. Raises SettingsError."""
        told = (system, schema, *(directions or (TO_OURS, TO_THEIRS)))
        if told not in self._mappings:
            connector = self.connector(system)
            self._mappings[told] = mapping.load(
                self.file.systems[system].connector,
                schema,
                self.file.municipality.code,
                fields=connector.fields(schema),
                struct=registry.schema(schema),
                directions=told[2:],
                lists=self._code_lists,
            )
        return self._mappings[told]

    @cached_property
    def _code_lists(self) -> dict[str, codes.CodeList]:
        return codes.load_all()

    def flow(self, name: str) -> CompiledFlow:
        """A flow with its mappings compiled. Raises SettingsError."""
        if name not in self._flows:
            try:
                flow = self.file.flow(name)
            except KeyError:
                there = ", ".join(flow.name for flow in self.file.flows)
                raise SettingsError(f"no such flow; there are: {there}", field=name) from None
            self._flows[name] = compile_flow(self, flow)
        return self._flows[name]

    def try_again(self) -> None:
        """Let one call through to every system that is left alone because it was away: a person asks for it."""
        with self.store.transaction() as connection:
            breakers.half_open(connection, self.file.municipality.code)

    def note_expiries(self, system: str, found: Sequence[Expiry]) -> None:
        """Keep what of a system's access runs out soon, for the pages; not in a hub that is to write nothing."""
        if self._write:
            at = time.time()
            rows = [expiries.Expiring(system, one.setting, one.file, one.ends.timestamp(), at) for one in found]
            with self.store.transaction() as connection:
                expiries.note(connection, self.file.municipality.code, system, rows)

    def number(self, flow: Flow) -> int:
        """The flow's number in the store, given at its first use; 0 for a flow never used if nothing may be written."""
        code = self.file.municipality.code
        with self.store.transaction() as connection:
            if self._write:
                return runs.flow_id(connection, code, flow.name)
            return runs.find_flow(connection, code, flow.name) or 0

    def close(self) -> None:
        """Close the connectors and the store."""
        self.helper.close()
        for connector in self._connectors.values():
            connector.close()
        self._connectors.clear()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
