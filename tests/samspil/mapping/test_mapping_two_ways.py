"""The generated functions beside slower ways of saying the same."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samspil.errors import Refused
from samspil.mapping import tracing

KEYS = ["BestillingId", "Borger", "CPR", "Navn", "Adresse", "Vej", "By", "Gruppe", "Periode", "Start", "Slut", "Timer"]
KEYS += ["Bestilt", "Deltager", "Maal", "Element", "Id", "Titel", "Status", "Farve", "InternNote", "Kilde", "Other"]
TEXTS = ["2.2", "9", "12", "open", "new", "2026-06-01", "20260601", "01-06-2026", "7,5", "1e3", "", "Bo Ib"]
TEXTS += ["2026-01-15T10:00:00.9218786+01:00", "2026-01-16 10:00:00Z", "6101800017", "0000000000", "610180AA17"]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=25),
    st.sampled_from(TEXTS),
    st.just([]),
    st.just({}),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(KEYS), st.text(max_size=3), max_size=3),
)
HITS = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["set", "drop", "add"]), VALUES), min_size=1, max_size=3)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hits=HITS, key=st.sampled_from(KEYS))
def test_the_generated_function_passes_what_tracing_passes(workshop, changed, hits, key):
    loaded = workshop.load()
    trace = tracing.Reading(loaded.resolution, loaded.on)
    record = changed()
    for place, action, value in hits:
        _hit(record, place, action, key, value)
    assert _outcome(trace, record) == _outcome(loaded.to_ours, record)
    assert _outcome(trace, record) == _outcome(_without_tracing(loaded.to_ours, trace), record)


REQUIRED = {"id", "cpr", "group", "start", "hours", "ordered_at"}
OPTIONAL = ["given_names", "family_name", "address", "end", "participants", "goals", "price_package"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(agreed=st.sets(st.sampled_from(OPTIONAL)), there=st.sets(st.sampled_from(OPTIONAL[:4])))
def test_what_is_not_agreed_is_written_as_if_it_were_not_there(workshop, changed, agreed, there):
    """Leaving a field out of the agreement gives the record of a person who has no such field."""
    loaded = workshop.load()
    ours = loaded.to_ours(changed())
    if not {"given_names", "family_name"} <= there:
        there -= {"given_names", "family_name"}  # half a name is refused; see test_mapping_write
    present = _without(ours, {*OPTIONAL[:4]} - there)
    kept = there & agreed
    if not {"given_names", "family_name"} <= kept:
        kept -= {"given_names", "family_name"}
    emptied = _without(ours, {*OPTIONAL[:4]} - kept)
    everything = loaded.to_theirs(REQUIRED | set(OPTIONAL))(emptied)
    lists = {"Deltager": "participants", "Maal": "goals"}
    expected = {key: value for key, value in everything.items() if lists.get(key, "id") in agreed | REQUIRED}
    assert expected == loaded.to_theirs(REQUIRED | agreed)(present)


def _without(ours: Any, names: set[str]) -> Any:
    return msgspec.structs.replace(ours, **dict.fromkeys(names))


def _outcome(read: Any, record: Any) -> Any:
    try:
        return read(record)
    except Refused as refused:
        return (refused.reason, refused.field)


def _without_tracing(read: Any, trace: Any) -> Any:
    """The generated function, failing if it passes a record that tracing refuses."""

    def checked(record: Any) -> Any:
        given_up: list[Any] = []
        read.__globals__["TRACE"] = given_up.append
        try:
            result = read(record)
        finally:
            read.__globals__["TRACE"] = trace
        return trace(record) if given_up else result

    return checked


def _hit(record: Any, place: int, action: str, key: str, value: Any) -> None:
    """Damage one place of the record, counted through its depth."""
    holders: list[tuple[Any, Any]] = []

    def collect(node: Any) -> None:
        for at, item in list(node.items() if isinstance(node, dict) else enumerate(node)):
            holders.append((node, at))
            if isinstance(item, dict | list):
                collect(item)

    collect(record)
    if not holders:
        return
    holder, at = holders[place % len(holders)]
    if action == "drop":
        del holder[at]
    elif action == "add" and isinstance(holder, dict):
        holder[key] = value
    else:
        holder[at] = value
