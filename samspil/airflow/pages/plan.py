"""The page of a plan that waits for a person: which fields of which records it would change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from samspil.account import Account
from samspil.agreement import MunicipalityFile
from samspil.airflow.pages.content import Town, page
from samspil.airflow.pages.municipalities import Listed
from samspil.airflow.pages.words import Words
from samspil.errors import SamspilError
from samspil.flow.difference import HIDDEN
from samspil.flow.look import FEW, Look, changes, look
from samspil.flow.preview import Change
from samspil.hub import Hub

Accounts = Callable[[str, MunicipalityFile], Account]  # an account by its connection's name


def plan_page(listed: Listed, path: Path, run: int, words: Words, now: float, accounts: Accounts) -> str:
    """The plan of a run. ``path`` is the municipality's file, whose store and key this process must have.

    Raises KeyError if the municipality has no such run, Unavailable if its store is away.
    """
    if listed.file is None:
        raise KeyError(run)
    file = listed.file
    with Hub.open(path, lambda connection: accounts(connection, file), write=False) as hub:
        try:
            seen = look(hub, run)
        except SamspilError as error:
            raise KeyError(run) from error
        shown, problem = _changes(hub, seen)
    town = Town(listed.dag_id, file)
    return page("plan", words, now, town=town, seen=seen, changes=shown, error=problem, few=FEW, hidden=HIDDEN)


def _changes(hub: Hub, seen: Look) -> tuple[Sequence[Change], str]:
    """The changes, or why they cannot be shown: a connection or mapping that this process lacks hides no counts."""
    try:
        return changes(hub, seen), ""
    except SamspilError as error:
        return (), str(error)
