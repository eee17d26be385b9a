"""Which files are the delivery to read; no server here."""

from __future__ import annotations

import time

import pytest

from samspil.errors import Unavailable
from samspil.files.arrival import Arrival, pattern
from samspil.sftp import RemoteFile

NOW = int(time.time())


def listed(*names: str, **ages: int) -> list[RemoteFile]:
    """Files as a server lists them; the ages (in hours) belong to the names in their order."""
    hours = [*ages.values(), *[0] * len(names)]
    return sorted(RemoteFile(name, 1, NOW - age * 3600) for name, age in zip(names, hours, strict=False))


def newest(name: str, files: list[RemoteFile], **options) -> list[str]:
    arrival = Arrival(name, system="list", **{"oldest": 72, **options})
    return [remote.name for remote in arrival.newest(files)[1]]


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        ("L_{date}.csv", ["L_20260101.csv", "L_20251231.csv", "M_20270101.csv", "L_2026010.csv"], ["L_20260101.csv"]),
        ("U{number}.txt", ["U9.txt", "U10.txt"], ["U10.txt"]),
        ("{date}_{number}.csv", ["20260101_2.csv", "20260101_10.csv"], ["20260101_10.csv"]),
        ("L_{date}{part}.csv", ["L_20260101.csv", "L_20260101_2.csv"], ["L_20260101.csv", "L_20260101_2.csv"]),
        ("alle.csv", ["alle.csv", "alle.csv.tmp"], ["alle.csv"]),
    ],
)
def test_the_newest_is_chosen_by_name(name, files, expected):
    assert expected == newest(name, listed(*files))


@pytest.mark.parametrize("there", [("", "_3"), ("_2",), ("_1", "_3"), ("", "_2", "_4")])
def test_a_part_that_is_missing_between_others_is_waited_for(there):
    with pytest.raises(Unavailable) as caught:
        newest("L_{date}{part}.csv", listed(*[f"L_20260101{part}.csv" for part in there]))
    assert "file-missing" == caught.value.reason


@pytest.mark.parametrize(
    "there", [("_001", "_002"), ("", "_1", "_2"), ("_0", "_1"), ("_1",), tuple(f"_{n}" for n in range(1, 12))]
)
def test_parts_may_be_numbered_as_the_sender_likes(there):
    assert len(there) == len(newest("L_{date}{part}.csv", listed(*[f"L_20260101{part}.csv" for part in there])))


def test_no_file_and_an_old_file_are_unavailable():
    for files, reason in ((listed("M.csv"), "file-missing"), (listed("L.csv", first=73), "export-too-old")):
        with pytest.raises(Unavailable) as caught:
            newest("L.csv", files)
        assert reason == caught.value.reason


def test_a_file_counts_when_its_companion_is_there():
    files = listed("L_20260101.csv", "L_20260101.csv.ok", "L_20260102.csv")
    assert ["L_20260101.csv"] == newest("L_{date}.csv", files, beside=".ok")
    assert ["L_20260102.csv"] == newest("L_{date}.csv", [*files, *listed("L_20260102.ok")], beside=".ok")


def test_a_delivery_of_which_one_part_has_no_companion_is_unfinished():
    files = listed("L_20260101.csv", "L_20260101.ok", "L_20260102.csv", "L_20260102_2.csv", "L_20260102.csv.ok")
    assert ["L_20260101.csv"] == newest("L_{date}{part}.csv", files, beside=".ok")


def test_what_was_replaced_goes_with_its_companions():
    files = listed("L_20260101.csv", "L_20260101.csv.md5", "L_20260102.csv", "L_20260102.csv.md5", "andet.csv")
    arrival = Arrival("L_{date}.csv", system="list", oldest=72, beside=".md5")
    stamp, _ = arrival.newest(files)
    assert ["L_20260101.csv", "L_20260101.csv.md5"] == arrival.before(files, stamp)


@pytest.mark.parametrize("name", ["L_{dato}.csv", "L_{date}_{date}.csv", "L{part}.csv"])
def test_a_name_that_cannot_work_is_refused(name):
    with pytest.raises(ValueError, match=r"\{"):
        pattern(name)
