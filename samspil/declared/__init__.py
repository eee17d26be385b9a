"""Connectors without Python: a folder with a ``connector.yaml``, the declaration.

``kind`` in it says what speaks: each kind is a module here with ``connector(path)``, which reads the declaration into
a closed, typed struct and makes the connector's class of it.

What is there in more than one kind has one word, whatever the protocol calls it. Words of one kind only are in its
module ``declaration``. "Takes" is said of what a request has a place for, "place" of an answer.

============  =================================================================================  ========================
word          meaning                                                                            kinds
============  =================================================================================  ========================
kind          which of the kinds                                                                 rest soap drop singer
                                                                                                 database
title         what people call the system, in English with the Danish term                       rest soap drop singer
                                                                                                 database
login         how the system lets us in: see ``login``                                           rest soap
token         of a login: where it is asked for; of security: a SAML token to sign with          rest soap
settings      an account's settings of the system's own: see ``settings``                        rest soap drop singer
headers       what goes with every call, with ``{name}`` for a setting: see ``values``           rest soap
check         the call that shows whether we are let in                                          rest soap
schemas       the shared schemas, and how each is carried                                        rest soap drop singer
                                                                                                 database
record        what the system calls it: a component, an element, a table, a stream               rest soap drop singer
                                                                                                 database
columns       the record's fields, where the contract is not a file of its own                   drop database
list          how all are read                                                                   rest soap drop singer
                                                                                                 database
fetch         how one is read                                                                    rest soap
write         how they are written                                                               rest soap drop database
paging        how a list comes in pages; ``none`` if at once                                     rest soap
page          takes the page's number                                                            rest soap
first         the number of the first page                                                       rest soap
offset        takes how many records to leave out                                                rest soap
after         takes what the answer before it ended with                                         rest soap
next          place of what leads to the next page                                               rest soap
size          takes how many records a page may have                                             rest soap
more          place that says whether there is a next page                                       rest soap
total         place that says how many there are on all pages together                           rest soap
incremental   how only what changed is read                                                      rest soap singer database
since         takes the moment to ask from                                                       rest soap
changed       the record's own time of its last change                                           rest soap singer database
clock         place of the system's own time, where the next read starts                         rest soap
overlap       seconds asked for again, for what is committed late                                rest soap database
header        of a key: the HTTP header that takes it; of a file: the row that names the columns    rest soap drop
gone          how deletions are told: ``never``, or one of keys, field, path                     rest soap singer database
keys          of gone: place of the keys of deleted records                                      rest soap
batch         records written at a time                                                          rest soap drop database
put           how a record is written where a second one replaces the first                      rest soap drop
create        how a new one is written                                                           rest soap
update        how one that is there is written                                                   rest soap
delete        how one is taken away                                                              rest soap drop
key           of a schema: what names a record; of a write: takes the idempotency key;           rest soap drop singer
              of a receipt: the idempotency key again                                            database
id            of a write or fetch: takes what the system calls the record; of a receipt: that    rest soap drop
each          what repeats, one per record, in a request or a receipt                            rest soap
receipt       where the answer says what became of a record                                      rest soap drop
reference     of a receipt: the system's receipt number                                          rest soap drop
status        of a receipt: whether the record was taken                                         rest soap drop
passed        what of ``status`` (of ``code``, if there is no status) says that it was           rest soap drop
code          of a receipt: why it was not                                                       rest soap drop
field         of a receipt: which field is at fault; of gone: the mark of a deleted record       rest soap drop singer
                                                                                                 database
reasons       of a receipt: their codes and ours                                                 rest soap drop
refused       what means that this one record is refused                                         rest soap
============  =================================================================================  ========================
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Literal

import msgspec

from samspil.connector import Connector
from samspil.yamlfile import YamlFile

FILE = "connector.yaml"


class _Kind(msgspec.Struct):
    """The one field that every declaration has; the kind's own struct knows the others."""

    kind: Literal["rest", "drop", "soap", "singer", "database"]


def declared(path: Path) -> type[Connector]:
    """The class a declaration describes. Raises SettingsError with the line that is wrong."""
    kind = YamlFile(path, _Kind).value.kind
    module: Any = importlib.import_module(f"samspil.declared.{kind}")
    made: type[Connector] = module.connector(path)
    return made
