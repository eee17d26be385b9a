"""A night in every municipality, on this machine, with nothing from outside: ``samspil demo``.

The systems are sandboxes on real sockets, the hub is the real one, and Airflow runs it.
"""

from __future__ import annotations


def demo(*, ui: bool = False) -> bool:
    """Two nights, a table and build/demo.json; with ``ui`` then Airflow's pages. Returns whether everything balances.

    Raises SettingsError outside the repository's folder.
    """
    from samspil.demo.show import show  # noqa: PLC0415  # needs what only the extra "sandbox" installs

    return show(ui=ui)
