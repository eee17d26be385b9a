"""Every parser against inputs that somebody mangled: ``make fuzz``.

Real samples (of the sandboxes' synthetic persons) are mutated by a seeded generator, and each input must end as
records, or be rejected, refused or stopped with a reason: no other exception, no hang, nothing lost. What a parser
gives is held against a second, independent look at the same input.
"""
