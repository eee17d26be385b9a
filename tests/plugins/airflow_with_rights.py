"""Airflow's API server with FAB's rights per DAG and our plugins folder, as a process of its own.

``python airflow_with_rights.py <home> <port>``. The DAGs are those of ``SAMSPIL_MUNICIPALITIES``, stored as the DAG
processor stores them, which gives the roles that the files name their rights. ``anna`` and ``ro`` are Randers', one
operates and one reads; ``bo`` is Ringkøbing-Skjern's; ``admin`` is the administrator. Passwords are their names.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent

# What a role must have of Airflow besides the DAG itself, which the municipality's file gives it.
EVERYBODY = [
    *((action, thing) for action in ("can_read",) for thing in (
        "Website", "DAG Runs", "Task Instances", "Task Logs", "XComs", "HITL Detail", "DAG Code", "DAG Dependencies",
    )),
    ("menu_access", "DAGs"),
]  # fmt: skip
OPERATOR = [("can_edit", "HITL Detail"), ("can_edit", "Task Instances"), ("can_edit", "DAG Runs")]
USERS = {
    "anna": ("Randers drift", EVERYBODY + OPERATOR),
    "ro": ("Randers læser", EVERYBODY),
    "bo": ("Ringkøbing-Skjern drift", EVERYBODY + OPERATOR),
    "admin": ("Admin", []),
}


def main(home: Path, port: int) -> None:
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__DAGS_FOLDER=str(home / "dags"),
        AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
        AIRFLOW__CORE__AUTH_MANAGER="airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home / 'airflow.db'}",
        AIRFLOW__LOGGING__BASE_LOG_FOLDER=str(home / "logs"),
        AIRFLOW__API__SECRET_KEY="a secret of the tests, long enough for its algorithm: 0123456789abcdef",
        AIRFLOW__API_AUTH__JWT_SECRET="a secret of the tests, long enough for its algorithm: 0123456789abcdef",
    )
    from airflow.utils.db import initdb

    initdb()
    people()
    dags()

    import uvicorn
    from airflow.api_fastapi.app import create_app

    uvicorn.run(create_app(apps="core"), host="127.0.0.1", port=port, log_level="warning")


def people() -> None:
    """Roles and users, as ``airflow roles`` and ``airflow users`` make them."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager: Any = builder.sm
        manager.sync_roles()
        for name, (role, rights) in USERS.items():
            made = manager.find_role(role) or manager.add_role(role)
            for action, thing in rights:
                manager.add_permission_to_role(made, manager.create_permission(action, thing))
            manager.add_user(name, name, name, f"{name}@example.org", made, password=name)


def dags() -> None:
    """The DAGs with their rights, as the DAG processor stores them."""
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session

    with create_session() as session:
        session.merge(DagBundleModel(name="dags-folder"))
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], bundle_name="dags-folder")
    assert {} == bag.import_errors
    sync_bag_to_db(bag, "dags-folder", None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
