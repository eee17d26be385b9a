"""Mutants whose check says the wrong thing."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Sequence
from typing import Any

from samspil.connector import Change, Connector, Receipt
from samspil.errors import AccessError, SamspilError, Unavailable
from samspil.testing.mutants.mutant import made, mutant

Base = type[Connector]


@mutant("check_succeeds")
def checks_once(base: Base) -> Base:
    """Its second check fails."""

    def check(self: Any) -> None:
        if self.__dict__.setdefault("checked", False):
            raise Unavailable("was checked before", system="mutant")
        self.checked = True
        base.check(self)

    return made(base, check=check)


@mutant("check_reaches_the_system", "a_system_that_is_down_is_unavailable", "wrong_credentials_are_an_access_error")
def checks_nothing(base: Base) -> Base:
    """Its check does nothing."""
    return made(base, check=lambda _self: None)


@mutant("check_changes_nothing", needs="writes")
def checks_by_deleting(base: Base) -> Base:
    """Its check deletes what was written last, to see whether it may."""
    last: list[tuple[str, Change]] = []

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        receipts = base.write(self, schema, batch)
        last[:] = [(schema, one._replace(their_id=got.their_id)) for one, got in zip(batch, receipts, strict=True)]
        return receipts

    def check(self: Any) -> None:
        base.check(self)
        for schema, one in last[-1:]:
            base.write(self, schema, [one._replace(action="delete", idempotency_key=str(uuid.uuid4()))])

    return made(base, check=check, write=write)


@mutant(
    "no_permission_is_an_access_error",
    "wrong_credentials_are_an_access_error",
    "an_expired_certificate_is_an_access_error",
)
def tries_again_without_access(base: Base) -> Base:
    """Calls it a passing trouble when it is not let in."""
    return made(base, check=_turned(AccessError, Unavailable, base.check))


@mutant("an_expired_certificate_is_an_access_error", only="star")
def overlooks_its_certificate(base: Base) -> Base:
    """Is content with a certificate that has run out."""
    return made(base, check=ignoring(AccessError, base.check))


@mutant(
    "a_system_that_is_down_is_unavailable",
    "a_busy_system_is_unavailable",
    "a_long_retry_after_is_handed_on",
)
def blames_the_account(base: Base) -> Base:
    """Calls it a matter of access when the system does not answer."""
    return made(base, check=_turned(Unavailable, AccessError, base.check))


@mutant(
    "a_busy_system_is_unavailable", "an_odd_status_is_an_error", "check_reads_the_answer", "a_redirect_leads_nowhere"
)
def is_content_whatever_happens(base: Base) -> Base:
    """Its check is content when the call went wrong."""
    return made(base, check=ignoring(SamspilError, base.check))


@mutant("it_recovers_by_itself")
def never_recovers(base: Base) -> Base:
    """Goes on raising its first error."""

    def check(self: Any) -> None:
        first = self.__dict__.get("first")
        if first is not None:
            raise first
        try:
            base.check(self)
        except SamspilError as error:
            self.first = error
            raise

    return made(base, check=check)


@mutant("an_error_names_a_stable_reason")
def has_a_new_reason_each_time(base: Base) -> Base:
    """Puts a number into its reasons."""
    numbers = itertools.count()

    def check(self: Any) -> None:
        try:
            base.check(self)
        except SamspilError as error:
            error.reason = f"error-{next(numbers)}"
            raise

    return made(base, check=check)


@mutant("it_gives_up_in_the_end")
def never_gives_up(base: Base) -> Base:
    """Tries again and again."""

    def stubborn(call: Any) -> Any:
        for _ in range(40):
            try:
                return call()
            except Unavailable:
                time.sleep(0)
        return call()

    def read(self: Any, schema: str, since: str | None = None) -> Any:
        yield from stubborn(lambda: list(base.read(self, schema, since)))

    members: dict[str, Any] = {"check": lambda self: stubborn(lambda: base.check(self))}
    return made(base, **members, **({"read": read} if base.reads else {}))


def ignoring(kind: type[Exception], call: Any) -> Any:
    """A check that takes some errors for success."""

    def quiet(self: Any) -> None:
        try:
            call(self)
        except kind:
            return

    return quiet


def _turned(kind: type[SamspilError], into: Any, call: Any) -> Any:
    def turned(self: Any) -> None:
        try:
            call(self)
        except kind:
            raise into("something went wrong", system="mutant") from None

    return turned
