"""Install the Singer taps that the tests and the sandboxes run: ``python3 tools/singer_peer.py [TAP …]``.

Each file ``tools/taps/<tap>.txt`` locks one tap and all it needs, with checksums; it gets a virtual environment of its
own, ``build/peers/singer/<tap>``, because taps pin old libraries. Done before, nothing is done again.

A lock is renewed with ``uv pip compile --universal --generate-hashes``; ``psycopg2-binary`` of tap-postgres is newer
than the tap asks for, because the version it pins has no wheels for Python 3.12.
"""  # noqa: INP001 - a script beside the packages, not one of them

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import setup  # the project's own way to find uv and an index

FOLDER = setup.ROOT / "build" / "peers" / "singer"
LOCKS = setup.ROOT / "tools" / "taps"


def main(taps: list[str]) -> None:
    """Install the taps named, or all of them. Ends the process with a message if that cannot be done."""
    try:
        for tap in taps or sorted(lock.stem for lock in LOCKS.glob("*.txt")):
            install(tap)
    except setup.SetupError as error:
        sys.exit(f"singer_peer: {error}")


def install(tap: str) -> None:
    """Make or renew ``build/peers/singer/<tap>``."""
    lock, venv = LOCKS / f"{tap}.txt", FOLDER / tap
    if not lock.is_file():
        raise setup.SetupError(f"there is no tools/taps/{tap}.txt")
    stamp = venv / ".samspil"
    python = str(venv / "bin" / "python")
    if stamp.is_file() and stamp.read_text() == lock.read_text() and setup.is_recent(python):
        return
    index = setup.index_url()
    uv = setup.find_uv() or setup.fetch_uv(setup.ROOT / "build" / f"uv-{setup.UV}", index)
    print(f"singer_peer: installing {tap} into {venv}", flush=True)
    setup.run(setup.ROOT, [uv, "venv", "--quiet", "--clear", "--python", setup.choose_python(), str(venv)])
    command = [
        uv,
        "pip",
        "sync",
        "--quiet",
        "--python",
        python,
        "--require-hashes",
        "--default-index",
        index,
        str(lock),
    ]
    setup.run(setup.ROOT, command)
    stamp.write_text(lock.read_text())


if __name__ == "__main__":
    main(sys.argv[1:])
