"""Recordings of a system's real traffic, replayed in place of its sandbox (optagelser). They hold no person and no secret.

::

    with Recorder("jobcenter", account, rules.load(Path("jobcenter.yaml"))) as recorder:
        connector = Jobcenter(recorder.account)
        ...                                      # read something
        recorder.save(Path("jobcenter.jsonl"))   # scrubbed and searched, or refused

    with RecordingSandbox(Path("jobcenter.jsonl")) as sandbox:
        connector = Jobcenter(sandbox.account)

The recorders that are there (vcrpy, betamax, mitmproxy, hoverfly) keep all that passes but what somebody thought of
filtering out. This one keeps only what a mapping, a contract or a rule tells to be harmless, and refuses the rest.
"""

from samspil.testing.recording.recorder import Recorder
from samspil.testing.recording.replay import RecordingSandbox
from samspil.testing.recording.rules import Rules, load

__all__ = ["Recorder", "RecordingSandbox", "Rules", "load"]
