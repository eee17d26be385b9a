"""What the pages say, in Danish and English."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_DENMARK = ZoneInfo("Europe/Copenhagen")

_WORDS: Mapping[str, tuple[str, str]] = {  # name → Danish, English
    "overview": ("Samspil i nat", "Samspil last night"),
    "overview_lead": ("Hvert flows seneste kørsel, og hvad der skal gøres nu.", "Each flow's latest run, and what to do now."),
    "as_of": ("Set {when}", "As of {when}"),
    "back": ("Alle kommuner", "All municipalities"),
    "done_by": ("færdig kl. {time}", "done by {time}"),
    "nobody": ("Der er ingen kommuner, som du må se.", "There is no municipality that you may see."),
    "unusable": ("Kommunens fil kan ikke bruges. Intet kører, før den er rettet:", "The municipality's file cannot be used. Nothing runs until it is mended:"),
    "no_store": ("Lageret svarer ikke, så kørslerne kan ikke vises.", "The store does not answer, so the runs cannot be shown."),
    "no_key": (
        "Planen kan ikke vises: Airflows API-server skal have SAMSPIL_KEY og kommunens forbindelser.",
        "The plan cannot be shown: Airflow's API server needs SAMSPIL_KEY and the municipality's connections.",
    ),
    "not_found": ("Siden findes ikke, eller du må ikke se den.", "There is no such page, or you may not see it."),
    # totals of the overview
    "stopped": ("venter på en person", "waiting for a person"),
    "held": ("med poster holdt tilbage", "with records held back"),
    "waiting": ("i gang eller ikke begyndt", "under way or not begun"),
    "fine": ("i orden", "in order"),
    # columns
    "flow": ("Flow", "Flow"),
    "run": ("Kørsel", "Run"),
    "state": ("Tilstand", "State"),
    "started": ("Startet", "Started"),
    "read": ("Læst", "Read"),
    "unchanged": ("Uændret", "Unchanged"),
    "filtered": ("Frasorteret", "Filtered"),
    "withheld": ("Uden samtykke", "No consent"),
    "withheld_why": ("Af de frasorterede: borgeren har ikke samtykket", "Of what was filtered: the citizen has not consented"),
    "delivered": ("Afleveret", "Delivered"),
    "deleted": ("Slettet", "Deleted"),
    "held_back": ("Holdt tilbage", "Held back"),
    "blocked": ("Udelukket", "Blocked"),
    "blocked_why": ("Personen er slettet og tages ikke ind igen", "The person was erased and is not taken in again"),
    "balance": ("Stemmer", "Balance"),
    "next_step": ("Næste skridt", "Next step"),
    "balanced": ("hver læst post er gjort rede for", "every record read is accounted for"),
    "unbalanced": ("poster mangler i regnskabet", "records are unaccounted for"),
    "not_known": ("kan ikke siges endnu", "cannot be said yet"),
    # states of a run
    "never": ("aldrig kørt", "never run"),
    "planning": ("læser", "reading"),
    "planned": ("planlagt", "planned"),
    "tripped": ("stoppet af værnet", "stopped by the guard"),
    "approved": ("afleverer", "delivering"),
    "done": ("færdig", "done"),
    "dropped": ("droppet", "dropped"),
    # next steps
    "step_first": ("Første nat er ikke kørt. Se, hvad den ville gøre:", "Its first night has not been. See what it would do:"),
    "step_decide": (
        "Planen er større, end aftalen tillader: {updates} ændringer og {deletions} sletninger af {held_by_target}. Intet er sendt. Svar i Airflow (Required actions) eller:",
        "The plan is larger than the agreement allows: {updates} changes and {deletions} deletions of {held_by_target}. Nothing was sent. Answer in Airflow (Required actions), or:",
    ),
    "step_unbalanced": ("Regnskabet stemmer ikke. Se loggen for opgaven reconcile:", "It does not balance. See the log of the task reconcile:"),
    "step_reading": ("Kilden bliver læst nu", "The source is being read now"),
    "step_delivering": ("Der bliver afleveret nu", "It is being delivered now"),
    "step_not_read": ("Kilden blev ikke læst færdig. Kan systemerne nås?", "The source was not read to its end. Can the systems be reached?"),
    "step_not_delivered": (
        "{unsent} er ikke afleveret, siden {since}. Kan systemerne nås?",
        "{unsent} not delivered, since {since}. Can the systems be reached?",
    ),
    "step_away": (
        "{system} har ikke svaret siden {since}; {unsent} venter og sendes af sig selv. Prøv nu:",
        "{system} has not answered since {since}; {unsent} wait and go by themselves. Try now:",
    ),
    "step_late": ("Ikke kørt, da det skulle. Kan systemerne nås?", "It did not run when due. Can the systems be reached?"),
    "step_dropped": ("Planen blev droppet, og intet er sendt. Den næste nat planlægger forfra; eller nu:", "The plan was dropped and nothing sent. The next night plans afresh; or now:"),
    "step_held": ("{held_back} holdes tilbage. Se hvorfor:", "{held_back} held back. See why:"),
    "step_none": ("Intet at gøre", "Nothing to do"),
    # what a system's access rests on and will run out
    "expiring_certificate": ("vores certifikat", "our certificate"),
    "expiring_signing_certificate": ("vores certifikat til signering", "our signing certificate"),
    "expiring_ca": ("modpartens udsteder", "the other side's authority"),
    "expiring_signer_ca": ("udstederen af modpartens signatur", "the authority of the other side's signature"),
    "expiring_signer_certificates": ("modpartens certifikat til signering", "the other side's signing certificate"),
    "expiring_crl": ("spærrelisten", "the revocation list"),
    "expires": ("udløber {when}, om {days} dage.", "runs out on {when}, in {days} days."),
    "expires_today": ("udløber {when}, inden for et døgn.", "runs out on {when}, within a day."),
    "expired": ("udløb {when}: forbindelsen afvises.", "ran out on {when}: no connection is made."),
    "expiring_do": (
        "Skaf en ny fil, og læg den samme sted. Set ved tjekket {seen}; tjek igen:",
        "Get a new file and put it in the same place. Seen by the check of {seen}; check again:",
    ),
    # one flow
    "from_to": ("Fra {source} til {target}", "From {source} to {target}"),
    "purpose": ("Formål", "Purpose"),
    "legal_basis": ("Hjemmel", "Legal basis"),
    "rhythm": ("Rytme", "Rhythm"),
    "guard": ("Værn", "Guard"),
    "guard_text": ("højst {changes} % ændringer og {deletions} % sletninger uden en person", "at most {changes} % changes and {deletions} % deletions without a person"),
    "nightly": ("hver nat", "every night"),
    "weekly": ("hver uge", "every week"),
    "monthly": ("hver måned", "every month"),
    "on-change": ("ved ændring", "on change"),
    "last_runs": ("De seneste kørsler", "The latest runs"),
    "chart": ("Poster pr. kørsel, ældste til venstre", "Records per run, oldest to the left"),
    "at_most": ("højst {number}", "at most {number}"),
    "incomplete": ("Kilden kunne ikke læses helt, så intet blev slettet.", "The source could not be read in full, so nothing was deleted."),
    "held_now": ("Holdt tilbage nu", "Held back now"),
    "held_none": ("Intet holdes tilbage.", "Nothing is held back."),
    "reason": ("Årsag", "Reason"),
    "stage": ("Trin", "Stage"),
    "records": ("Poster", "Records"),
    "since": ("Ældste fra", "Oldest from"),
    "stage_read": ("læsning", "reading"),
    "stage_map": ("oversættelse", "mapping"),
    "stage_plan": ("plan", "planning"),
    "stage_deliver": ("aflevering", "delivery"),
    # a plan that waits for a person
    "plan": ("Plan", "Plan"),
    "plan_why": ("Hvorfor den venter", "Why it waits"),
    "plan_counts": (
        "{read} læst; {creates} nye, {updates} ændringer og {deletions} sletninger; modtageren har {held_by_target}.",
        "{read} read; {creates} new, {updates} changes and {deletions} deletions; the target holds {held_by_target}.",
    ),
    "smallest_read": ("sletter ikke selv, hvis der læses under {percent} % af sidst", "deletes nothing by itself if less than {percent} % of last time is read"),
    "plan_changes": ("Ændringer, felt for felt", "Changes, field by field"),
    "plan_few": ("de første {number}: sletninger, ændringer, nye", "the first {number}: deletions, changes, new ones"),
    "plan_empty": ("Planen ændrer intet.", "The plan changes nothing."),
    "plan_no_fields": ("Felterne kan ikke vises her:", "The fields cannot be shown here:"),
    "what": ("Hvad", "What"),
    "what_create": ("opret", "create"),
    "what_update": ("ret", "update"),
    "what_delete": ("slet", "delete"),
    "record": ("Post", "Record"),
    "field": ("Felt", "Field"),
    "before": ("Før", "Before"),
    "after": ("Efter", "After"),
    "hidden": ("(skjult)", "(hidden)"),
    "no_runs": ("Flowet har aldrig kørt.", "The flow has never run."),
}  # fmt: skip

_MONTHS = (
    ("jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
    ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


class Words:
    """One language: its words by name, its numbers and its times. ``code`` is ``da`` or ``en``."""

    def __init__(self, code: str) -> None:
        self.code = "en" if code == "en" else "da"
        self._at = int(self.code == "en")

    @classmethod
    def from_environment(cls) -> Words:
        """``SAMSPIL_LANGUAGE``: ``en``; anything else, or nothing, is Danish."""
        return cls(os.environ.get("SAMSPIL_LANGUAGE", "da"))

    def __call__(self, name: str, /, **values: object) -> str:
        """The word, with whole numbers written as the language writes them. Raises KeyError if there is none."""
        shown = {key: self.number(value) if isinstance(value, int) else value for key, value in values.items()}
        return _WORDS[name][self._at].format(**shown)

    def number(self, number: int) -> str:
        """12.345 in Danish, 12,345 in English."""
        text = f"{number:,}"
        return text if self.code == "en" else text.replace(",", ".")

    def moment(self, seconds: float) -> str:
        """Seconds since 1970 as local Danish time: ``22. nov 02:00``."""
        local = datetime.fromtimestamp(seconds, UTC).astimezone(_DENMARK)
        return f"{self.day(seconds)} {local:%H:%M}"

    def date(self, seconds: float) -> str:
        """The day with its year: ``22. nov 2026``."""
        return f"{self.day(seconds)} {datetime.fromtimestamp(seconds, UTC).astimezone(_DENMARK).year}"

    def day(self, seconds: float) -> str:
        """The same without the time of day."""
        local = datetime.fromtimestamp(seconds, UTC).astimezone(_DENMARK)
        month = _MONTHS[self._at][local.month - 1]
        return f"{local.day} {month}" if self.code == "en" else f"{local.day}. {month}"
