"""A message is one line, whatever is named in it."""

import logging
import pickle

import pytest

from samspil.errors import AccessError, Refused, SettingsError, Unavailable

FORGED = "export.csv\n2026-11-22 02:00:00 INFO all is well\r\x1b[2J\x1b]0;x\x07\u202e\u2028\x85\ud800"


@pytest.mark.parametrize(
    "error",
    [
        SettingsError(FORGED, file=FORGED, line=3, field=FORGED),
        AccessError(FORGED, system=FORGED),
        Unavailable(FORGED, system=FORGED),
        Refused("bad-date", field=FORGED, hint=FORGED),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_name_begins_a_line_or_commands_a_terminal(error, caplog):
    logging.getLogger("samspil.test").warning("%s", error)
    (written,) = caplog.text.splitlines()
    assert written.isprintable()
    assert "export.csv\\u000a2026" in written
    assert str(error) == str(pickle.loads(pickle.dumps(error)))


def test_danish_letters_and_quotes_stay_as_they_are():
    assert "æøå: “Ærø” - 'x' \\ 🧪" in str(SettingsError("æøå: “Ærø” - 'x' \\ 🧪"))
