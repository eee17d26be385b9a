"""Open decisions: where they are, and what they ask."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from samspil import yamlfile
from samspil.errors import SettingsError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Decision(NamedTuple):
    """One open decision. ``field`` is a path of the YAML file, or the function of the Python file."""

    file: str
    line: int
    field: str
    question: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: to decide: {self.question}"


def TODO(question: str) -> SettingsError:  # noqa: N802 - the same spelling as in YAML
    """The error to raise where a connector's Python is not written yet; it names the place of the call."""
    frame = inspect.currentframe()
    above = frame.f_back if frame else None
    file, line = (above.f_code.co_filename, above.f_lineno) if above else ("", 0)
    return SettingsError(f"to decide: {question}", file=file, line=line, reason="to-decide")


def decisions(*folders: Path, root: Path) -> list[Decision]:
    """Every open decision in the YAML and Python files of the folders, in their order; files are named from ``root`` on.

    Contracts are left out: what a vendor wrote is nobody's open decision. Raises SettingsError if a file is broken.
    """
    return [decision for file in _files(folders) for decision in _found(file, root)]


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.glob("connector.yaml"))
        yield from sorted(folder.glob("*.py"))
        if not (folder / "__init__.py").is_file():  # a folder of mappings, not of a connector
            yield from sorted(folder.glob("*.yaml"))


def _found(file: Path, root: Path) -> Iterator[Decision]:
    name = str(file.relative_to(root)) if file.is_relative_to(root) else str(file)
    found = _in_yaml(file) if file.suffix == ".yaml" else _in_python(file)
    for line, field, question in sorted(set(found)):
        yield Decision(name, line, field, question)


def _in_yaml(file: Path) -> Iterator[tuple[int, str, str]]:
    try:
        root = yaml.compose(file.read_bytes(), Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError):
        yamlfile.YamlFile(file, dict)  # says what is wrong, and where
        raise
    waiting: list[tuple[str, yaml.Node]] = [("", root)] if root is not None else []
    while waiting:
        at, node = waiting.pop()
        if node.tag == yamlfile.TODO:
            yield node.start_mark.line + 1, at, str(node.value)
        elif isinstance(node, yaml.MappingNode):
            waiting += [(f"{at}.{key.value}" if at else str(key.value), value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(f"{at}[{number}]", item) for number, item in enumerate(node.value)]


def _in_python(file: Path) -> Iterator[tuple[int, str, str]]:
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError as error:
        raise SettingsError(f"is no Python: {error.msg}", file=str(file), line=error.lineno or 0) from None
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "TODO":
                question = node.args[0] if node.args else None
                yield node.lineno, function.name, str(question.value) if isinstance(question, ast.Constant) else ""
