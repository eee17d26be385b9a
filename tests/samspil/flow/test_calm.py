"""While bulk work is done the collector looks seldom and threads change often; afterwards all is as it was."""

import gc
import sys

import pytest

from samspil.flow.calm import calm


def settings():
    return gc.get_threshold(), sys.getswitchinterval()


def fail():
    with calm():
        raise LookupError


def test_it_holds_until_the_last_has_left_whatever_happens():
    before = settings()
    with calm():
        within = settings()
        with pytest.raises(LookupError):
            fail()
        assert settings() == within
    assert within[0] > before[0]
    assert within[1] < before[1]
    assert settings() == before
