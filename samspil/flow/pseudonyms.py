"""The fields of a flow that leave as pseudonyms: put in the place of the value before the target's record is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from samspil.agreement import Flow
from samspil.agreement.place import wrong
from samspil.mapping.pairs import Resolution
from samspil.pseudonym import pseudonyms

if TYPE_CHECKING:
    from samspil.hub import Hub


class Hidden:
    """A flow's pseudonyms. ``hide`` gives the shared record with each of its fields replaced."""

    def __init__(self, hub: Hub, flow: Flow, target: Resolution) -> None:
        self.fields = flow.pseudonyms
        told = flow.agreement.pseudonyms
        assert told is not None  # noqa: S101  # only a flow with pseudonyms has them hidden
        self._pseudonym = pseudonyms(hub.vault, told.recipient, told.version)
        for pair in target.every():
            for name in {node.path for node in pair.ours}.intersection(self.fields):
                if pair.converter is None or not pair.converter.pseudonym:
                    demanded = f"as: {pair.converter.name}" if pair.converter else "a list"
                    raise wrong(
                        hub.file,
                        flow,
                        f"pseudonyms.fields[{told.fields.index(name)}]",
                        f"{flow.target} demands the {name} itself in {pair.names} ({demanded}), so it takes no "
                        "pseudonym; leave the field out, or choose another recipient",
                    )

    def hide(self, ours: Any) -> Any:
        """A copy of the record with pseudonyms in it; what is absent stays absent."""
        found = {name: getattr(ours, name) for name in self.fields}
        return msgspec.structs.replace(
            ours, **{name: self._pseudonym(value) for name, value in found.items() if value is not None}
        )
