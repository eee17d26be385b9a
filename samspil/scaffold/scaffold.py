"""A scaffold: the files of a new connector, put in place all at once or not at all."""

from __future__ import annotations

import keyword
import re
import shutil
import tempfile
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

from samspil import registry
from samspil.errors import SettingsError
from samspil.mapping.mapping import FOLDER

PROJECT = FOLDER.parent  # where connectors/, mappings/ and tests/ lie side by side
LONGEST = 50  # characters of a name
_NAME = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PACKAGE = '''"""Connectors beside those of the project."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
'''


class Scaffold:
    """The files of one connector by their path below a project's folder. Raises SettingsError for a bad or taken name."""

    def __init__(self, name: str, into: Path) -> None:
        require_name(name)
        self.name, self.into = name, into
        self.files: dict[str, bytes] = {}
        self.connector, self.mappings, self.tests = folders(name)
        self._require_free()

    @property
    def foreign(self) -> bool:
        """Whether it goes elsewhere than among the project's own connectors."""
        return self.into.resolve() != PROJECT.resolve()

    def add(self, path: str, content: str | bytes) -> None:
        """Add a file, such as ``connectors/x/README.md``."""
        self.files[path] = content.encode() if isinstance(content, str) else content

    def save(self) -> list[Path]:
        """Put all files in place. If it raises, nothing is there that was not before; nothing is ever overwritten."""
        self._require_free()
        made: list[Path] = []  # folders that were not there
        moved: list[Path] = []
        try:
            _make(self.into, made)
            with tempfile.TemporaryDirectory(prefix=".samspil-new-", dir=self.into) as temporary:
                for path, content in self.files.items():
                    file = Path(temporary) / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(content)
                for folder in folders(self.name):
                    target = self.into / folder
                    _make(target.parent, made)
                    (Path(temporary) / folder).rename(target)
                    moved.append(target)
                package = self.into / "connectors" / "__init__.py"
                if self.foreign and not package.exists():
                    package.write_text(_PACKAGE, encoding="utf-8")
        except OSError as error:
            for target in moved:
                shutil.rmtree(target)
            for parent in reversed(made):
                with suppress(OSError):
                    parent.rmdir()
            raise SettingsError(f"cannot be written ({error.strerror})", file=str(self.into)) from None
        return [self.into / path for path in self.files]

    def _require_free(self) -> None:
        for folder in folders(self.name):
            if (self.into / folder).exists() or (self.into / folder).is_symlink():
                message = f"there is a folder {folder} already; nothing was changed"
                raise SettingsError(message, field=self.name, reason="name-taken")
        if self.name in {point.name for point in entry_points(group=registry.GROUP)}:
            message = "an installed package has a connector of this name"
            raise SettingsError(message, field=self.name, reason="name-taken")


def require_name(name: str) -> None:
    """Raises SettingsError for what is no name of a connector."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST or keyword.iskeyword(name):
        raise SettingsError(
            f"a connector's name is snake_case in a-z, 0-9 and _, at most {LONGEST} characters, and no word of Python's",
            field=ascii(name)[:60],
            reason="bad-name",
        )


def folders(name: str) -> tuple[str, str, str]:
    """The folders of a connector: its own, its mappings, its tests."""
    return f"connectors/{name}", f"mappings/{name}", f"tests/connectors/{name}"


def project() -> Path:
    """Where a new connector goes if nobody says: the project one stands in, or the one that this code lies in.

    Raises SettingsError if neither has folders of connectors and mappings.
    """
    for folder in (Path.cwd(), PROJECT):
        if (folder / "connectors").is_dir() and (folder / "mappings").is_dir() and "site-packages" not in folder.parts:
            return folder
    raise SettingsError("there are no folders connectors/ and mappings/ here; say where with --into", field="--into")


def _make(folder: Path, made: list[Path]) -> None:
    for one in (*reversed(folder.parents), folder):
        if not one.exists():
            one.mkdir()
            made.append(one)
