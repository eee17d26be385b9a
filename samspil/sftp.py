"""The way to another organisation's SFTP server: a known host key, time-outs, checked names, completed files only.

Every failure is an ``AccessError`` (the server is not the one we know, or does not let us in) or ``Unavailable``
(no answer, a broken connection, a missing or unfinished file). No message contains a file's content.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import io
import logging
import posixpath
import re
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import paramiko

from samspil.account import SECRET, Settings
from samspil.errors import AccessError, SettingsError, Unavailable

WINDOW = 1 << 20  # bytes asked for at a time; paramiko cuts them into requests of 32 KB that are under way together
_NAME = re.compile(r"[0-9A-Za-zÆØÅæøå][0-9A-Za-zÆØÅæøå._-]{0,200}")
_TYPES = {"ssh-rsa": ("rsa-sha2-256", "rsa-sha2-512")}  # kind of key → the algorithms that go with it

_LOG = "samspil.sftp.paramiko"
logging.getLogger(_LOG).setLevel(logging.CRITICAL)  # paramiko logs a traceback for each failure that is raised anyway


class SftpSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a connection of type ``sftp`` needs; its path is the folder that all other folders lie in.

    ``host_key`` is the server's public key line (``ssh-ed25519 AAAA…``) or its fingerprint (``SHA256:…``). It has no
    default: a server that nobody vouched for must not get the password.
    """

    username: str
    host_key: str
    password: Annotated[str, SECRET] = ""
    private_key: Annotated[str, SECRET] = ""  # OpenSSH or PEM text; its passphrase is ``password``
    timeout: float = 30.0  # seconds without an answer


class RemoteFile(NamedTuple):
    """A file as the server lists it: ``size`` in bytes, ``modified`` in seconds since 1970 (UTC)."""

    name: str
    size: int
    modified: int


class _HostKey(NamedTuple):
    """What is known of the server's key: its kind and itself, or (kind empty) its SHA-256 digest."""

    kind: str
    blob: bytes

    @classmethod
    def parse(cls, text: str) -> _HostKey:
        """A public key line or ``SHA256:…``. Raises SettingsError."""
        kind, _, rest = text.partition(" ")
        try:
            if text.startswith("SHA256:"):
                return cls("", base64.b64decode(text[7:].rstrip("=") + "=", validate=True))
            return cls(kind, base64.b64decode(rest.split()[0], validate=True))
        except (IndexError, ValueError):
            raise SettingsError("is neither a public key line nor SHA256:…", field="host_key") from None

    def prefer(self, transport: paramiko.Transport) -> None:
        """Ask for this kind of key, as a server may have several."""
        options = transport.get_security_options()
        wanted = [name for name in options.key_types if name in _TYPES.get(self.kind, (self.kind,))]
        if wanted:
            options.key_types = wanted

    def fits(self, key: paramiko.PKey) -> bool:
        blob = key.asbytes()
        return hmac.compare_digest(blob if self.kind else hashlib.sha256(blob).digest(), self.blob)


class Sftp:
    """One session at one server, opened by the first call that needs it."""

    def __init__(self, settings: SftpSettings, *, system: str) -> None:
        self._settings, self._system = settings, system
        where = urlsplit(settings.url)
        if where.scheme != "sftp" or not where.hostname:
            raise SettingsError("must be a connection of type sftp with a host", field=system)
        if not (settings.password or settings.private_key):
            raise SettingsError("needs a password or a private_key", field=system)
        self._address = (where.hostname, where.port or 22)
        self._known = _HostKey.parse(settings.host_key)
        self._root = "/" + _folder(where.path)
        self._transport: paramiko.Transport | None = None
        self._session: paramiko.SFTPClient | None = None

    def files(self, folder: str) -> list[RemoteFile]:
        """The plain files of a folder, by name; names this module would not open are left out."""
        with self._errors(folder):
            listed = self._open().listdir_attr(posixpath.join(self._root, _folder(folder)))
            return sorted(
                RemoteFile(item.filename, item.st_size or 0, int(item.st_mtime or 0))
                for item in listed
                if _NAME.fullmatch(item.filename) and (item.st_mode or 0) & 0o170000 in (0, 0o100000)
            )

    def chunks(self, folder: str, name: str) -> Generator[bytes, None, None]:
        """A file's bytes in pieces of at most ``WINDOW``. Raises Unavailable if it ends early or changes meanwhile."""
        path = self._path(folder, name)
        with self._errors(name):
            file = self._open().open(path, "rb")
        try:
            with self._errors(name):
                size = file.stat().st_size or 0
            for start in range(0, size, WINDOW):
                wanted = min(WINDOW, size - start)
                with self._errors(name):
                    piece = b"".join(file.readv([(start, wanted)]))
                if len(piece) != wanted:
                    raise Unavailable(f"{name} ended early", system=self._system, reason="file-incomplete")
                yield piece
            with self._errors(name):
                grown = (file.stat().st_size or 0) != size
            if grown:
                raise Unavailable(f"{name} changed while it was read", system=self._system, reason="file-changed")
        finally:
            with self._errors(name):
                file.close()

    def exists(self, folder: str, name: str) -> bool:
        """Whether there is such a file now."""
        path = self._path(folder, name)
        with self._errors(name):
            try:
                self._open().stat(path)
            except FileNotFoundError:
                return False
        return True

    def get(self, folder: str, name: str, *, limit: int = 16 * WINDOW) -> bytes | None:
        """A small file whole; None if there is no such file. Raises Unavailable if it is larger than ``limit``."""
        if not self.exists(folder, name):
            return None
        data = bytearray()
        for chunk in self.chunks(folder, name):
            data += chunk
            if len(data) > limit:
                raise Unavailable(f"{name} is larger than {limit} bytes", system=self._system, reason="file-too-large")
        return bytes(data)

    def put(self, folder: str, name: str, data: bytes) -> None:
        """Write a file so that nobody sees half of it: as ``<name>.tmp``, checked, then renamed (replacing)."""
        path = self._path(folder, name)
        with self._errors(name):
            session = self._open()
            with session.open(f"{path}.tmp", "wb") as file:
                file.set_pipelined(True)
                file.write(data)
            if session.stat(f"{path}.tmp").st_size != len(data):
                raise Unavailable(f"{name} was not stored whole", system=self._system, reason="file-incomplete")
            session.posix_rename(f"{path}.tmp", path)

    def move(self, folder: str, name: str, to: str) -> None:
        """Put a file in another folder (replacing). Raises Unavailable (``file-missing``) if either is not there."""
        source, target = self._path(folder, name), self._path(to, name)
        with self._errors(name):
            self._open().posix_rename(source, target)

    def close(self) -> None:
        """End the session. May be called twice."""
        transport, self._transport, self._session = self._transport, None, None
        if transport is not None:
            transport.close()

    def _path(self, folder: str, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise SettingsError("is not a plain file name", field=self._system, reason="bad-file-name")
        return posixpath.join(self._root, _folder(folder), name)

    def _open(self) -> paramiko.SFTPClient:
        if self._session is not None and self._transport is not None and self._transport.is_active():
            return self._session
        self.close()
        key = _private_key(self._settings)
        sock = socket.create_connection(self._address, timeout=self._settings.timeout)
        try:
            self._transport = transport = paramiko.Transport(sock)
        except BaseException:
            sock.close()
            raise
        transport.set_log_channel(_LOG)
        transport.banner_timeout = transport.auth_timeout = transport.channel_timeout = self._settings.timeout
        transport.handshake_timeout = self._settings.timeout
        self._known.prefer(transport)
        transport.start_client(timeout=self._settings.timeout)
        if not self._known.fits(transport.get_remote_server_key()):
            self.close()
            raise AccessError(
                "the server's host key is not the one in the connection; ask its owner before you change host_key",
                system=self._system,
                reason="unknown-host-key",
            )
        if key is not None:
            transport.auth_publickey(self._settings.username, key)
        else:
            transport.auth_password(self._settings.username, self._settings.password, fallback=False)
        session = transport.open_sftp_client()
        channel = session.get_channel()
        if channel is not None:
            channel.settimeout(self._settings.timeout)
        self._session = session
        return session

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Translate what paramiko and sockets raise. A broken session is closed, so that the next call logs in anew."""
        try:
            yield
        except paramiko.AuthenticationException:
            self.close()
            raise AccessError("login refused", system=self._system, reason="login-refused") from None
        except FileNotFoundError:
            raise Unavailable(f"{what} does not exist", system=self._system, reason="file-missing") from None
        except PermissionError:
            raise AccessError(f"no permission for {what}", system=self._system, reason="no-permission") from None
        except TimeoutError:
            self.close()
            raise Unavailable(f"no answer ({what})", system=self._system, reason="timeout") from None
        except (paramiko.SSHException, paramiko.SFTPError, EOFError, OSError) as error:
            self.close()
            raise Unavailable(f"connection failed ({type(error).__name__}, {what})", system=self._system) from None


def _folder(path: str) -> str:
    """A folder below the connection's own, without ``.`` or ``..`` in it. Raises SettingsError."""
    if any(part in (".", "..") for part in path.split("/")) or "\0" in path:
        raise SettingsError("a folder may not contain . or ..", field=path, reason="bad-file-name")
    return path.strip("/")


def _private_key(settings: SftpSettings) -> paramiko.PKey | None:
    if not settings.private_key:
        return None
    kinds: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
    for kind in kinds:
        try:
            return kind.from_private_key(io.StringIO(settings.private_key), settings.password or None)
        except (paramiko.SSHException, ValueError, binascii.Error):
            continue
    raise SettingsError("is not an Ed25519, ECDSA or RSA key, or its passphrase is wrong", field="private_key")
