import io

from rich.console import Console

from samspil.mapping import table

SIGNED = """\
# system: Bestilling ↔ order

Version {version}

| Their field | Required | Our field | Dansk | Conversion | Code list | Note |
| --- | --- | --- | --- | --- | --- | --- |
| BestillingId | yes | id | nøgle | text |  |  |
| Borger.CPR | yes | cpr | personnummer | cpr |  |  |
| Borger.Navn |  | given_names + family_name | fornavne + efternavn | name_parts |  |  |
| Borger.Adresse.Vej | yes | address.street | vej | text |  |  |
| Borger.Adresse.By | yes | address.city | by | text |  |  |
| Gruppe | yes | group | målgruppe | code: 2.2 → 2; 2.3 → 3 | group |  |
| Periode.Start | yes | start | startdato | date |  |  |
| Periode.Slut |  | end | slutdato | date (format: dd-mm-yyyy) |  |  |
| Timer | yes | hours | timer | decimal_comma |  |  |
| Bestilt | yes | ordered_at | bestilt | timestamp |  |  |
| Deltager[] |  | participants[] | deltagere | text |  |  |
| Maal.Element[] |  | goals[] | mål | list |  |  |
| Maal.Element[].Id | yes | goals[].id | nøgle | text |  |  |
| Maal.Element[].Titel | yes | goals[].title | mål | text |  |  |
| Maal.Element[].Status | yes | goals[].status | status | code | status |  |
| Kilde.System | yes |  |  | constant samspil |  | always this value |
| InternNote |  |  |  |  |  | not exchanged: no legal basis to pass it on |
| Maal.Element[].Farve |  |  |  |  |  | not exchanged: says nothing |
|  |  | price_package | takstpakke |  |  | not exchanged: the system has no field for it |

For the one: ________________  Date: ____________

For the other: ________________  Date: ____________
"""


def test_the_table_to_sign_shows_every_field_of_both_sides(workshop):
    loaded = workshop.load()
    assert SIGNED.format(version=loaded.digest.hex()) == table.markdown(loaded)


def _printed(loaded):
    console = Console(width=250, file=io.StringIO(), record=True)
    console.print(table.table(loaded))
    return console.export_text()


def test_the_table_on_the_terminal_has_the_same_lines(workshop):
    loaded = workshop.load()
    assert len(table.lines(loaded)) == table.table(loaded).row_count
    text = _printed(loaded)
    for word in ("Borger.Navn", "personnummer", "2.2 → 2", "always this value", loaded.digest.hex()):
        assert word in text


def test_a_bar_in_a_text_does_not_break_the_table(workshop):
    loaded = workshop.edited("why: says nothing", 'why: "red | green"')
    assert r"red \| green" in table.markdown(loaded)


def test_square_brackets_are_no_markup(workshop):
    loaded = workshop.edited("why: says nothing", 'why: "[red] is a colour"')
    assert "[red] is a colour" in _printed(loaded)
    assert "Deltager[]" in _printed(loaded)
