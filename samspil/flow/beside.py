"""What a step hands over to its hub's helper: a process that seals and writes on another core (see ``helper``).

It is started when a step has much to write, and until it is there the step goes on by itself. On PostgreSQL only:
SQLite has one writer. Not for two-way exchanges: they write more than a helper knows of.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from multiprocessing import connection
from typing import Self

from samspil.connector import Receipt
from samspil.errors import SamspilError, Unavailable
from samspil.flow.clerk import Decided
from samspil.flow.compiled import CompiledFlow
from samspil.flow.messages import Begin, Close, Failed, Meet, Message, Open, Plan, Settle, answer, packed
from samspil.store import Store
from samspil.store.outbox import Pending
from samspil.vault import Persons, Vault

log = logging.getLogger(__name__)

FROM = 2_000  # records that a step has written when it asks for help: a helper takes as long to start as 10,000 do
PROGRAM = "samspil.flow.helper"
_PATIENCE = 10.0  # seconds it is given to end by itself when nothing is under way


class Helper:
    """A hub's helper: started at most once, until it is closed. It is told things, and answers each in turn."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: connection.Connection | None = None
        self._owed = 0  # answers
        self._erased: deque[bytes] = deque()

    @property
    def started(self) -> bool:
        """Whether there is one. It may not be ready yet."""
        return self._pipe is not None

    @property
    def busy(self) -> bool:
        """Whether it owes answers that nobody waited for."""
        return bool(self._owed)

    def start(self) -> None:
        """Start it, if that was not done, and do not wait for it. Raises Unavailable (helper-ended)."""
        if self._pipe is None:
            self._pipe, theirs = connection.Pipe()
            try:
                self._run(theirs)
            except OSError:
                raise self._ended() from None
            finally:
                theirs.close()
            url = self._store.engine.url.render_as_string(hide_password=False)
            self.tell(Begin(url, self._vault.municipality, self._vault.master.versions))

    def _run(self, pipe: connection.Connection) -> None:
        """Run the program. It is told in the pipe what nobody should read in a list of processes or an environment."""
        number = pipe.fileno()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_FOR_IT)}
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-P", "-c", f"from {PROGRAM} import main; main({number})"],
            stdin=subprocess.DEVNULL,
            pass_fds=[number],
            env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def tell(self, told: Message) -> None:
        """Say something. Raises Unavailable (helper-ended) if it is not there any more."""
        assert self._pipe is not None  # noqa: S101  # for the type checker
        try:
            self._pipe.send_bytes(packed(told))
        except OSError:
            raise self._ended() from None
        self._owed += 1

    def answered(self) -> bool:
        """Whether all was answered, without waiting. Raises what it failed with."""
        while self._owed and self._pipe is not None and self._poll():
            self._hear()
        return not self._owed

    def wait(self) -> frozenset[bytes]:
        """Until all is answered: who of those met since the last time was erased. Raises what it failed with."""
        while self._owed:
            self._hear()
        erased = frozenset(self._erased)
        self._erased.clear()
        return erased

    def close(self) -> None:
        """End it. What it was told and has not answered may be done, or not."""
        process, pipe, self._process, self._pipe = self._process, self._pipe, None, None
        owed, self._owed = self._owed, 0
        self._erased.clear()
        if pipe is not None:
            pipe.close()
        if process is not None:
            if owed:
                process.kill()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _poll(self) -> bool:
        assert self._pipe is not None  # noqa: S101  # for the type checker
        try:
            return self._pipe.poll(0)
        except OSError:
            raise self._ended() from None

    def _hear(self) -> None:
        assert self._pipe is not None  # noqa: S101  # for the type checker
        try:
            heard = answer(self._pipe.recv_bytes())
        except (EOFError, OSError):
            raise self._ended() from None
        self._owed -= 1
        if isinstance(heard, Failed):
            self.close()
            raise heard.error
        self._erased.extend(heard.erased)

    def _ended(self) -> Unavailable:
        process = self._process
        self.close()
        how = "" if process is None else f" ({process.returncode})"
        return Unavailable(f"the process that seals and writes has ended{how}", system="store", reason="helper-ended")


class Beside:
    """A context manager: one step of a flow, and what of it is handed over. Leaving waits for what is under way."""

    def __init__(self, helper: Helper, store: Store, flow: CompiledFlow) -> None:
        self._helper, self._flow = helper, flow
        self._may = store.postgresql and not flow.both and _cores() > 1
        self._open = self._there = self._used = False

    def wanted(self, records: int) -> None:
        """The step has written so many records: from some number on it is worth a helper."""
        if self._may and not self._open and (records >= FROM or self._helper.started):
            flow = self._flow
            try:
                self._helper.start()
                self._helper.tell(Open(flow.flow.name, flow.id, flow.lock, dict(flow.context)))
            except SamspilError as error:
                self._alone(error)
            else:
                self._open = True

    @property
    def ready(self) -> bool:
        """Whether it is there."""
        if self._open and not self._there:
            try:
                self._there = self._helper.answered()
            except SamspilError as error:
                self._alone(error)
        return self._there

    def _alone(self, error: SamspilError) -> None:
        """Nothing was handed over yet: what it was to do is done here."""
        log.warning("%s goes on without a helper: %s", self._flow.flow.name, error)
        self._may = self._open = False

    @property
    def busy(self) -> bool:
        """Whether something was handed over that was not waited for."""
        return self._used and self._helper.busy

    def meet(self, others: Sequence[bytes | None], new: Sequence[bytes | None]) -> None:
        """Persons to be met: ``wait`` says who of them is erased."""
        self._tell(Meet(list(set(others)), list(set(new))))

    def plan(self, decided: Decided) -> None:
        """What is to be written."""
        self._tell(Plan(decided))

    def settle(self, rows: Sequence[Pending], receipts: Sequence[Receipt], persons: Persons) -> None:
        """What became of rows whose persons' keys are at hand."""
        known = persons.at_hand([row.person for row in rows] + [row.their_person for row in rows])
        self._tell(Settle(list(map(_short, rows, receipts)), list(receipts), known))

    def wait(self) -> frozenset[bytes]:
        """Until nothing is under way; who of the persons met is erased. Raises what it failed with."""
        return self._helper.wait() if self._used else frozenset()

    def _tell(self, told: Message) -> None:
        self._used = True
        self._helper.tell(told)

    def __enter__(self) -> Self:
        self.wanted(0)  # if there is one from a step before
        return self

    def __exit__(self, *_: object) -> None:
        if not self._open or not self._helper.started:  # it may have failed
            return
        self.wait()
        self._helper.tell(Close())
        self.wait()  # of one that was never there in time nothing was wanted


def _short(row: Pending, receipt: Receipt) -> Pending:
    """What a clerk needs of a row: its payload only to hold it back."""
    payload = row.payload if receipt.refused else b""
    return Pending(*row[:5], payload, row.their_id, row.their_person)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_NOT_FOR_IT = ("SAMSPIL_", "AIRFLOW")
