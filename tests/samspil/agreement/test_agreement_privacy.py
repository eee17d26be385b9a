"""Pseudonyms, consent and reports in a municipality's file: what makes no sense is refused where it stands."""

from __future__ import annotations

import pytest

from samspil.agreement import load_municipality
from samspil.errors import SettingsError
from schemas import SCHEMAS

STU, NATIONAL = "purpose: courses", "purpose: reporting"
REPORT = "reports: [{name: r, source: jobcenter, schema: course_order, axes: [%s]}]"
REFUSED = [  # after which line, what stands there, the field named, some words of the message
    (NATIONAL, "pseudonyms: {recipient: moon, fields: [cpr]}", "agreements[1].pseudonyms.recipient", "not a party"),
    (NATIONAL, "pseudonyms: {recipient: star, fields: []}", "agreements[1].pseudonyms.fields", "length"),
    (NATIONAL, "pseudonyms: {recipient: star, fields: [cpr, cpr]}", "agreements[1].pseudonyms.fields[1]", "twice"),
    (NATIONAL, "pseudonyms: {recipient: star, fields: [colour]}", "agreements[1].pseudonyms.fields[0]", "no flow"),
    (NATIONAL, "pseudonyms: {recipient: star, fields: [kind]}", "agreements[1].pseudonyms.fields[0]", "no identifier"),
    (
        NATIONAL,
        "pseudonyms: {recipient: star, fields: [id]}",
        "agreements[1].flows[0].fields.jobcenter[1]",
        "CPR number",
    ),
    (NATIONAL, "pseudonyms: {recipient: star, fields: [cpr], version: 0}", "agreements[1].pseudonyms.version", ">= 1"),
    (
        NATIONAL,
        "pseudonyms: {recipient: star, fields: [cpr], rotation: kept}",
        "agreements[1].pseudonyms.rotation",
        "mapped or forgotten",
    ),
    (NATIONAL, "pseudonyms: {recipient: star, fields: [cpr], salt: a}", "agreements[1].pseudonyms", "unknown field"),
    (STU, "consent: {schema: person}", "agreements[0].consent.schema", "no flow"),
    (STU, "consent: {schema: course_order, field: start}", "agreements[0].consent.field", "yes-or-no"),
    (STU, "consent: {schema: attendance}", "agreements[0].consent.field", "yes-or-no"),
    (STU, "consent: {schema: course_order, without: [colour]}", "agreements[0].consent.without[0]", "carries colour"),
    (STU, "consent: {schema: course_order, without: all}", "agreements[0].consent.without", "record, or list"),
    (STU, REPORT % "{field: colour}", "agreements[0].reports[0].axes[0].field", "no field colour"),
    (STU, REPORT % "{field: cpr}", "agreements[0].reports[0].axes[0].field", "closed set"),
    (STU, REPORT % "{field: offer}", "agreements[0].reports[0].axes[0].field", "closed set"),
    (STU, REPORT % "{field: start}", "agreements[0].reports[0].axes[0]", "month, quarter or year"),
    (STU, REPORT % "{field: provider, by: month}", "agreements[0].reports[0].axes[0].by", "no date"),
    (STU, REPORT % "{field: provider}, {field: provider}", "agreements[0].reports[0].axes[1]", "twice"),
    (STU, REPORT % "{field: start, by: year, of: case}", "agreements[0].reports[0].axes[0].of", "does not point"),
    (STU, REPORT % "", "agreements[0].reports[0].axes", "length"),
    (
        STU,
        (REPORT % "{field: provider}").replace("r,", "r, smallest: 2,", 1),
        "agreements[0].reports[0].smallest",
        ">= 3",
    ),
    (
        STU,
        (REPORT % "{field: provider}").replace("jobcenter", "star"),
        "agreements[0].reports[0].source",
        "not a party",
    ),
    (
        STU,
        (REPORT % "{field: provider}").replace("course_order", "company"),
        "agreements[0].reports[0].schema",
        "persons",
    ),
]


@pytest.mark.parametrize(("after", "stands", "field", "words"), REFUSED)
def test_it_is_refused_at_its_line(write, changed, after, stands, field, words):
    path = write(changed(after, f"{after}\n    {stands}"))
    with pytest.raises(SettingsError, match=words) as caught:
        load_municipality(path, SCHEMAS)
    assert (caught.value.field, caught.value.file) == (field, str(path))
    line = path.read_text().splitlines()[caught.value.line - 1]
    assert stands in line or "flows" in field


def test_what_one_agreement_hides_another_may_not_tell(write, good):
    hiding = """\
  - name: research
    between: [jobcenter, star]
    purpose: research
    legal_basis: a third act
    pseudonyms: {recipient: star, fields: [cpr]}
    flows:
      - schema: placement
        from: jobcenter
        to: star
        rhythm: monthly
        fields: {jobcenter: [cpr, kind]}
"""
    with pytest.raises(SettingsError, match="in the open here, it hides nothing") as caught:
        load_municipality(write(good + hiding), SCHEMAS)
    assert caught.value.field == "agreements[1].flows[0].fields.jobcenter[1]"


def test_a_name_beside_a_pseudonym_is_refused(write, changed):
    text = changed("jobcenter: [id, cpr, provider, start, consent]", "jobcenter: [id, cpr, given_names]")
    text = text.replace(", consent: [true]}", "}").replace(
        STU, f"{STU}\n    pseudonyms: {{recipient: journal, fields: [cpr]}}"
    )
    with pytest.raises(SettingsError, match="given_names names the person") as caught:
        load_municipality(write(text), SCHEMAS)
    assert caught.value.field == "agreements[0].flows[0].fields.jobcenter[2]"


def test_what_depends_on_consent_waits_for_the_flow_that_carries_it(write, changed):
    said = f"{STU}\n    consent: {{schema: course_order}}"
    path = write(changed(STU, said).replace("        after: [jobcenter-course_order-journal]\n", ""))
    orders, attendance, activity = load_municipality(path, SCHEMAS).flows
    assert (orders.after, attendance.after, activity.after) == ((), ("jobcenter-course_order-journal",), ())
    assert (orders.consent.carries, attendance.consent.carries, activity.consent) == (True, False, None)
    assert attendance.consent.strict


def test_a_filter_on_consent_is_found_by_itself(write, good):
    orders, attendance, _ = load_municipality(write(good), SCHEMAS).flows
    assert (orders.consent.carries, attendance.consent.carries) == (True, False)
    assert not attendance.consent.strict


def test_what_may_leave_has_another_digest_with_another_key_or_rule(write, good, changed):
    def digests(stands):
        return [flow.digest for flow in load_municipality(write(stands), SCHEMAS).flows]

    plain = digests(good)
    told = [
        digests(changed(NATIONAL, f"{NATIONAL}\n    pseudonyms: {{recipient: star, fields: [cpr], version: {n}}}"))
        for n in (1, 2)
    ]
    assert len({plain[2], told[0][2], told[1][2]}) == 3
    assert told[0][:2] == plain[:2]
    strict = digests(changed(STU, f"{STU}\n    consent: {{schema: course_order}}"))
    assert strict[1] != plain[1]
    assert strict[2] == plain[2]
