"""What mapping a batch keeps of it."""

from samspil.errors import Refused

ATTENDANCE = "journal-attendance-jobcenter"


def test_a_refused_record_keeps_none_of_the_batch_in_memory(exchange):
    with exchange.hub() as hub:
        flow = hub.flow(ATTENDANCE)
        raws = [raw for page in flow.source.read("attendance") for raw in page.raws]
        refused = [one for one in flow.map(raws) if isinstance(one, Refused)]
    assert len(refused) == len(exchange.world.broken("attendance"))
    # A traceback holds frames, and the frame that collects the results holds the whole batch and this error.
    assert {(one.__traceback__, one.__context__, one.__cause__) for one in refused} == {(None, None, None)}
