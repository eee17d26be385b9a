"""A night in every municipality, on this machine, with nothing from outside: ``samspil demo``.

The systems are sandboxes on real sockets, the hub is the real one, and Airflow runs it.
"""

from __future__ import annotations

import os


def demo(*, ui: bool = False) -> bool:
    """Two nights, a table and build/demo.json; with ``ui`` (or UI=1) then Airflow's pages.

    Returns whether everything balances. Raises SettingsError outside the repository's folder.
    """
    from samspil.demo.show import show  # noqa: PLC0415  # needs what only the extra "sandbox" installs

    return show(ui=ui or os.environ.get("UI") == "1")
