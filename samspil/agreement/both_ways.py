"""What a schema that goes both ways within one agreement must fulfil beyond what each of its flows must."""

from __future__ import annotations

from typing import Any

import msgspec

from samspil.agreement.terms import WrittenAgreement, WrittenFile, WrittenFlow, opposite
from samspil.yamlfile import YamlFile


def check_two_way(
    file: YamlFile[WrittenFile], at: str, flow: WrittenFlow, agreement: WrittenAgreement, schema: Any
) -> None:
    """Raise SettingsError unless the flow and its way back together make whole records; nothing if there is none.

    ``at`` is the path of the flow's fields. A side lists a field that the other owns when it may send it all the
    same: in a record of its own making, or because a person settled a conflict so.
    """
    other = opposite(flow, agreement.flows)
    if other is None:
        return
    if "id" not in flow.fields_sent:
        raise file.error(f"list id: {flow.schema} goes both ways, and by its id a record is known again", at=at)
    for owner, owned in flow.fields.items():
        for index, name in enumerate(owned):
            if owner == flow.target and name not in other.fields_sent:
                here = f"{at}.{owner}[{index}]"
                raise file.error(f"{owner} owns {name} but does not send it: list it in {other.name}", at=here)
    for field in msgspec.structs.fields(schema):
        if field.required and field.name not in flow.fields_sent | other.fields_sent:
            raise file.error(f"list {field.name}: {flow.schema} goes both ways and must have it", at=at)
