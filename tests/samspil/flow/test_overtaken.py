"""A process stands still between two steps of the store while another goes on; then it wakes up with what it knew."""

from samspil import flow as steps
from samspil import ledger
from samspil.store import runs
from samspil.testing.plans import FLOW


def test_a_run_that_another_process_has_closed_is_not_closed_again_and_its_cursor_stays_behind(pair, monkeypatch):
    pair.centre.mode = "incremental"
    pair.centre.cursor = "1"
    pair.has("a1 x")
    run = pair.step("plan", FLOW, "night 1")
    pair.step("guard", run)
    pair.step("deliver", run)
    awake = steps._require_kept

    def overtaken(found):
        monkeypatch.setattr(steps, "_require_kept", awake)
        pair.step("reconcile", run)
        pair.centre.cursor = "2"
        pair.night("a1 y", key="night 2")
        awake(found)

    monkeypatch.setattr(steps, "_require_kept", overtaken)
    assert pair.step("reconcile", run).balances
    with pair.hub() as hub:
        number = hub.flow(FLOW).id
        with hub.store.transaction() as connection:
            assert runs.cursor(connection, number).endswith(" 2")
            closed = [batch for batch in ledger.batches(connection, "760") if b'"what":"reconcile"' in batch.context]
    assert len(closed) == 2
