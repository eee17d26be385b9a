"""Who may come in, and what is said when nobody answers; against a real SFTP server."""

from __future__ import annotations

import base64
import hashlib
import socket
from typing import Any

import asyncssh
import pytest

from connectors.journal_files.connector import JournalFiles
from connectors.journal_files.sandbox import JournalFilesSandbox
from samspil.account import Account
from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.sftp import Sftp, SftpSettings
from samspil.testing.world import World


@pytest.fixture(scope="module")
def shared():
    with JournalFilesSandbox(World("730", citizens=6)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared):
    yield shared
    shared.faults.clear()


def account(sandbox: JournalFilesSandbox, **changes: Any) -> Account:
    fields = {name: getattr(sandbox.account, name) for name in Account.__struct_fields__}
    extra = {**fields["extra"], **changes.pop("extra", {})}
    return Account(**{**fields, "extra": extra, **changes})


def checked(account: Account) -> None:
    connector = JournalFiles(account)
    try:
        connector.check()
    finally:
        connector.close()
        connector.close()


def test_check_logs_in_and_changes_nothing(sandbox):
    before = len(sandbox.calls)
    checked(sandbox.account)
    assert ["LIST /ud", "LIST /ind", "LIST /kvittering"] == sandbox.calls[before:]


def test_a_fingerprint_is_as_good_as_a_key_line(sandbox):
    blob = base64.b64decode(sandbox.account.extra["host_key"].split()[1])
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    checked(account(sandbox, extra={"host_key": f"SHA256:{digest}"}))


@pytest.mark.parametrize(
    ("kind", "form"), [("ssh-ed25519", "openssh"), ("ssh-rsa", "openssh"), ("ecdsa-sha2-nistp256", "pkcs1-pem")]
)
def test_a_private_key_logs_in_without_a_password(sandbox, kind, form):
    key = asyncssh.generate_private_key(kind)
    sandbox.allow(key.export_public_key().decode())
    checked(account(sandbox, password="", extra={"private_key": key.export_private_key(form).decode()}))


def test_a_private_key_may_have_a_passphrase(sandbox):
    key = asyncssh.generate_private_key("ssh-ed25519")
    sandbox.allow(key.export_public_key().decode())
    text = key.export_private_key(passphrase="kodeord", rounds=50).decode()
    checked(account(sandbox, password="kodeord", extra={"private_key": text}))
    with pytest.raises(SettingsError, match="passphrase"):
        checked(account(sandbox, password="et andet", extra={"private_key": text}))


def test_a_private_key_nobody_knows_is_refused(sandbox):
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    with pytest.raises(AccessError) as caught:
        checked(account(sandbox, password="", extra={"private_key": key}))
    assert "login-refused" == caught.value.reason


def test_a_wrong_password_is_an_access_error(sandbox):
    with pytest.raises(AccessError) as caught:
        checked(account(sandbox, password="forkert"))
    assert "login-refused" == caught.value.reason
    assert "forkert" not in str(caught.value)


def test_a_server_with_another_host_key_never_gets_the_password(sandbox):
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    for host_key in (other, "SHA256:" + "A" * 43):
        with pytest.raises(AccessError) as caught:
            checked(account(sandbox, extra={"host_key": host_key}))
        assert "unknown-host-key" == caught.value.reason


@pytest.mark.parametrize("host_key", ["", "ssh-ed25519", "ssh-ed25519 %%%"])
def test_a_host_key_that_is_none_is_a_settings_error(sandbox, host_key):
    with pytest.raises(SettingsError, match="host_key"):
        checked(account(sandbox, extra={"host_key": host_key}))


def test_a_connection_without_host_key_or_secret_is_a_settings_error(sandbox):
    with pytest.raises(SettingsError, match="host_key"):
        JournalFiles(Account(id="x", conn_type="sftp", host="h", login="u", password="p"))
    with pytest.raises(SettingsError, match="private_key"):
        JournalFiles(account(sandbox, password=""))
    with pytest.raises(SettingsError, match="sftp"):
        JournalFiles(account(sandbox, conn_type="ftp"))


def test_a_server_that_is_down_is_unavailable_and_found_again_when_it_is_back():
    sandbox = JournalFilesSandbox(World("730", citizens=6))
    sandbox.start()
    connector = JournalFiles(sandbox.account)
    connector.check()
    sandbox.stop()
    with pytest.raises(Unavailable):
        connector.check()
    sandbox.start()
    connector.check()
    connector.close()
    sandbox.stop()


def test_a_port_that_never_speaks_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"sftp://127.0.0.1:{silent.getsockname()[1]}"
        settings = SftpSettings(url=where, username="u", password="p", host_key="SHA256:" + "A" * 43, timeout=0.2)
        with pytest.raises(Unavailable):
            Sftp(settings, system="s").files("ud")


def test_a_server_that_stops_answering_is_unavailable_and_the_next_call_logs_in_anew(sandbox):
    connector = JournalFiles(account(sandbox, extra={"timeout": 0.3}))
    sandbox.faults.add("timeout", path="/ud/Fremmoede")
    with pytest.raises(Unavailable) as caught:
        list(connector.read("attendance"))
    assert "timeout" == caught.value.reason
    assert list(connector.read("attendance"))
    connector.close()


def test_a_folder_that_is_missing_is_unavailable(sandbox):
    with pytest.raises(Unavailable) as caught:
        checked(account(sandbox, extra={"exports": "findes-ikke"}))
    assert "file-missing" == caught.value.reason


@pytest.mark.parametrize("name", ["../x.csv", "a/b.csv", ".ssh", "", "a\nb", "..", "/etc/passwd", "x" * 300])
def test_a_name_that_leads_elsewhere_is_not_opened(sandbox, name):
    sftp = Sftp(JournalFiles(sandbox.account).settings, system="s")
    before = len(sandbox.calls)
    for call in (
        lambda: sftp.put("ind", name, b""),
        lambda: sftp.get("ud", name),
        lambda: next(sftp.chunks("ud", name)),
    ):
        with pytest.raises(SettingsError):
            call()
    assert before == len(sandbox.calls)


@pytest.mark.parametrize("folder", ["..", "ud/../..", "./ud", "ud\0"])
def test_a_folder_that_leads_elsewhere_is_not_opened(sandbox, folder):
    with pytest.raises(SettingsError):
        Sftp(JournalFiles(sandbox.account).settings, system="s").files(folder)


def test_a_file_is_put_whole_or_not_at_all_and_replaced_in_one_step(sandbox):
    sftp = Sftp(JournalFiles(sandbox.account).settings, system="s")
    data = bytes(range(256)) * 20_000
    for content in (b"first", data):
        sftp.put("ind", "Andet.csv", content)
        assert content == sftp.get("ind", "Andet.csv")
    assert ["Andet.csv"] == [file.name for file in sftp.files("ind")]
    assert None is sftp.get("ind", "Findes_ikke.csv")
    with pytest.raises(Unavailable) as caught:
        sftp.get("ind", "Andet.csv", limit=1000)
    assert "file-too-large" == caught.value.reason
    sftp.close()


def test_what_the_server_lists_is_not_trusted(sandbox):
    sftp = Sftp(JournalFiles(sandbox.account).settings, system="s")
    (sandbox.root / "ind" / ".skjult").write_bytes(b"")
    (sandbox.root / "ind" / "mappe.csv").mkdir(exist_ok=True)
    assert not {".skjult", "mappe.csv"} & {file.name for file in sftp.files("ind")}
    sftp.close()


def test_no_permission_is_an_access_error(sandbox):
    sftp = Sftp(JournalFiles(sandbox.account).settings, system="s")
    sandbox.faults.add("no-permission", path="/ud/Praktik")
    name = next(file.name for file in sftp.files("ud") if file.name.startswith("Praktik"))
    with pytest.raises(AccessError) as caught:
        next(sftp.chunks("ud", name))
    assert "no-permission" == caught.value.reason
    sftp.close()
