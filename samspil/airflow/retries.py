"""Which errors Airflow tries again, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule

from samspil.errors import AccessError, GuardTripped, SamspilError, SettingsError, Unavailable

RETRIES = 5  # with the back-off below about an hour: longer than a restart, shorter than the night
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(minutes=30)

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
        """As the rules say, with the system's own wish (Retry-After) in the place of our back-off."""
        if isinstance(exception, Unavailable) and exception.retry_after is not None:
            delay = min(timedelta(seconds=max(exception.retry_after, 0)), LONGEST_DELAY)
            return RetryDecision.retry(delay, f"the system asks for a pause of {delay.total_seconds():.0f} s")
        return super().evaluate(exception, try_number, max_tries, context)
