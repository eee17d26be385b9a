"""STAR's side of the message: as strict as the facts say."""

import re
from pathlib import Path

import pytest
from lxml import etree

from connectors.star import message
from connectors.star.faults import FAULTS
from connectors.star.message import StarFault

CPR = "6101371234"  # a municipality's replacement number: nobody's

HEADERS = """
<o:ActiveOrganisationHeader xmlns:o="http://rep.oio.dk/ams.dk/xml/schemas/2005/09/01/">
  <o:OrganisationTypeIdentifier>8</o:OrganisationTypeIdentifier><o:OrganisationCode>73001</o:OrganisationCode>
</o:ActiveOrganisationHeader>
<u:RequestUserMetadata xmlns:u="http://service.bm.dk/pjaktass/2015/01/21/RequestUserStructure/">
  <u:RequestUserStructure><u:UserFullName>Samspil</u:UserFullName><u:UserIdentifier>samspil</u:UserIdentifier>
  <u:RequestUserTypeIdentifier>3</u:RequestUserTypeIdentifier></u:RequestUserStructure>
  <u:RegistrationDateTime>2026-04-30T15:06:58.9218786+02:00</u:RegistrationDateTime>
</u:RequestUserMetadata>"""

BODY = f"""
<s:CreateActivityRequest xmlns:s="urn:samspil:star:activity:1"><s:Activity>
  <s:ExternalIdentifier>AKT1</s:ExternalIdentifier>
  <s:PersonCivilRegistrationIdentifier>{CPR}</s:PersonCivilRegistrationIdentifier>
  <s:ActivationTypeIdentifier><s:CodeListItemIdentifier>30</s:CodeListItemIdentifier></s:ActivationTypeIdentifier>
  <s:ActivityTitle>Praktik på Åstedet</s:ActivityTitle>
  <s:AuthorityCode>730</s:AuthorityCode>
  <s:ProductionUnitIdentifier>1003730001</s:ProductionUnitIdentifier>
  <s:StartDate>2026-01-05</s:StartDate>
  <s:HoursPerWeek>37</s:HoursPerWeek>
</s:Activity></s:CreateActivityRequest>"""


def read(old="", new="", *, headers=HEADERS, body=BODY):
    """The valid request with one text replaced, read by STAR's side."""
    text = f'<e:Envelope xmlns:e="{message.SOAP}"><e:Header>{headers}</e:Header><e:Body>{body}</e:Body></e:Envelope>'
    assert old in text
    return message.request(message.envelope(text.replace(old, new).encode()))


def code_of(*arguments, **keywords):
    with pytest.raises(StarFault) as caught:
        read(*arguments, **keywords)
    return caught.value.code


def test_a_valid_request_is_read():
    request = read()

    assert (request.operation, request.organisation) == ("CreateActivity", "73001")
    assert request.body["Activity"]["ActivationTypeIdentifier"] == {"CodeListItemIdentifier": "30"}


def split_headers():
    organisation, user = HEADERS.split("</o:ActiveOrganisationHeader>")
    return f"{organisation}</o:ActiveOrganisationHeader>", user


def test_each_header_is_required_and_checked():
    organisation, user = split_headers()

    assert [code_of(headers=user), code_of(headers=organisation)] == [8232, 8234]
    assert [code_of(">73001<", ">7301<"), code_of(headers=organisation + HEADERS)] == [8233, 8233]
    assert [code_of(".9218786", ".921"), code_of(".9218786+02:00", ".9218786")] == [8235, 8235]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (CPR, "3213371234", 1001),
        (CPR, "613713412", 1001),
        (">37<", ">60<", 1014),
        (">37<", ">-1<", 1014),
        (">37<", ">7,4<", 1014),
        (">730<", ">-2<", 1014),
        (">730<", ">123456789<", 1014),
        (">1003730001<", ">1003730<", 1014),
        ("2026-01-05", "05-01-2026", 1014),
        ("<s:StartDate>2026-01-05</s:StartDate>", "", 1014),
        ("Praktik", "&lt;b&gt;Praktik&lt;/b&gt;", 4933),
        ("CreateActivityRequest", "CreateActivityResponse", 1014),
    ],
)
def test_a_broken_message_has_its_own_fault(old, new, code):
    assert code == code_of(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (CPR, "0000000000"),
        (CPR, "2102405AB1"),
        (">730<", ">-1<"),
        (">730<", ">29189668<"),
        (">37<", ">59<"),
        (">37<", ">7.40<"),
        ("Praktik", "Løn &lt; 100 kr."),
    ],
)
def test_what_the_pattern_allows_passes(old, new):
    assert read(old, new).operation == "CreateActivity"


def test_a_document_type_is_refused():
    bomb = b'<!DOCTYPE e [<!ENTITY a "aaaa">]><e>&a;</e>'

    with pytest.raises(StarFault) as caught:
        message.envelope(bomb)

    assert caught.value.code == 1014


def test_answers_and_faults_fit_the_contract():
    schema = etree.XMLSchema(etree.parse(Path(message.__file__).with_name("star.xsd")))
    body = f"{{{message.SOAP}}}Body/"
    answer = etree.fromstring(message.answer("GetActivity", {})).find(f"{body}*")
    faults = [etree.fromstring(message.fault(code)).find(f"{body}*/detail/*") for code in FAULTS]

    assert all(schema.validate(element) for element in [answer, *faults])


def test_the_readme_names_every_setting_fault_and_operation():
    folder = Path(message.__file__).parent
    readme = (folder / "README.md").read_text(encoding="utf-8")
    operations = set(re.findall(r'<wsdl:operation name="(\w+)"', (folder / "star.wsdl").read_text(encoding="utf-8")))

    assert not [name for name in operations if name not in readme]
