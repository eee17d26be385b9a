"""What a municipality's file may say about Airflow: whose workers do its tasks, and who sees and starts its DAG.

Nothing of Airflow is imported here; ``samspil.airflow.dag`` passes it on.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Queue = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")]
Role = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+\Z")]  # FAB takes any name


class InAirflow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``queue`` is the workers' (kø). ``read`` and ``operate`` are roles of Airflow's FAB auth manager.

    Who reads sees the DAG, its runs and our pages; who operates also starts, clears and pauses it and answers what it
    asks. A role must exist before it is named. Without both the DAG's rights are what Airflow has been told elsewhere.
    """

    queue: Queue | None = None
    read: tuple[Role, ...] = ()
    operate: tuple[Role, ...] = ()
