"""How a declared system's messages are secured (WS-Security), and what the account must hold for it.

::

    security:
      answers: signed        # or unsigned: then TLS alone says whose they are
      token: {audience: "http://entityid.kombit.dk/service/…"}

With the block every request is signed with the account's ``signing_certificate``. What ``token`` and ``service`` say here
is what an account has that says nothing of its own; the words are those of ``samspil.wssecurity.SignedSettings``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from samspil import wssecurity
from samspil.declared.closed import Closed
from samspil.errors import SettingsError
from samspil.wssecurity import SignedSettings, secured

_Given = Annotated[str, Meta(min_length=1)]


class Token(Closed, frozen=True, kw_only=True):
    """A SAML token bound to our key (holder-of-key), for ``audience`` from the ``sts``, whose CVR number is ``sts_signer``."""

    sts: Annotated[str, Meta(pattern=r"^(https://\S+)?\Z")] = ""
    sts_signer: Annotated[str, Meta(pattern=r"^([0-9]{8})?\Z")] = ""
    audience: str = ""


class Security(Closed, frozen=True, kw_only=True):
    """``answers``: whether they are signed, and so must be. ``addressing``: WS-Addressing headers, by which an answer says
    what it answers; ``service`` is the address in them if it is another than the account's. ``framework``: the Liberty
    header of OIO IDWS. ``token``: requests are signed with a token of an STS instead of the bare certificate.
    """

    answers: Literal["signed", "unsigned"]
    addressing: bool = True
    framework: bool = False
    service: str = ""
    token: Token | None = None

    def __post_init__(self) -> None:
        if not self.addressing and (self.framework or self.service):
            raise ValueError("framework and service belong to addressing")

    @property
    def signed(self) -> bool:
        """Whether an answer counts only if it is signed."""
        return self.answers == "signed"


def security_fields(security: Security | None) -> list[Any]:
    """The settings that an account must give or need not, for ``settings_class``, where ``SignedSettings`` is too lax."""
    if security is None:
        return []
    fields: list[Any] = [("signing_certificate", _Given), ("service", str, security.service)]
    if security.signed or security.token:
        fields.append(("signer_ca", _Given))
    if security.token:
        given = {name: getattr(security.token, name) for name in Token.__struct_fields__}
        fields += [(name, _Given, value) if value else (name, _Given) for name, value in given.items()]
    return fields


def securing(security: Security | None, settings: Any, system: str) -> wssecurity.Security | None:
    """What secures an account's calls; None without a declared security. To be closed.

    Raises SettingsError as ``secured``, and if the account speaks of what the declaration does not.
    """
    if security is None:
        return None
    for name in _unused(security):
        if getattr(settings, name):
            raise SettingsError("is set, but the security in connector.yaml has no use for it", field=name)
    if security.signed and not (settings.signer or settings.signer_certificates):
        message = "is missing: the answers are signed, by whom? Give a CVR number, or signer_certificates"
        raise SettingsError(message, field="signer")
    account: SignedSettings = settings
    return secured(account, system=system, addressing=security.addressing, framework=security.framework)


def _unused(security: Security) -> Iterator[str]:
    if not security.signed:
        yield from ("signer", "signer_certificates")
    if not security.addressing:
        yield "service"
    if not security.token:
        yield from (*Token.__struct_fields__, "cvr")
