"""Make ``.venv`` from ``uv.lock`` on a machine that has Python and nothing else: no uv, no pip, no python3-venv.

``python3 tools/setup.py`` finds uv or downloads the pinned one (its checksum is written here, so an index or mirror
cannot slip in another), then lets uv install what the lock file names. Run again, it returns at once if nothing
changed. Runs on Python 3.8 and newer, so that an old ``python3`` can say what is missing; Samspil itself needs 3.11.

Settings, all optional: ``UV_DEFAULT_INDEX``, ``UV_INDEX_URL`` or ``PIP_INDEX_URL`` (a package index of your own, then
used for everything; the lock file's checksums still hold), ``SSL_CERT_FILE``, ``HTTPS_PROXY``.
"""  # noqa: INP001 - a script beside the packages, not one of them

from __future__ import annotations

import base64
import hashlib
import html.parser
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYPI = "https://pypi.org/simple"
PYTHONS = ("python3.13", "python3.12", "python3.11", "python3")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # of Debian and Ubuntu
OLDEST_PYTHON = (3, 11)
OLDEST_UV = (0, 13)  # the one that wrote uv.lock
UV = "0.13.9"
WHEELS = {  # machine → file name and SHA-256 of uv's wheel, as published on pypi.org
    "x86_64": (
        f"uv-{UV}-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    "aarch64": (
        f"uv-{UV}-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
}


class SetupError(Exception):
    """The set-up cannot go on; the message says what to do."""


def main() -> None:
    """Make or renew ``.venv``. Ends the process with a message if it cannot."""
    try:
        make(ROOT)
    except SetupError as error:
        sys.exit(f"setup: {error}")


def make(root: Path) -> None:
    """Make or renew ``root/.venv``, unless it already matches the lock file."""
    venv = root / ".venv"
    stamp = venv / ".samspil"
    wanted = fingerprint(root)
    if stamp.is_file() and stamp.read_text() == wanted and is_recent(str(venv / "bin" / "python")):
        return
    python = str(venv / "bin" / "python")
    if not is_recent(python):
        python = choose_python()
    uv = find_uv() or fetch_uv(root / "build" / f"uv-{UV}", index_url())
    print(f"setup: installing into {venv} (the first time takes some minutes)", flush=True)
    install(root, uv, python, index_url())
    stamp.write_text(wanted)
    print("setup: done", flush=True)


def fingerprint(root: Path) -> str:
    """What ``.venv`` depends on: the lock file, the project file and the place (its scripts hold absolute paths)."""
    digest = hashlib.sha256(str(root).encode())
    for name in ("uv.lock", "pyproject.toml"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def is_recent(python: str) -> bool:
    """Whether this interpreter exists, runs and is new enough."""
    code = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    try:
        return subprocess.run([python, "-c", code], check=False, capture_output=True).returncode == 0  # noqa: S603 - our own arguments
    except OSError:
        return False


def choose_python(names: tuple[str, ...] = PYTHONS) -> str:
    """The first of these programs on PATH that is new enough."""
    for name in names:
        found = shutil.which(name)
        if found and is_recent(found):
            return found
    oldest = ".".join(map(str, OLDEST_PYTHON))
    raise SetupError(f"needs Python {oldest} or newer, and finds none: apt install python{oldest} (or a newer one)")


def find_uv() -> str | None:
    """A uv on PATH that is new enough to read the lock file."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    said = subprocess.run([uv, "--version"], check=False, capture_output=True, text=True).stdout  # noqa: S603 - our own arguments
    version = re.match(r"uv (\d+)\.(\d+)", said)
    return uv if version and (int(version[1]), int(version[2])) >= OLDEST_UV else None


def index_url() -> str:
    """The package index to use, without a trailing slash."""
    names = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
    return next((os.environ[name] for name in names if os.environ.get(name)), PYPI).rstrip("/")


def fetch_uv(folder: Path, index: str) -> str:
    """Download the pinned uv into ``folder``, check it and return its path. Done before, it is only returned."""
    program = folder / "uv"
    if not program.is_file():
        machine = platform.machine()
        if sys.platform != "linux" or machine not in WHEELS:
            raise SetupError(f"no uv is pinned for {sys.platform} {machine}: install uv {UV} or newer, and run again")
        print(f"setup: downloading uv {UV} (17 MB)", flush=True)
        wheel = download(index, "uv", *WHEELS[machine])
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"uv.{os.getpid()}"
        part.write_bytes(zipfile.ZipFile(io.BytesIO(wheel)).read(f"uv-{UV}.data/scripts/uv"))
        part.chmod(0o755)
        part.replace(program)  # in one step: a broken-off run leaves no half program behind
    return str(program)


def download(index: str, project: str, name: str, sha256: str) -> bytes:
    """One file of a project, from an index that speaks the simple API as JSON or as HTML (PEP 691, PEP 503)."""
    page_url = f"{index}/{project}/"
    kind, body, page_url = _get(page_url, index, "application/vnd.pypi.simple.v1+json, text/html;q=0.1")
    if "json" in kind:
        links = {file["filename"]: file["url"] for file in json.loads(body)["files"]}
    else:
        links = _Links(body.decode(errors="replace")).found
    if name not in links:
        raise SetupError(f"the package index has no {name}: ask for it to be mirrored, or install uv {UV} yourself")
    data = _get(urllib.parse.urljoin(page_url, links[name]), index, "*/*")[1]
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SetupError(f"{name} from the package index is not the published file (SHA-256 differs): not used")
    return data


class _Links(html.parser.HTMLParser):
    """File name → address of each link of an HTML page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if tag == "a" and href:
            path = urllib.parse.urlsplit(href).path
            self.found[urllib.parse.unquote(path.rpartition("/")[2])] = href


def _get(url: str, index: str, accept: str) -> tuple[str, bytes, str]:
    """Content type, body and final address. A name and password in the index's address go to that host only."""
    parts, home = urllib.parse.urlsplit(url), urllib.parse.urlsplit(index)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    if plain.scheme not in ("http", "https"):
        raise SetupError("the package index must be an http or https address")
    request = urllib.request.Request(plain.geturl(), headers={"Accept": accept})  # noqa: S310 - scheme checked above
    if home.username and (parts.scheme, parts.hostname, parts.port) == (home.scheme, home.hostname, home.port):
        login = f"{urllib.parse.unquote(home.username)}:{urllib.parse.unquote(home.password or '')}"
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - scheme checked above
            return answer.headers.get("Content-Type", ""), answer.read(), answer.geturl()
    except urllib.error.HTTPError as error:
        error.close()
        raise SetupError(f"{plain.hostname} answers {error.code} to {plain.path}") from None
    except OSError as error:  # URLError is one
        reason = getattr(error, "reason", error)
        hint = " (apt install ca-certificates, or set SSL_CERT_FILE)" if "CERTIFICATE" in str(reason) else ""
        raise SetupError(f"{plain.hostname} cannot be reached: {reason}{hint}") from None


def install(root: Path, uv: str, python: str, index: str) -> None:
    """Let uv install what ``uv.lock`` names into ``root/.venv``, with everything optional and the developers' tools."""
    if index == PYPI:
        run(root, [uv, "sync", "--frozen", "--all-extras", "--python", python])
        return
    # The lock file's addresses are pypi.org's. With an index of one's own only its versions and checksums are used.
    wanted = str(root / "build" / "requirements.txt")
    quiet = ["--quiet", "--output-file", wanted]
    run(root, [uv, "export", "--frozen", "--all-extras", "--no-emit-project", "--python", python, *quiet])
    if not is_recent(str(root / ".venv" / "bin" / "python")):
        run(root, [uv, "venv", "--clear", "--python", python, ".venv"])
    address = ["--default-index", index]
    run(root, [uv, "pip", "sync", "--python", ".venv", "--require-hashes", *address, wanted])
    run(root, [uv, "pip", "install", "--python", ".venv", "--no-deps", *address, "--editable", "."])


def run(root: Path, command: list[str]) -> None:
    # the venv is always the project's own, whatever the shell has active
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    if CERTIFICATES.is_file():  # uv brings its own list, which lacks the authority of a municipality's proxy
        env.setdefault("SSL_CERT_FILE", str(CERTIFICATES))
    # where Python may not write beside its programs (many images), each process would compile all of Airflow
    env.setdefault("UV_COMPILE_BYTECODE", "1")
    if subprocess.run(command, cwd=root, env=env, check=False).returncode:  # noqa: S603 - our own arguments
        raise SetupError(f"uv {command[1]} failed; its message stands above")


if __name__ == "__main__":
    main()
