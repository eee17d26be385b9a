"""Which errors Airflow tries again, and when."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule

from samspil.errors import AccessError, GuardTripped, SamspilError, SettingsError, Unavailable

RETRIES = 5  # with the back-off below about an hour: longer than a restart, shorter than the night
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(minutes=30)
LONGEST_WISH = timedelta(hours=6)  # a longer pause than this is the next night's: no night may hold up the next

_STOP = {
    SettingsError: "a file or setting must be corrected",
    AccessError: "credentials, a certificate or a permission must be renewed",
    GuardTripped: "a person decides whether the plan may be carried out",
    SamspilError: "trying again would end the same way",
}


class RetryByKind(ExceptionRetryPolicy):
    """Stop at what only a person can mend; try again what the system may mend, when it says so itself.

    Everything else is an error of ours and follows Airflow's own rule: ``RETRIES`` with back-off.
    """

    def __init__(self) -> None:
        super().__init__(
            [RetryRule(Unavailable, RetryAction.RETRY, reason="the system does not answer; trying again")]
            + [RetryRule(kind, RetryAction.FAIL, reason=reason) for kind, reason in _STOP.items()]
        )

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """As the rules say, but never before the time that the system itself has named (Retry-After)."""
        if isinstance(exception, Unavailable) and exception.retry_after is not None:
            wish = max(exception.retry_after, 0)
            if wish > LONGEST_WISH.total_seconds():
                return RetryDecision.fail("the system asks for a pause that is longer than the night")
            delay = max(timedelta(seconds=math.ceil(wish)), FIRST_DELAY)
            return RetryDecision.retry(delay, f"the system asks for a pause of {wish:.0f} s")
        return super().evaluate(exception, try_number, max_tries, context)
