"""The vault: keys, and sealing what is stored.

::

    master key, some versions      given from outside, kept nowhere here
    └── municipality's key         derived from each version
        ├── root                   32 random bytes, wrapped in table ``keys``: digests, the ledger's signature, and
        │                          payloads of which nobody knows whom they are about
        └── a person's key         32 random bytes, wrapped in table ``persons``; destroyed when the person is erased
"""

from __future__ import annotations

from samspil.vault.box import Box
from samspil.vault.master import Master
from samspil.vault.persons import Persons, few
from samspil.vault.vault import Vault

__all__ = ["Box", "Master", "Persons", "Vault", "few"]
