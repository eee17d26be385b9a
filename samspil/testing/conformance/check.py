"""Check: reach the system and log in, changing nothing; each trouble an error of its own."""

from __future__ import annotations

from msgspec.structs import replace

from samspil.errors import AccessError, Unavailable
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.stranger import Stranger
from samspil.testing.conformance.trial import Trial, attempt


@promise()
def check_succeeds(trial: Trial) -> None:
    """With the right account and a healthy system, check is content, also the second time."""
    connector = trial.connector()
    connector.check()
    connector.check()


@promise(needs={"network"})
def check_reaches_the_system(trial: Trial) -> None:
    """Check asks the system itself; a check that calls nobody says nothing."""
    trial.connector().check()
    require(trial.sandbox.calls, "the system was not called")


@promise()
def check_changes_nothing(trial: Trial) -> None:
    """Check leaves what the system holds as it was."""
    writes = trial.subject.connector.writes
    for schema in writes:
        trial.write(schema, trial.puts(schema))
    before = {schema: trial.held(schema) for schema in writes}
    puts = {schema: trial.sandbox.kept[schema].puts.total() for schema in writes}
    trial.connector().check()
    for schema in writes:
        require(trial.held(schema) == before[schema], f"check changed what is held of {schema}")
        require(trial.sandbox.kept[schema].puts.total() == puts[schema], f"check wrote {schema}")


@promise(needs={"network", "password"})
def wrong_credentials_are_an_access_error(trial: Trial) -> None:
    """A wrong password is an AccessError: a person must renew it, trying again cannot help."""
    account = replace(trial.account, password="not-the-password-0")  # noqa: S106 - a wrong one on purpose
    outcome = attempt(trial.connector(account).check)
    require(outcome.error is not None, "check was content with a wrong password")
    require(isinstance(outcome.error, AccessError), f"a wrong password was a {type(outcome.error).__name__}")


@promise(needs={"expired-certificate"})
def an_expired_certificate_is_an_access_error(trial: Trial) -> None:
    """A certificate of ours that has run out is an AccessError that says so."""
    outcome = attempt(trial.connector(trial.sandbox.expired_account()).check)
    require(isinstance(outcome.error, AccessError), f"it was {type(outcome.error).__name__}")
    reason = outcome.error.reason if outcome.error else ""
    require("certificate" in reason, f"the reason {reason!r} does not speak of the certificate")


@promise(needs={"http"})
def an_unknown_certificate_is_not_trusted(trial: Trial) -> None:
    """A system whose certificate nobody known to us has signed is told, and hears nothing: no credentials, no persons."""
    with Stranger() as stranger:
        account = replace(trial.account, conn_type="https", port=stranger.port)
        outcome = attempt(trial.connector(account).check)
        require(not stranger.heard, "a system with a certificate of its own making was believed")
        require(outcome.error is not None, "check was content with a system that it must not believe")


@promise(needs={"network"})
def a_system_that_is_down_is_unavailable(trial: Trial) -> None:
    """A host that does not answer is Unavailable, to be tried again, and no fault of the account."""
    trial.sandbox.stop()
    outcome = attempt(trial.connector().check)
    require(outcome.error is not None, "check was content though nobody was there")
    require(isinstance(outcome.error, Unavailable), f"it was {type(outcome.error).__name__}")


@promise(needs={"http"})
def no_permission_is_an_access_error(trial: Trial) -> None:
    """Status 403 is an AccessError: a person must see to it."""
    trial.sandbox.faults.add("status:403", times=20)
    outcome = attempt(trial.connector().check)
    require(outcome.error is not None, "check was content with status 403")
    require(isinstance(outcome.error, AccessError), f"status 403 was {type(outcome.error).__name__}")


@promise(needs={"network"})
def it_recovers_by_itself(trial: Trial) -> None:
    """When the system is back, the same connector works again."""
    connector = trial.connector()
    connector.check()
    trial.sandbox.stop()
    attempt(connector.check)
    trial.sandbox.start()
    outcome = attempt(connector.check)
    if outcome.error is not None:  # a connection kept from before may be found dead once
        outcome = attempt(connector.check)
    require(outcome.error is None, f"the system is back, and check raised: {outcome.error}")


@promise(needs={"network"})
def an_error_names_a_stable_reason(trial: Trial) -> None:
    """What goes wrong has a reason in kebab-case, the same each time, for counting and filtering."""
    reasons = []
    trial.sandbox.stop()
    for _ in range(2):
        outcome = attempt(trial.connector().check)
        if outcome.error is not None:
            reasons.append(outcome.error.reason)
    kebab = [reason for reason in reasons if reason and reason == reason.lower() and not set(reason) & set(" _.:")]
    require(kebab == reasons, f"not in kebab-case: {', '.join(sorted(set(reasons) - set(kebab)))}")
    require(len(set(reasons)) <= 1, f"the same trouble had the reasons {', '.join(sorted(set(reasons)))}")
