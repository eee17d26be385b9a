"""Samspil under Airflow: one DAG per municipality's file, made from the file alone.

This package and ``dags/`` and ``plugins/`` are all that imports Airflow. Importing the package itself does not:
``airflow.sdk`` takes seconds, and :func:`pools` is wanted on the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from samspil.airflow.pool import pools

if TYPE_CHECKING:
    from samspil.airflow.dag import municipality_dag, municipality_dags

APPROVE = "approve"  # the task of each flow that asks a person

__all__ = ["APPROVE", "municipality_dag", "municipality_dags", "pools"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from samspil.airflow import dag  # noqa: PLC0415  # the module that imports airflow.sdk

        return getattr(dag, name)
    raise AttributeError(name)
