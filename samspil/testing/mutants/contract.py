"""Mutants that break the contract or check."""

from __future__ import annotations

import socket
from typing import Any

import msgspec

from samspil.connector import Connector, Reads
from samspil.errors import SettingsError
from samspil.testing.mutants.check import ignoring
from samspil.testing.mutants.mutant import made, mutant

Base = type[Connector]
UNSEEN = "its driver's connections are not Python's, and the kit does not see them"


@mutant("it_has_a_title")
def has_no_title(base: Base) -> Base:
    """Calls itself X."""
    return made(base, title="X")


@mutant("its_settings_are_closed")
def takes_any_setting(base: Base) -> Base:
    """Overlooks settings that it does not know."""
    return made(base, Settings=_settings(base, [], forbid_unknown_fields=False))


@mutant("its_settings_are_typed")
def types_no_setting(base: Base) -> Base:
    """Has a setting that may be anything."""
    return made(base, Settings=_settings(base, [("mode", Any, None)]))


@mutant("its_secrets_are_marked")
def marks_no_secret(base: Base) -> Base:
    """Has a token that is not marked as a secret."""
    return made(base, Settings=_settings(base, [("vendor_token", str, "")]))


@mutant("a_missing_setting_is_named_before_any_call")
def does_without_settings(base: Base) -> Base:
    """Fills in what is missing, though it can do nothing with it."""

    def init(self: Any, account: Any) -> None:
        try:
            base.__init__(self, account)
        except SettingsError as error:
            if "missing" not in str(error):
                raise
            self.account, self.settings = account, base.Settings

    return made(base, __init__=init, close=lambda _self: None, check=ignoring(Exception, base.check))


@mutant("making_one_contacts_nobody", needs="network")
def calls_when_made(base: Base) -> Base:
    """Logs in when it is made."""

    def init(self: Any, account: Any) -> None:
        base.__init__(self, account)
        self.check()

    return made(base, __init__=init)


@mutant("its_capabilities_are_its_methods")
def says_what_it_cannot(base: Base) -> Base:
    """Says that it writes, or reads, and cannot."""
    if base.writes:
        return made(base, write=Connector.write)
    return made(base, decode=Connector.decode)


@mutant("its_schemas_are_shared")
def has_a_schema_of_its_own(base: Base) -> Base:
    """Reads a schema that nobody shares."""
    return made(base, reads={**base.reads, "no_such_schema": Reads("Own")})


@mutant("its_fields_are_told")
def tells_no_fields(base: Base) -> Base:
    """Does not say what its records have."""
    return made(base, fields=classmethod(lambda _cls, _schema: {}))


@mutant("its_batches_have_a_size", needs="writes")
def takes_nothing_at_once(base: Base) -> Base:
    """Says that it takes batches of no record."""
    return made(base, writes={schema: one._replace(batch=0) for schema, one in base.writes.items()})


@mutant("it_contacts_only_its_own_host")
def calls_home(base: Base) -> Base:
    """Tells its maker each time it is used."""

    def check(self: Any) -> None:
        with socket.socket() as home:
            home.settimeout(0.2)
            home.connect_ex(("127.0.0.1", 9))
        base.check(self)

    return made(base, check=check)


@mutant(
    "closing_gives_everything_back",
    excused={
        "course_catalogue": "its connections are those of a process that ends by itself",
        "data_warehouse": UNSEEN,
        "database": UNSEEN,
    },
)
def closes_nothing(base: Base) -> Base:
    """Keeps its connections when it is closed."""
    kept: list[Connector] = []

    def close(self: Any) -> None:
        kept.append(self)

    return made(base, close=close)


def _settings(base: Base, fields: list[tuple[str, Any, Any]], *, forbid_unknown_fields: bool = True) -> Any:
    return msgspec.defstruct(
        base.Settings.__name__,
        fields,
        bases=(base.Settings,),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=forbid_unknown_fields,
    )
