"""What a connector's name becomes: a class, a title."""

from __future__ import annotations


def class_name(name: str) -> str:
    """``case_archive`` → ``CaseArchive``."""
    return "".join(word.capitalize() for word in name.split("_"))


def title(name: str) -> str:
    """``case_archive`` → ``Case archive``."""
    return name.replace("_", " ").capitalize()
