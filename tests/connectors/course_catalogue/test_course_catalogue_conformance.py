"""What every connector promises, tried on this one."""

import pytest

from connectors.course_catalogue import sandbox
from samspil.testing.conformance import Subject, conformance

pytestmark = pytest.mark.skipif(
    not (sandbox.TAPS / "tap-postgres" / "bin" / "tap-postgres").is_file(),
    reason="left out: the promises of course_catalogue, which needs the Singer tap tap-postgres; "
    "python3 tools/singer_peer.py installs it",
)

test_conformance = conformance(Subject("course_catalogue", sandbox.CourseCatalogueSandbox))
