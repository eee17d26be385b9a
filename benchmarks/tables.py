"""The figures as tables, and the targets they are held against."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

Results = list[dict[str, Any]]

COMPARED = 100_000  # records at which the hub is also run without what protects and proves, some times each in turn

# (what, protocol, at how many records, at least): from the figures of peers measured side by side
TARGETS = (
    ("first night", "REST", 100_000, 8.0),
    ("first night", "SOAP", 100_000, 8.0),
    ("second night", "REST", 100_000, 40.0),
    ("second night", "SOAP", 100_000, 30.0),
)


def project(results: Results) -> None:
    """Give sizes at which the naive script was not run what it would take: its time grows with the records."""
    for result in results:
        if "naive_1" in result:
            continue
        known = [r for r in results if r["protocol"] == result["protocol"] and "naive_1" in r and "projected" not in r]
        if known:
            largest = max(known, key=lambda r: r["records"])
            times = result["records"] / largest["records"]
            result["projected"] = largest["records"]
            for night in ("naive_1", "naive_2"):
                result[night] = {"seconds": largest[night]["seconds"] * times, "memory": largest[night]["memory"]}


def ratios(results: Results) -> list[dict[str, Any]]:
    """Each target and what was reached; ``reached`` None where that size was not run."""
    found: list[dict[str, Any]] = []
    for what, protocol, count, least in TARGETS:
        night = 1 if what == "first night" else 2
        for result in _at(results, protocol, count):
            ratio = result[f"naive_{night}"]["seconds"] / _usual(result, night)
            found.append({"what": f"{what}, {protocol}: times the naive script", "target": least, "reached": ratio})
    for result in results:
        if result["records"] == COMPARED:
            cost = _usual(result, 2) / _usual(result, 1)
            what = f"{result['protocol']}: an unchanged record's cost, of a new one's"
            found.append({"what": what, "target": 0.25, "reached": cost, "at_most": True})
    for result in results:
        if "rounds" in result:
            found += [
                {
                    "what": f"{result['protocol']}, night {night}: throughput with protection and proof, of that without",
                    "target": 0.75,
                    "reached": _best(result["rounds"], "without", night) / _best(result["rounds"], "with", night),
                }
                for night in (1, 2)
            ]
    for protocol in dict.fromkeys(result["protocol"] for result in results):
        found += _memory(sorted((r for r in results if r["protocol"] == protocol), key=lambda r: r["records"]))
    return found


def _usual(result: dict[str, Any], night: int) -> float:
    """What the hub usually took, where it was run several times. The naive script runs too long to have lucky moments."""
    again = [each["with"][night - 1] for each in result.get("rounds", ())]
    return median(float(each["seconds"]) for each in (result[f"hub_{night}"], *again))


def _best(rounds: Results, way: str, night: int) -> float:
    return min(float(each[way][night - 1]["seconds"]) for each in rounds)


def reading(answers: Results) -> list[dict[str, Any]]:
    """The targets of reading one SOAP answer."""
    found: list[dict[str, Any]] = []
    for answer in answers:
        if answer["records"] == 50_000:
            ratio = answer["objects"]["seconds"] / answer["streamed"]["seconds"]
            found.append({"what": "one SOAP answer of 50,000: times zeep's objects", "target": 5.0, "reached": ratio})
    by_size = {answer["records"]: answer["streamed"]["memory"] + answer["streamed"]["imports"] for answer in answers}
    if {5_000, 500_000} <= by_size.keys():
        what = "one SOAP answer: peak memory, 500,000 of 5,000"
        reached = by_size[500_000] / by_size[5_000]
        found.append({"what": what, "target": 1.1, "reached": reached, "at_most": True})
    return found


def show(console: Console, results: Results, answers: Results) -> None:
    """Print everything."""
    if results:
        _show_nights(console, results)
    if answers:
        _show_answers(console, answers)
    targets = Table(title="Targets", title_justify="left")
    for column in ("what", "target", "reached", ""):
        targets.add_column(column, justify="right" if column in ("target", "reached") else "left")
    for ratio in [*ratios(results), *reading(answers)]:
        met = (ratio["reached"] <= ratio["target"]) if ratio.get("at_most") else (ratio["reached"] >= ratio["target"])
        sign = "≤" if ratio.get("at_most") else "≥"
        targets.add_row(ratio["what"], f"{sign} {ratio['target']:g}", f"{ratio['reached']:.2f}", "✓" if met else "✗")
    console.print(targets)


def _show_answers(console: Console, answers: Results) -> None:
    table = Table(title="One SOAP answer, read to decoded records", title_justify="left")
    for column in ("records", "hub s", "records/s", "MiB", "zeep s", "records/s", "MiB", "ratio"):
        table.add_column(column, justify="right")
    for answer in answers:
        count, own, objects = answer["records"], answer["streamed"], answer.get("objects")
        theirs: tuple[str, ...] = ("", "", "", "")
        if objects:
            theirs = (*_speed(objects, count), f"{objects['seconds'] / own['seconds']:.1f}")
        table.add_row(f"{count:,}", *_speed(own, count), *theirs)
    console.print(table)


def _speed(measure: dict[str, Any], count: int) -> tuple[str, str, str]:
    seconds, memory = measure["seconds"], measure["memory"]
    return f"{seconds:.2f}", f"{count / seconds:,.0f}", f"{memory:.0f}"


def _show_nights(console: Console, results: Results) -> None:
    table = Table(title="A night into PostgreSQL", title_justify="left", caption_justify="left")
    table.caption = (
        "1 % changed on the second night. Memory: peak above interpreter and imports, of both processes. ~ projected."
    )
    for column in ("", "records", "night", "hub s", "records/s", "MiB", "naive s", "records/s", "MiB", "ratio"):
        table.add_column(column, justify="left" if column in ("", "night") else "right")
    for result in results:
        for night in (1, 2):
            table.add_row(*_row(result, night), end_section=night == 2)
    console.print(table)


def _row(result: dict[str, Any], night: int) -> tuple[str, ...]:
    hub, naive, count = result[f"hub_{night}"], result.get(f"naive_{night}"), result["records"]
    mark, usual = "~" if "projected" in result else "", _usual(result, night)
    own = (f"{usual:.2f}", f"{count / usual:,.0f}", f"{hub['memory']:.0f}")
    theirs: tuple[str, ...] = ("", "", "", "")
    if naive:
        seconds = naive["seconds"]
        ratio = f"{mark}{seconds / usual:.1f}"
        theirs = (f"{mark}{seconds:.1f}", f"{count / seconds:,.0f}", f"{naive['memory']:.0f}", ratio)
    first = night == 1
    return (result["protocol"] if first else "", f"{count:,}" if first else "", "12"[night - 1], *own, *theirs)


def _memory(ordered: Results) -> list[dict[str, Any]]:
    found = []
    for small, large in pairwise(ordered):
        if large["records"] < 10 * small["records"] or small["records"] < 100_000:
            continue
        for night in ("hub_1", "hub_2"):
            whole = [r[night]["memory"] + r[night]["imports"] for r in (small, large)]
            what = f"{large['protocol']}: peak memory, {large['records']:,} of {small['records']:,}, night {night[-1]}"
            found.append({"what": what, "target": 1.1, "reached": whole[1] / whole[0], "at_most": True})
    for result in ordered:
        if result["records"] == 1_000_000:
            for night in ("hub_1", "hub_2"):
                what = f"{result['protocol']}: MiB at 1,000,000 above imports, night {night[-1]}"
                found.append({"what": what, "target": 150.0, "reached": result[night]["memory"], "at_most": True})
    return found


def _at(results: Results, protocol: str, count: int) -> Results:
    return [r for r in results if r["protocol"] == protocol and r["records"] == count and "naive_1" in r]
