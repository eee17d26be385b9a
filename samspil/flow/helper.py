"""The helper: a process beside the one that plans or delivers, which meets persons, seals and writes for it.

Python runs on one core at a time in a process. What protects persons and proves the work is done on another core, and
what reads, maps and sends does not wait for it. Whoever starts it (``beside``) speaks through a pipe, one way: no
payload comes back.

It is nobody's own: it ends when the other end of the pipe does, and a transaction that was under way then is there or
not, as after any crash. While a step is open it holds the step's second lock (``samspil.store.lock``), so that no other
process begins with the flow before it has ended.
"""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection as Pipe
from typing import Self

from sqlalchemy import Connection

from samspil.flow.calm import calm
from samspil.flow.clerk import Clerk
from samspil.flow.messages import Begin, Close, Done, Failed, Meet, Message, Open, Plan, Settle, message, packed
from samspil.flow.sealing import Sealing
from samspil.ledger import Ledger
from samspil.store import Store, bulk, lock
from samspil.vault import Master, Persons, Vault


def main(number: int) -> None:
    """The program: ``number`` is the pipe's. Never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is asked to stop is the one that started us
    with suppress(OSError), Pipe(number) as pipe:
        serve(pipe)
    os._exit(0)  # nothing is left to do, and the interpreter would take its time


def serve(pipe: Pipe) -> None:
    """Answer until the other end is closed. After a failure nothing is done any more, and all is read."""
    with suppress(EOFError):
        try:
            begin = message(pipe.recv_bytes())
            assert isinstance(begin, Begin)  # noqa: S101  # for the type checker
            with calm(), Desk(begin) as desk:
                pipe.send_bytes(packed(Done()))
                while True:
                    pipe.send_bytes(packed(desk.do(message(pipe.recv_bytes()))))
        except (EOFError, OSError):
            raise EOFError from None
        except Exception as error:  # noqa: BLE001  # carried to who waits for it
            pipe.send_bytes(packed(Failed.of(error)))
        while True:
            pipe.recv_bytes()


class Desk:
    """A context manager: a municipality's store and keys, and the step that is open."""

    def __init__(self, begin: Begin) -> None:
        self._store = Store(begin.store, create=False)
        self._vault = Vault(Master(begin.master), begin.municipality)
        self._step: Step | None = None
        self._open = ExitStack()

    def do(self, told: Message) -> Done:
        """What a message says. Raises SamspilError."""
        match told:
            case Open():
                self._step = self._open.enter_context(Step(self._store, self._vault, told))
            case Close():
                self._step = None
                self._open.close()
            case _:
                assert self._step is not None, "no step is open"  # noqa: S101  # a mistake in the program
                return self._step.do(told)
        return Done()

    def __enter__(self) -> Self:
        self._vault.unlock(self._store)
        self._store.close()  # its connection: from now on each step has one
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._store.close()


class Step:
    """A context manager: a step's connection, lock and clerk."""

    def __init__(self, store: Store, vault: Vault, told: Open) -> None:
        self._store, self._lock = store, told.lock
        self._persons = Persons(vault)
        ledger = Ledger(vault.municipality, vault.signer(), self._persons)
        self._clerk = Clerk(told.number, told.context, Sealing(vault, self._persons, told.flow), ledger)

    def do(self, told: Message) -> Done:
        """One transaction."""
        with self._store.answering(), self._connection.begin():
            return self._do(self._connection, told)

    def _do(self, connection: Connection, told: Message) -> Done:
        match told:
            case Meet():
                bulk.postpone(connection)
                return Done(list(self._persons.fetch(connection, told.others, new=told.new)))
            case Plan():
                bulk.postpone(connection)
                self._clerk.plan(connection, told.decided)
            case Settle():
                self._persons.hold(told.keys)
                self._clerk.settle(connection, told.rows, told.receipts)
            case _:
                raise TypeError(type(told).__name__)
        return Done()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._connection = undo.enter_context(self._store.session())
            lock.beside(self._connection, self._lock)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()
