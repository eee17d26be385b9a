"""A municipality's file, read and checked: its systems, its agreements, its flows and who owns which field.

Nothing heavy is imported here: Airflow's DAG parser reads these files every few seconds.
"""

from samspil.agreement.file import load_all, load_municipality
from samspil.agreement.terms import Agreement, Flow, Guard, Municipality, MunicipalityFile, SystemUse, Terms

__all__ = [
    "Agreement",
    "Flow",
    "Guard",
    "Municipality",
    "MunicipalityFile",
    "SystemUse",
    "Terms",
    "load_all",
    "load_municipality",
]
