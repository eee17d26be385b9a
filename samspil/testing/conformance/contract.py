"""The contract: settings, capabilities, fields, and what making and closing a connector does."""

from __future__ import annotations

import decimal
import locale
import math
import os
import re
import signal
import socket
import ssl
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from samspil import registry
from samspil.account import Account
from samspil.connector import Connector
from samspil.errors import SettingsError
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.subject import settings_of
from samspil.testing.conformance.trial import Trial, attempt

_SECRET = re.compile(r"(password|passphrase|secret|token|api_?key|private_?key|\bpin\b|dsn)", re.IGNORECASE)
_OPEN = re.compile(r"(_url|_header|_name|_id|_seconds|_path|host_key)$")  # they speak of a secret and are none
_PATH = re.compile(r"^[^\s.\[\]]+(\[\])?(\.[^\s.\[\]]+(\[\])?)*$")


@promise()
def it_has_a_title(trial: Trial) -> None:
    """A connector has a title for people, which is more than its name."""
    title = getattr(trial.subject.connector, "title", "")
    require(isinstance(title, str) and len(title.split()) > 1, "the title has no words")


@promise()
def its_settings_are_closed(trial: Trial) -> None:
    """A setting that does not exist is refused by name, before any call."""
    account = trial.account
    outcome = attempt(
        lambda: trial.connector(replace(account, extra={**account.extra, "no_such_setting": "x"})).check()
    )
    require(isinstance(outcome.error, SettingsError), "an unknown setting was taken without a SettingsError")
    require("no_such_setting" in str(outcome.error), "the error does not name the unknown setting")
    require(not trial.sandbox.calls, "the system was called before the settings were checked")


@promise()
def its_settings_are_typed(trial: Trial) -> None:
    """Every setting has a type, and a value of another type is refused before any call."""
    account = trial.account
    for name, field in settings_of(trial.subject.connector).items():
        kind = msgspec.inspect.type_info(field.type)
        require(not isinstance(kind, msgspec.inspect.AnyType), f"the setting {name} may be anything")
        if name in ("url", "username", "password"):
            continue
        outcome = attempt(partial(trial.connector, replace(account, extra={**account.extra, name: [{}]})))
        require(isinstance(outcome.error, SettingsError), f"{name}: a list of objects was taken for a value")
    require(not trial.sandbox.calls, "the system was called before the settings were checked")


@promise()
def its_secrets_are_marked(trial: Trial) -> None:
    """Every setting that holds a secret is marked as one."""
    for name, field in settings_of(trial.subject.connector).items():
        if _SECRET.search(name) and not _OPEN.search(name):
            require(_secret(field.type), f"the setting {name} looks like a secret and is not marked with SECRET")


@promise()
def a_missing_setting_is_named_before_any_call(trial: Trial) -> None:
    """A required setting that is missing is a SettingsError that names it, before any call."""
    account = trial.account
    for name, field in settings_of(trial.subject.connector).items():
        if name == "url" or not field.required:
            continue
        without: dict[str, Any] = {"extra": {key: value for key, value in account.extra.items() if key != name}}
        without |= {"username": {"login": ""}, "password": {"password": ""}}.get(name, {})
        outcome = attempt(partial(_checked, trial, replace(account, **without)))
        require(isinstance(outcome.error, SettingsError), f"without {name} there was no SettingsError")
        require(name in str(outcome.error), f"the error does not name the missing setting {name}")
    require(not trial.sandbox.calls, "the system was called before the settings were checked")


@promise()
def making_one_contacts_nobody(trial: Trial) -> None:
    """Making a connector opens nothing and contacts nobody; Airflow does it all the time."""
    trial.connector()
    require(not trial.watch.contacted, "a connection was opened")
    require(not trial.watch.looked_up, "a host name was looked up")
    require(not trial.sandbox.calls, "the system was called")


@promise()
def its_capabilities_are_its_methods(trial: Trial) -> None:
    """A connector that says it reads or writes can, and one that cannot does not say so."""
    kind = trial.subject.connector
    require(kind.reads or kind.writes, "it neither reads nor writes anything")
    for names, said in ((("read", "decode"), kind.reads), (("write",), kind.writes)):
        for name in names:
            can = getattr(kind, name) is not getattr(Connector, name)
            require(can == bool(said), f"it {'has' if can else 'has no'} {name}, and says otherwise")


@promise()
def its_schemas_are_shared(trial: Trial) -> None:
    """What it reads and writes are shared schemas, each with the system's own name of the record."""
    kind, known = trial.subject.connector, registry.schemas()
    records = {schema: said.record for schema, said in kind.reads.items()}
    records |= {schema: said.record for schema, said in kind.writes.items()}
    for schema, record in records.items():
        require(schema in known, f"{schema} is no shared schema")
        require(record.strip(), f"{schema}: the system's own name of the record is empty")


@promise()
def its_fields_are_told(trial: Trial) -> None:
    """Every schema it reads or writes has its fields, as paths, and at least one is required."""
    kind = trial.subject.connector
    for schema in {**kind.reads, **kind.writes}:
        fields = kind.fields(schema)
        require(fields, f"{schema} has no fields")
        odd = [path for path in fields if not _PATH.match(path)]
        require(not odd, f"{schema}: not a path: {', '.join(odd[:3])}")
        require(any(field.required for field in fields.values()), f"{schema} has no required field")


@promise()
def its_batches_have_a_size(trial: Trial) -> None:
    """A target says how many records it takes at once, and it is at least one."""
    for schema, writes in trial.subject.connector.writes.items():
        require(1 <= writes.batch <= 100_000, f"{schema}: a batch of {writes.batch}")


@promise(needs={"network"})
def it_contacts_only_its_own_host(trial: Trial) -> None:
    """Whatever it does, it contacts only hosts and ports that its account or a setting names."""
    account, connector = trial.account, trial.connector()
    named = [urlsplit(text) for text in (account.url, *(v for v in account.extra.values() if isinstance(v, str)))]
    allowed = {(url.hostname, url.port) for url in named if url.hostname}
    attempt(connector.check)
    for schema in connector.reads:
        trial.read(schema, by=connector)
    for schema in connector.writes:
        attempt(partial(connector.write, schema, trial.puts(schema)))
    trial.sandbox.faults.add("status:500", times=math.inf)  # trouble is told to us, not to the maker
    _fails(trial, connector)
    trial.sandbox.stop()
    _fails(trial, connector)
    strangers = {pair for pair in trial.watch.contacted if pair not in allowed}
    hosts = {host for host, _ in allowed} | {trial.account.host, ""}
    asked = {name for name in trial.watch.looked_up if name not in hosts}
    require(not asked, f"it looked up {len(asked)} names that are none of its hosts")
    require(not strangers, f"it contacted {len(strangers)} other addresses: ports {sorted(p for _, p in strangers)}")


@promise(needs={"network"})
def closing_gives_everything_back(trial: Trial) -> None:
    """After close no connection is open, close may be called twice, and the connector can be used again."""
    connector = trial.connector()
    connector.check()
    for schema in connector.reads:
        trial.read(schema, by=connector)
    connector.close()
    connector.close()
    left = trial.watch.open_to(trial.sandbox.port)
    require(not left, f"{left} connections are still open")
    require(trial.sandbox.calls, "it never called its system")
    trial.sandbox.faults.add("status:500", times=math.inf)
    failed = trial.connector()
    _fails(trial, failed)
    failed.close()
    left = trial.watch.open_to(trial.sandbox.port)
    require(not left, f"after calls that failed, {left} connections are still open")


@promise()
def it_leaves_the_process_as_it_was(trial: Trial) -> None:
    """Its process is shared: it leaves no thread behind and no default of the process changed, not even at a failure."""
    mask, patience = os.umask(0o026), socket.getdefaulttimeout()
    socket.setdefaulttimeout(97.0)  # nobody sets these by chance, so a change is seen also where it was made before
    try:
        _used(trial)
    finally:
        os.umask(mask)
        socket.setdefaulttimeout(patience)


def _used(trial: Trial) -> None:
    before, threads = _process(), set(threading.enumerate())
    connector = trial.connector()
    attempt(connector.check)
    for schema in connector.reads:
        trial.read(schema, by=connector)
    for schema in connector.writes:
        attempt(partial(connector.write, schema, trial.puts(schema)))
    trial.sandbox.stop()
    _fails(trial, connector)
    connector.close()
    after = _process()
    changed = [name for name, value in before.items() if after[name] != value]
    require(not changed, f"it changed of its process: {', '.join(changed)}")
    left = [one for one in set(threading.enumerate()) - threads if not one.name.startswith("sandbox")]
    for one in left:
        one.join(1)
    require(not any(one.is_alive() for one in left), "after close, threads of it still run")


def _fails(trial: Trial, connector: Connector) -> None:
    """Call a system that is ill in each way there is."""
    attempt(connector.check)
    for schema in connector.reads:
        trial.read(schema, by=connector)
    for schema in connector.writes:
        attempt(partial(connector.write, schema, trial.puts(schema)))


def _process() -> dict[str, Any]:
    """What is one for the whole process and nobody's to change."""
    mask = os.umask(0o077)
    os.umask(mask)
    return {
        "umask": mask,
        "folder": Path.cwd(),
        "time-out of sockets": socket.getdefaulttimeout(),
        "language": locale.setlocale(locale.LC_ALL),
        "decimals": str(decimal.getcontext()),
        "trust": ssl._create_default_https_context,  # noqa: SLF001 - there is no public way to see it
        "signals": [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)],
        "hooks": (sys.excepthook, threading.excepthook),
        "socket": socket.socket,
    }


def _checked(trial: Trial, account: Account) -> None:
    trial.connector(account).check()


def _secret(kind: Any) -> bool:
    metas = [part for part in getattr(kind, "__metadata__", ()) if isinstance(part, msgspec.Meta)]
    return any((meta.extra or {}).get("secret") for meta in metas)
