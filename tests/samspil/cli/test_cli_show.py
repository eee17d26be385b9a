"""What a terminal is given of texts that others wrote."""

import pytest

from samspil.cli import flows, show
from samspil.flow.preview import Change, FieldChange

NASTY = "a\nranders: all is well\r\x1b[2J\x1b]0;x\x07\x9b2J\u202eb"


@pytest.mark.parametrize("say", [show.line, show.problem, show.warning, show.note])
def test_a_system_s_text_cannot_command_the_terminal(say, capsys):
    say(NASTY)
    show.table(NASTY, ("a",), [(NASTY,)])
    said = "".join(capsys.readouterr())
    assert all(sign.isprintable() or sign == "\n" for sign in said)


@pytest.mark.parametrize("what", ["create", "update"])
def test_a_value_is_one_line_of_the_plan(what):
    change = Change(what, "key", [FieldChange("note", NASTY, NASTY)])
    assert 1 == len(str(flows._row(change)[2]).splitlines())
