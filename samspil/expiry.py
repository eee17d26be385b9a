"""What an account's access rests on and when it runs out, so that somebody is told before it does.

Ours: the certificates that we show and sign with. The other side's: the authorities and signers that we trust, and
the revocation lists. A certificate of three years is warned about 30 days ahead; what lives shorter (a list may be in
force for a day) when a quarter of its life is left, else there would always be a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509

from samspil.account import Settings
from samspil.certificate import authorities, credentials
from samspil.revocation import Revocations

AHEAD = timedelta(days=30)

_Life = tuple[str, datetime, datetime]  # the file it is in, its first and its last moment


class Expiry(NamedTuple):
    """One file that runs out. ``setting`` is the account's field that names it."""

    setting: str
    file: str
    ends: datetime

    def __str__(self) -> str:
        days = (self.ends - datetime.now(UTC)).days
        left = f"in {days} days" if days > 0 else "in less than a day" if days == 0 else "already"
        return f"{self.setting} {self.file} runs out on {self.ends:%d-%m-%Y}, {left}: get a new one in its place"


def expiries(settings: Settings, now: datetime) -> Sequence[Expiry]:
    """What of these settings runs out soon or has run out, the first to go first. Raises SettingsError for a file that
    cannot be read.
    """
    found: dict[tuple[str, str], Expiry] = {}
    for setting, lives in _LIVES.items():
        if not getattr(settings, setting, ""):
            continue
        for file, start, end in lives(settings):
            known = found.get((setting, file))
            if now >= end - min(AHEAD, (end - start) / 4) and (known is None or end < known.ends):
                found[setting, file] = Expiry(setting, file, end)
    return sorted(found.values(), key=lambda one: (one.ends, one.setting))


def _own(setting: str) -> Callable[[Settings], Iterator[_Life]]:
    def lives(settings: Settings) -> Iterator[_Life]:
        file = str(getattr(settings, setting))
        made = credentials(file, str(getattr(settings, f"{setting}_password", "")))
        yield from (_life(file, one) for one in (made.certificate, *made.chain))

    return lives


def _trusted(setting: str) -> Callable[[Settings], Iterator[_Life]]:
    def lives(settings: Settings) -> Iterator[_Life]:
        file = str(getattr(settings, setting))
        yield from (_life(file, one) for one in authorities(file))

    return lives


def _lists(settings: Settings) -> Iterator[_Life]:
    for one in Revocations(str(getattr(settings, "crl"))).lists:  # noqa: B009 - only some settings have it
        start, end = one.crl.last_update_utc, one.crl.next_update_utc
        yield str(one.file), start, end or start  # one that names no end counts for nothing


def _life(file: str, certificate: x509.Certificate) -> _Life:
    return file, certificate.not_valid_before_utc, certificate.not_valid_after_utc


_LIVES: Mapping[str, Callable[[Settings], Iterator[_Life]]] = {
    "certificate": _own("certificate"),
    "signing_certificate": _own("signing_certificate"),
    "ca": _trusted("ca"),
    "signer_ca": _trusted("signer_ca"),
    "signer_certificates": _trusted("signer_certificates"),
    "crl": _lists,
}
SETTINGS = frozenset(_LIVES)  # the fields of accounts that name what can run out
