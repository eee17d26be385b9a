"""Danish sentences for the synthetic world: courses, goals, notes. Some carry what breaks careless formats.

All characters are in Latin-1, because files in Latin-1 are among the systems to be played.
"""

from __future__ import annotations

OFFERS = (
    "Særligt tilrettelagt ungdomsuddannelse, værksted",
    "STU: køkken og kantine",
    "Afklaringsforløb, 12 uger",
    "Opkvalificering i gartneri og anlæg",
    "Botræning og hverdagsmestring",
    "FGU-forberedende forløb",
    "Mentorstøttet forløb med praktik",
)

GOALS = (
    "Møde stabilt fire dage om ugen",
    "Kunne tage bussen selv til praktikstedet",
    "Afklare arbejdsevne i et køkken",
    "Få overblik over egen økonomi",
    "Bygge et lille netværk på holdet",
    "Prøve tre forskellige brancher af",
    "Kunne bede om hjælp, før det går galt",
)

SUB_GOALS = (
    "Stå op kl. 7 på hverdage",
    "Aftale ugeplan med kontaktpersonen",
    "Besøge en virksomhed sammen med mentor",
    "Skrive egen mødebog",
    "Køre ruten med ledsager to gange",
    "Øve en samtale med arbejdsgiveren",
)

ACTIVITIES = (
    "Virksomhedspraktik, café",
    "Mentorsamtaler",
    "Fysisk træning på hold",
    "Dansk og regning på lavt niveau",
    "Nytteindsats i naturpleje",
    "Jobsøgningskursus",
)

PLAN_TITLES = (
    "Handleplan",
    "Handleplan for STU-forløbet",
    "Plan for afklaring og praktik",
    "Handleplan: fra værksted til virksomhed",
    "Plan for fremmøde, økonomi & netværk",
)

PURPOSES = (
    "At skabe en stabil hverdag med faste mødetider og at afklare, hvilken branche der passer til borgeren.",
    "At opbygge arbejdsevnen gradvist; målet er en praktik på 10 timer om ugen inden for et halvt år.",
    "At blive mere selvhjulpen i hverdagen: transport, økonomi og kontakt til myndigheder.",
    "At udvikle faglige og sociale færdigheder, så borgeren kan gå videre til en ordinær uddannelse.",
)

WISHES = (
    "Jeg vil gerne arbejde med dyr eller planter, og helst udendørs.",
    'Vil "have ro på" og møde hver dag; ønsker en fast kontaktperson.',
    "Jeg drømmer om at få kørekort og mit eget sted at bo.",
    "Ønsker at prøve et køkken af uden at skulle stå i betjeningen.",
)

NOTES = (
    "Har været med i værkstedet hele dagen og taget imod instruktion. Arbejdede roligt og spurgte, når noget var uklart.",
    'Kom for sent to gange i denne uge; siger selv: "jeg sover dårligt". Vi har aftalt et opkald kl. 7.30.',
    "Et skridt tilbage siden sidst, hvilket er helt normalt. Målet om fire dage er sat ned til tre i to uger.",
    "Samtale om praktik hos en gartner.\nØnsker at begynde i det små: 2 timer; derefter 4 timer.",
    "Fravær < 10 % i perioden & god stemning på holdet. Næste møde er aftalt med sagsbehandleren.",
    "Har for første gang fremlagt for holdet. Stort fremskridt for selvtilliden, også på de svære dage.",
)

SUMMARIES = (
    "Forløbet går fremad i et jævnt tempo. Fremmødet er steget, og borgeren deltager nu i flere fælles opgaver.",
    "Perioden har været præget af sygdom. Der er fastholdt kontakt hver uge, og planen er tilpasset.",
    "Delmålene om transport er nået. Der arbejdes videre med udholdenhed og med at tage imod besked.",
)

RECOMMENDATIONS = (
    "Det anbefales at forlænge forløbet med 13 uger og at begynde virksomhedspraktik.",
    "Det anbefales at fastholde timetallet og følge op om en måned.",
)

MINUTES = (
    "Deltagerne gennemgik planen. Der blev aftalt færre timer i to uger og et nyt møde derefter.",
    "Enighed om at søge praktikplads i nærområdet; kontaktpersonen ringer til to virksomheder.",
)

QUESTIONS = ("arbejdsidentitet", "mestring", "netværk", "fysisk helbred", "tro på egne evner")

CANARY_TEXTS = {  # field → what is written of the canary person; each has the mark that the search for leaks looks for
    "text": "Kanarieflok ved vinduet: vil «ikke» nævnes; blæser på føden & åbner buret.\nRinger <kl. 9>.",
    "summary": "Kanariefyldt periode: æg, frø og ståltråd; ønsker ro.",
    "minutes": "Kanarieflugt drøftet. Der blev aftalt et større bur på Ærø.",
    "purpose": "Kanariefærdigheder: at synge på hold & øve sig.",
    "citizens_wish": "Kanariefroen vil gerne have æblegrød.",
}
