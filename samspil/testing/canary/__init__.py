"""The search for the canary person: it looks wherever something that ran may have left a person, and must find nothing.

One citizen of every ``World`` has marks in number, names, street, e-mail and notes that nothing else has
(``samspil.testing.persons.canary``). ``search`` finds them in bytes, ``places`` looks through what a run left behind,
``session`` does it with every run of the tests, ``python -m samspil.testing.canary`` with a night, a scheduler and crashes.
"""
