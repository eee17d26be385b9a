"""Airflow's API server with our plugins folder, as a process of its own: Airflow reads its settings when imported.

``python airflow_with_pages.py <home> <port>``. Two teams, each with one municipality's DAG; a user in one of them,
and an administrator. Both passwords are their names.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def main(home: Path, port: int) -> None:
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({"anna": "anna", "bo": "bo"}), encoding="utf-8")
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
        AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
        AIRFLOW__CORE__MULTI_TEAM="True",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS="anna:viewer:randers,bo:admin",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE=str(passwords),
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home / 'airflow.db'}",
        AIRFLOW__API_AUTH__JWT_SECRET="a secret of the tests, long enough for its algorithm: 0123456789abcdef",
    )
    from airflow.utils.db import initdb

    initdb()
    fill()

    import uvicorn
    from airflow.api_fastapi.app import create_app

    uvicorn.run(create_app(apps="core"), host="127.0.0.1", port=port, log_level="warning")


def fill() -> None:
    """Airflow's own rows, as its DAG processor would write them; Frederikshavn's DAG was never read by it."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.team import Team
    from airflow.utils.session import create_session

    with create_session() as session:
        for dag_id in ("aarhus", "randers", "ringkobing_skjern", "broken"):
            bundle = DagBundleModel(name=f"bundle_{dag_id}")
            bundle.teams = [Team(name=dag_id)]
            session.add(bundle)
            session.flush()
            session.add(DagModel(dag_id=dag_id, bundle_name=bundle.name, fileloc="municipalities.py"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
