"""What every connector promises, tried on this one."""

from datetime import date

import pytest

from connectors.course_catalogue import sandbox
from samspil.testing.conformance import Skip, Subject, conformance

pytestmark = pytest.mark.skipif(
    not (sandbox.TAPS / "tap-postgres" / "bin" / "tap-postgres").is_file(),
    reason="left out: the promises of course_catalogue, which needs the Singer tap tap-postgres; "
    "python3 tools/singer_peer.py installs it",
)
UNSEEN = "it is the tap that connects, a process of its own which has ended when a read or a check has"

test_conformance = conformance(
    Subject(
        "course_catalogue",
        sandbox.CourseCatalogueSandbox,
        skips=[Skip("closing_gives_everything_back", UNSEEN, date(2027, 6, 30))],
    )
)
