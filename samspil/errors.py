"""Errors, sorted by what can be done about them.

::

    SamspilError
    ├── SettingsError   stop; a file or setting must be corrected
    ├── AccessError     stop; credentials, a certificate or a permission must be renewed
    ├── Unavailable     try again with back-off; honours Retry-After
    ├── Refused         one record cannot pass: it goes to the quarantine, the others go on
    └── GuardTripped    a person decides whether the plan may be carried out

A message names the file, line, field and system and says what to do next. It never contains a value from a
record: values are personal data, and messages end in logs. A name in it may be somebody else's (a file on their
server, a code): what a log or a terminal would obey is written out, so that no name begins a line of its own.
"""

from __future__ import annotations

import re
from typing import Self

_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CODE = re.compile(r"[A-Za-z][A-Za-z_.-]{0,39}[0-9]{0,5}|[0-9]{1,5}")


def shown(text: str) -> str:
    """The text on one line: control characters, line ends, marks of direction and halves of characters written out."""
    return text if text.isprintable() else _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def reason_of(code: str) -> str:
    """A system's own code in kebab-case, ``unknown`` for what may be a sentence or somebody's number instead."""
    return re.sub("[_.-]+", "-", code).strip("-").lower() if _CODE.fullmatch(code) else "unknown"


class SamspilError(Exception):
    """Anything Samspil raises on purpose. ``reason`` is a stable code in kebab-case, for counting and filtering."""

    reason: str

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(shown(message))
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:  # errors cross process borders under Airflow
        return (restored, (type(self), self.args, self.__dict__))


class SettingsError(SamspilError):
    """A municipality's file, a mapping, a code list or an account's settings are wrong. Retrying cannot help.

    ``file``, ``line`` (1-based) and ``field`` point at the place, as far as they are known.
    """

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, field: str = "", reason: str = "settings"
    ) -> None:
        where = ":".join(str(part) for part in (file, line) if part)
        super().__init__(": ".join(part for part in (where, field, message) if part), reason=reason)
        self.file, self.line, self.field = file, line, field


class AccessError(SamspilError):
    """The system does not let us in: wrong credentials, expired certificate, missing permission."""

    def __init__(self, message: str, *, system: str, reason: str = "access") -> None:
        super().__init__(f"{system}: {message}", reason=reason)
        self.system = system


class Unavailable(SamspilError):
    """The system does not answer, or says it is busy. ``retry_after`` is its own wish, in seconds."""

    def __init__(
        self, message: str, *, system: str, reason: str = "unavailable", retry_after: float | None = None
    ) -> None:
        super().__init__(f"{system}: {message}", reason=reason)
        self.system, self.retry_after = system, retry_after


class Refused(SamspilError):
    """One record cannot pass. ``field`` is the path of the offending field in the record's own words."""

    def __init__(self, reason: str, *, field: str = "", hint: str = "") -> None:
        super().__init__(": ".join(part for part in (reason, field, hint) if part), reason=reason)
        self.field, self.hint = field, hint

    def kept(self) -> Self:
        """The same, to be kept as a value: without the frames that it was raised in, where the whole page lives on."""
        self.__traceback__ = self.__context__ = self.__cause__ = None
        return self


class GuardTripped(SamspilError):
    """A plan is larger than the agreement allows. Nothing was sent; ``run`` is the id to look at and decide on."""

    def __init__(self, message: str, *, run: int, reason: str = "guard") -> None:
        super().__init__(message, reason=reason)
        self.run = run


def restored(kind: type[SamspilError], args: tuple[object, ...], state: dict[str, object]) -> SamspilError:
    """An error that crossed the border of a process."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error
