"""The scaffold of a new connector: a folder made from a contract, with what nobody but a person can decide left open.

An open decision is spelled ``TODO`` in every file, with its question: ``paging: !TODO "how does the list end?"`` in YAML,
``raise TODO("how does one log in?")`` in Python. No loader takes it for a value: each refuses the file with the line and
the question.
"""

from __future__ import annotations

from samspil.scaffold.decisions import TODO, Decision, decisions

__all__ = ["TODO", "Decision", "decisions"]
