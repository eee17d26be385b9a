"""Engines broken on purpose, each by one change: the faults must show each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

BROKEN: Mapping[str, Callable[[], None]] = {}
