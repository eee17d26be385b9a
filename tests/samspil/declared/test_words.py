"""The table of the words that kinds have in common says what their structs have, no more and no less."""

import re
from typing import get_args, get_type_hints

import msgspec
import pytest

from samspil import declared
from samspil.declared import settings
from samspil.declared.database.declaration import Declaration as Database
from samspil.declared.drop.declaration import Declaration as Drop
from samspil.declared.rest.declaration import Declaration as Rest
from samspil.declared.singer.declaration import Declaration as Singer
from samspil.declared.soap.declaration import Declaration as Soap

KINDS = {"rest": Rest, "soap": Soap, "drop": Drop, "singer": Singer, "database": Database}
FILES = "samspil.files."  # columns and lines are the contract of a file, whoever reads it


def table():
    """Word → the kinds that have it, as the docstring says."""
    lines = declared.__doc__.splitlines()
    rules = [n for n, line in enumerate(lines) if line.startswith("====")]
    first, second, third = re.finditer("=+", lines[rules[0]])
    found = {}
    for line in lines[rules[1] + 1 : rules[2]]:
        word = line[: second.start()].strip() or word  # noqa: F821 - a row goes on in the next line
        found.setdefault(word, []).extend(line[third.start() :].split())
        assert line[first.end() : second.start()].strip() == ""
    return found


def words(kind):
    """Every field of a declaration's structs but those of a setting, which is one struct for all."""
    found, waiting, seen = set(), [kind], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, msgspec.Struct) and one is not settings.Setting:
            if one in seen or one.__module__.startswith(FILES):
                continue
            seen.add(one)
            found |= {field.encode_name for field in msgspec.structs.fields(one)}
            waiting += get_type_hints(one, include_extras=True).values()
        waiting += get_args(one)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_has_the_words_that_a_kind_shares_with_another(kind):
    others = set().union(*(words(other) for name, other in KINDS.items() if name != kind))
    assert sorted(words(KINDS[kind]) & others) == sorted(word for word, kinds in table().items() if kind in kinds)


def test_each_word_is_there_once_with_kinds_that_exist():
    lines = [line.split()[0] for line in declared.__doc__.splitlines() if re.match(r"[a-z_]+  ", line)]
    assert len(lines) == len(set(lines)), "a word is there twice"
    for word, kinds in table().items():
        assert len(kinds) > 1, f"{word} is of one kind: say it in that kind's module"
        assert set(kinds) <= set(KINDS), word
        assert len(kinds) == len(set(kinds)), word
