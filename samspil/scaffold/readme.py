"""The README of a scaffold: what to do, in order, and what to ask the vendor."""

from __future__ import annotations

from collections.abc import Sequence

from samspil.scaffold.questions import COMMON

_TEXT = """\
# {title}

{made} Carries {schemas}.

## Next
1. List what is to decide: `samspil new connector {name} --open`. Write each decision in the place of its `!TODO "…"`;
   the text is the question, comments beside it are proposals. Until then `pytest tests/connectors/{name}` fails with
   exactly these lines, and nothing else.
2. Send the vendor the questions below; write the answers here.
3. {third}
4. Run `pytest tests/connectors/{name} --samspil-results connectors/conformance.json`: now every promise of the kit is
   tried over {wire} against the sandbox. `samspil connectors {name}` says what is missing for the next level.
5. Put the system into a municipality's file (`dags/municipalities/`), its connection into the environment, and run
   `samspil check`. Nothing else has to be registered.

## What is here
| file | what it is |
| --- | --- |
{files}
| `mappings/{name}/*.yaml` | how a record and ours become each other; every field of both sides is there |
| `tests/connectors/{name}/` | every promise of the conformance kit |

## The connection
{connection}

## The sandbox
{sandbox}

## To ask the vendor
{questions}
"""


def readme(
    name: str,
    title: str,
    *,
    made: str,
    schemas: Sequence[str],
    files: Sequence[tuple[str, str]],
    third: str,
    connection: str,
    sandbox: str,
    questions: Sequence[str],
    wire: str = "real HTTP",
) -> str:
    """The text. ``questions`` are those that this contract leaves open; what every system is asked comes after."""
    every = (*questions, *COMMON)
    return _TEXT.format(
        name=name,
        title=title,
        made=made,
        schemas=", ".join(f"`{schema}`" for schema in schemas),
        files="\n".join(f"| `{file}` | {what} |" for file, what in files),
        third=third,
        connection=connection,
        sandbox=sandbox,
        wire=wire,
        questions="\n".join(f"{number}. {text}" for number, text in enumerate(every, 1)),
    )
