"""What a command that failed says, and its exit code."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable
from pathlib import Path

from samspil.cli import show
from samspil.errors import AccessError, GuardTripped, SamspilError, SettingsError, Unavailable

TRACEBACK = "SAMSPIL_TRACEBACK"
_ROOT = Path(__file__).parents[2]
_OTHERS = {"site-packages", "dist-packages"}  # folders of what others wrote

_KINDS: tuple[tuple[type[SamspilError], int, str], ...] = (
    (SettingsError, 2, ""),
    (AccessError, 3, "Next: renew the account's access, then run samspil check"),
    (Unavailable, 4, "Next: run the command again later; what was acknowledged is not sent twice"),
    (GuardTripped, 5, ""),
    (SamspilError, 1, ""),
)


def tell(error: SamspilError, about: str = "") -> None:
    """One clear line, and where the message has none, a line that says what to do next."""
    show.problem(f"✗ {about}: {error}" if about else f"✗ {error}")
    if next_step := _kind(error)[2]:
        show.note(next_step)


def exit_code(errors: Iterable[SamspilError]) -> int:
    """The code of what must be done first; 0 without errors."""
    order = [code for _, code, _ in _KINDS]
    return min((_kind(error)[1] for error in errors), key=order.index, default=0)


def tell_unexpected(error: Exception) -> None:
    """A fault in Samspil: where it happened. Its message and its variables may hold persons, so neither is shown."""
    frames = list(traceback.extract_tb(error.__traceback__))
    ours = [frame for frame in frames if not _OTHERS.intersection(Path(frame.filename).parts)] or frames
    show.problem(f"✗ {type(error).__name__} in {_place(frames[-1])}: a fault in Samspil, please report it")
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
        return
    for frame in ours:
        show.note(f"  {_place(frame)} in {frame.name}")
    show.note(f"Its message may hold personal data and is left out; {TRACEBACK}=1 shows it.")


def tell_system(error: OSError) -> None:
    """What the operating system refused, and where: its words name no record, and a file's name is left out."""
    show.problem(f"✗ the operating system says: {error.strerror or type(error).__name__}")
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
        return
    for frame in traceback.extract_tb(error.__traceback__):
        if not _OTHERS.intersection(Path(frame.filename).parts):
            show.note(f"  {_place(frame)} in {frame.name}")
    show.note("What was acknowledged stays acknowledged: run the command again when that is mended.")


def _kind(error: SamspilError) -> tuple[type[SamspilError], int, str]:
    return next(kind for kind in _KINDS if isinstance(error, kind[0]))


def _place(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    return f"{path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path}:{frame.lineno}"
