"""The records of one answer as raw bytes, with what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from samspil.connector import Rejected
from samspil.cut import RecordShape
from samspil.declared.soap.declaration import Call
from samspil.declared.soap.service import Service
from samspil.soap import Reading


class Answer(NamedTuple):
    """``beside`` has the small fields, and whether the answer was well-formed to its end."""

    raws: list[bytes]
    keys: list[bytes]
    rejected: list[Rejected]
    beside: Reading


class Source(NamedTuple):
    """Where one schema's records come from."""

    service: Service
    shape: RecordShape

    def ask(self, call: Call, given: Mapping[str, Any]) -> Answer:
        """One answer. Raises as ``Soap.read``."""
        answer = Answer([], [], [], self.service.read(call, self.shape, given))
        for slices in answer.beside:
            answer.raws.extend(slices.raws)
            answer.keys.extend(slices.keys)
            answer.rejected.extend(slices.rejected)
        return answer
