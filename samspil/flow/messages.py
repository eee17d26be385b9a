"""What a hub and its helper say to each other (see ``helper``), as MessagePack. Each message is answered once, in order."""

from __future__ import annotations

from typing import Any

import msgspec

from samspil import errors
from samspil.connector import Receipt
from samspil.errors import Refused, SamspilError
from samspil.flow.clerk import Decided
from samspil.store.outbox import Pending


class Message(msgspec.Struct, tag=True, frozen=True):
    """From the hub to its helper."""


class Begin(Message, frozen=True):
    """First of all: the store's URL, the municipality's code, and its master key by versions."""

    store: str
    municipality: str
    master: dict[int, bytes]


class Open(Message, frozen=True):
    """A step of a flow begins: the flow's name, its number in the store, its lock, and what the ledger says of it."""

    flow: str
    number: int
    lock: int
    context: dict[str, Any]


class Meet(Message, frozen=True):
    """Make ready the keys of these persons; those in ``new`` get one if they have none."""

    others: list[bytes | None]
    new: list[bytes | None]


class Plan(Message, frozen=True):
    """Write what was decided. The persons have been met."""

    decided: Decided


class Settle(Message, frozen=True):
    """Write what became of rows that were sent, in the order of their receipts, with the keys of their persons."""

    rows: list[Pending]  # with a payload where it is to be held back
    receipts: list[Receipt]
    keys: list[tuple[bytes, bytes]]


class Close(Message, frozen=True):
    """The step ends."""


class Done(msgspec.Struct, tag=True, frozen=True):
    """From the helper: it is done. ``erased`` are those of the persons met who were erased."""

    erased: list[bytes] = []


class Failed(msgspec.Struct, tag=True, frozen=True):
    """It could not, and does nothing any more: one of ``samspil.errors``."""

    kind: str
    args: list[Any]
    state: dict[str, Any]

    @classmethod
    def of(cls, error: BaseException) -> Failed:
        """Of a mistake in the program it says the kind and the place: its words may quote a record."""
        if isinstance(error, SamspilError):
            return cls(type(error).__name__, list(error.args), error.__dict__)
        trace, places = error.__traceback__, []
        while trace is not None:
            places.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
            trace = trace.tb_next
        text = f"a mistake in the program, beside: {type(error).__name__} at {', '.join(places[-5:])}"
        return cls(SamspilError.__name__, [text], {"reason": "helper"})

    @property
    def error(self) -> SamspilError:
        """The error, to be raised here."""
        return errors.restored(getattr(errors, self.kind), tuple(self.args), self.state)


def _plain(value: Any) -> Any:
    if isinstance(value, Refused):
        return value.reason, value.field, value.hint
    raise NotImplementedError(type(value).__name__)


def _refused(kind: type, value: Any) -> Any:
    if kind is not Refused:
        raise NotImplementedError(kind.__name__)
    reason, field, hint = value
    return Refused(reason, field=field, hint=hint)


packed = msgspec.msgpack.Encoder(enc_hook=_plain).encode
message = msgspec.msgpack.Decoder(Begin | Open | Meet | Plan | Settle | Close, dec_hook=_refused).decode
answer = msgspec.msgpack.Decoder(Done | Failed).decode
