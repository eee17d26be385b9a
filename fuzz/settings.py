"""YAML settings: municipalities' files, mappings and declarations, each in a folder of its own."""

from __future__ import annotations

import random
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

from fuzz.parser import Lost, Outcome, Parser
from samspil import mapping, registry
from samspil.agreement import load_municipality
from samspil.declared import FILE, declared
from samspil.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent


class Yaml(Parser):
    """A file loads, or is refused with its name and, where it can be told, the line."""

    name = "YAML settings"
    words = (
        b"!!python/object/apply:os.system ['true']",
        b"!!binary AAAA",
        b"!!set {a}",
        b"!TODO x",
        b"&a [*a]",
        b"*a",
        b"&a ",
        b"<<: ",
        b"? ",
        b"- ",
        b"{",
        b"[",
        b"[" * 500,
        b"{a: " * 500,
        b"|\n",
        b"---\n",
        b"...\n",
        b"%YAML 9.9\n",
        b"%TAG ! x\n",
        b"\t",
        b": ",
        b"null",
        b"~",
        b"yes",
        b".nan",
        b".inf",
        b"0x_",
        b"1:60:60",
        b"1_000",
        b"2026-13-45",
        b"2026-01-01 25:00:00",
        b"{name}",
        b"{{",
        b"${x}",
        b"'",
        b'"\\x00"',
        b'"\\ud800"',
        b"\xc2\x85",
        b"(?P<a>",
        b"(a+)+$",
    )
    piece = rb"(?m)^ *(?:- )?([\w\[\].]+):(?: ([^\n#]*))?"

    def made(self) -> Sequence[bytes]:
        self._folder = Path(tempfile.mkdtemp(prefix="samspil-fuzz-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        municipalities = sorted((ROOT / "dags" / "municipalities").glob("*.yaml"))
        mappings = [
            ROOT / "mappings" / name for name in ("jobcenter/course_order.yaml", "journal_rest/attendance.yaml")
        ]
        connectors = sorted((ROOT / "connectors").glob(f"*/{FILE}"))
        for one in connectors:
            shutil.copytree(one.parent, self._folder / one.parent.name, ignore=shutil.ignore_patterns("*.py", "__*"))
        self._files = [*municipalities, *mappings, *connectors]
        self._schemas = registry.schemas()
        return [file.read_bytes() for file in self._files]

    def tried(self, chance: random.Random, number: int, data: bytes) -> Outcome:
        del chance
        file = self._files[number]
        try:
            self._load(file, data)
        except SettingsError as error:
            if not error.file:
                raise Lost(f"names no file: {error.reason}") from None
            return Outcome(refused=1)
        return Outcome(records=1)

    def _load(self, file: Path, data: bytes) -> None:
        if file.name == FILE:
            path = self._folder / file.parent.name / FILE
            path.write_bytes(data)
            declared(path)
        elif file.parent.name == "municipalities":
            path = self._folder / file.name
            path.write_bytes(data)
            load_municipality(path, self._schemas)
        else:
            system, schema = file.parent.name, file.stem
            path = self._folder / "mappings" / system / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            fields, struct = registry.connector(system).fields(schema), self._schemas[schema]
            way = "to_ours" if schema in registry.connector(system).reads else "to_theirs"
            mapping.load(
                system, schema, fields=fields, struct=struct, folder=self._folder / "mappings", directions=(way,)
            )
