"""The set-up, offline: an index on this machine serves a wheel, and only the published file is taken from it."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import json
import platform
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PATH = Path(__file__).parent.parent.parent / "tools" / "setup.py"
NAME = "uv-0-py3-none-any.whl"


@pytest.fixture
def setup():
    spec = importlib.util.spec_from_file_location("samspil_setup", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Index(ThreadingHTTPServer):
    """A package index: ``pages`` is path → content type and body; ``seen`` the paths and logins asked with."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, self.headers["Authorization"]))
        kind, body = self.server.pages.get(self.path, ("text/plain", None))
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args):
        pass


@pytest.fixture
def index():
    with Index() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def wheel(setup) -> bytes:
    """A wheel as uv's is built, whose program is a script."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"uv-{setup.UV}.data/scripts/uv", "#!/bin/sh\necho uv 99.1.0\n")
    return buffer.getvalue()


def serve(index: Index, wheel: bytes, name: str = NAME) -> str:
    page = {"files": [{"filename": name, "url": f"../../files/{name}"}]}
    index.pages["/simple/uv/"] = ("application/vnd.pypi.simple.v1+json", json.dumps(page).encode())
    index.pages[f"/files/{name}"] = ("application/octet-stream", wheel)
    return hashlib.sha256(wheel).hexdigest()


def test_a_wheel_is_found_on_a_json_page(setup, index, wheel):
    digest = serve(index, wheel)
    assert setup.download(f"{index.url}/simple", "uv", NAME, digest) == wheel


def test_a_wheel_is_found_on_an_html_page(setup, index, wheel):
    digest = serve(index, wheel)
    index.pages["/simple/uv/"] = ("text/html", f'<a href="/files/{NAME}#sha256=0">{NAME}</a>'.encode())
    assert setup.download(f"{index.url}/simple", "uv", NAME, digest) == wheel


def test_another_file_than_the_published_one_is_refused(setup, index, wheel):
    """Also when the index itself claims that its checksum is right."""
    published = serve(index, wheel)
    serve(index, wheel + b"!")
    with pytest.raises(setup.SetupError, match="SHA-256 differs"):
        setup.download(f"{index.url}/simple", "uv", NAME, published)


def test_a_wheel_the_index_lacks_is_named(setup, index, wheel):
    digest = serve(index, wheel, "uv-1-py3-none-any.whl")
    with pytest.raises(setup.SetupError, match=NAME):
        setup.download(f"{index.url}/simple", "uv", NAME, digest)


def test_an_index_that_answers_with_an_error_is_named_without_its_password(setup, index):
    with pytest.raises(setup.SetupError, match="answers 404") as caught:
        setup.download(index.url.replace("//", "//kommune:hemmelig@") + "/nothing", "uv", NAME, "")
    assert "hemmelig" not in str(caught.value)


def test_a_login_in_the_address_goes_to_the_index_and_to_no_other_host(setup, index, wheel):
    digest = serve(index, wheel)
    page = {"files": [{"filename": NAME, "url": f"{index.url.replace('127.0.0.1', 'localhost')}/files/{NAME}"}]}
    index.pages["/simple/uv/"] = ("application/vnd.pypi.simple.v1+json", json.dumps(page).encode())
    setup.download(index.url.replace("//", "//kommune:hemmelig@") + "/simple", "uv", NAME, digest)
    login = "Basic " + base64.b64encode(b"kommune:hemmelig").decode()
    assert index.seen == [("/simple/uv/", login), (f"/files/{NAME}", None)]


def test_uv_is_unpacked_once_and_can_be_run(setup, index, wheel, tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "WHEELS", {platform.machine(): (NAME, serve(index, wheel))})
    program = setup.fetch_uv(tmp_path / "uv", f"{index.url}/simple")
    assert subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout == "uv 99.1.0\n"
    asked = len(index.seen)
    assert setup.fetch_uv(tmp_path / "uv", f"{index.url}/simple") == program
    assert [path.name for path in (tmp_path / "uv").iterdir()] == ["uv"]
    assert len(index.seen) == asked


def test_a_machine_without_a_pinned_uv_is_told_what_to_do(setup, tmp_path, monkeypatch):
    monkeypatch.setattr(setup.platform, "machine", lambda: "riscv64")
    with pytest.raises(setup.SetupError, match="riscv64: install uv"):
        setup.fetch_uv(tmp_path, "http://127.0.0.1:9")


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_an_old_uv_on_the_path_is_passed_over(setup, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert setup.find_uv() is None
    program(tmp_path, "uv", "echo uv 0.4.30")
    assert setup.find_uv() is None
    program(tmp_path, "uv", "echo uv 0.13.0")
    assert setup.find_uv() == str(tmp_path / "uv")


def test_the_newest_python_that_is_new_enough_is_taken(setup, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path, "python3", "exit 1")
    with pytest.raises(setup.SetupError, match=r"Python 3\.11 or newer"):
        setup.choose_python()
    program(tmp_path, "python3.11", f'exec "{sys.executable}" "$@"')
    program(tmp_path, "python3.12", "exit 1")
    assert setup.choose_python() == str(tmp_path / "python3.11")


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"])
def test_the_index_is_taken_from_the_environment(setup, monkeypatch, variable):
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    assert setup.index_url() == setup.PYPI
    monkeypatch.setenv(variable, "https://pakker.kommune.example/simple/")
    assert setup.index_url() == "https://pakker.kommune.example/simple"


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """A project whose uv notes what it is told and makes a .venv that runs."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "uv.lock").write_text("a")
    (tmp_path / "pyproject.toml").write_text("b")
    make = f'mkdir -p .venv/bin; ln -sf "{sys.executable}" .venv/bin/python'
    version = "if [ $1 = --version ]; then echo uv 0.13.9; exit; fi"
    program(tmp_path / "bin", "uv", f'{version}; echo "$1 $2" >> calls; env > environment; {make}')
    program(tmp_path / "bin", "python3", f'exec "{sys.executable}" "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_it_installs_once_and_again_only_when_the_lock_file_changed(setup, tree):
    setup.make(tree)
    setup.make(tree)
    assert (tree / "calls").read_text().splitlines() == ["sync --frozen"]
    (tree / "uv.lock").write_text("c")
    setup.make(tree)
    assert (tree / "calls").read_text().splitlines() == ["sync --frozen"] * 2


def test_with_an_index_of_ones_own_only_that_is_asked_and_checksums_still_hold(setup, tree, monkeypatch):
    monkeypatch.setenv("UV_INDEX_URL", "https://pakker.kommune.example/simple")
    setup.make(tree)
    called = (tree / "calls").read_text().splitlines()
    assert called[0] == "export --frozen"
    assert called[-2:] == ["pip sync", "pip install"]


@pytest.mark.parametrize("index", [None, "https://pakker.kommune.example/simple"])
def test_programs_are_compiled_once_and_not_by_each_process(setup, tree, monkeypatch, index):
    if index:
        monkeypatch.setenv("UV_INDEX_URL", index)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    setup.make(tree)
    assert "UV_COMPILE_BYTECODE=1" in (tree / "environment").read_text().splitlines()


def test_a_failing_uv_stops_it_and_nothing_is_marked_done(setup, tree):
    program(tree / "bin", "uv", "if [ $1 = --version ]; then echo uv 0.13.9; exit; fi; exit 2")
    with pytest.raises(setup.SetupError, match="uv sync failed"):
        setup.make(tree)
    assert not (tree / ".venv" / ".samspil").exists()
