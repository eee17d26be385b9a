# ruff: noqa: INP001  # Airflow's DAG folder is no package
"""One Airflow DAG per file in ``municipalities/``. A new municipality is a new file there, nothing else."""

from pathlib import Path

from samspil.airflow import municipality_dags

globals().update(municipality_dags(Path(__file__).parent / "municipalities"))
