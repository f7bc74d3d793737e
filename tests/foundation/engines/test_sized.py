"""The embedded PostgreSQL takes more of a larger machine, in a clinic that stays."""

import os
from pathlib import Path

import orjson
import pytest

from bedside.foundation.engines.postgres import buffers, sized
from bedside.foundation.errors import Invalid
from bedside.foundation.home import Home

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("gigabytes", "buffers"), [(0.25, "32MB"), (4, "256MB"), (64, "1024MB")])
def test_a_sixteenth_of_the_memory_within_bounds(gigabytes: float, buffers: str) -> None:
    assert sized(int(gigabytes * (1 << 30))) == {"shared_buffers": buffers}


def test_a_demo_stays_small(tmp_path: Path) -> None:
    homes = {}
    for demo in (True, False):
        home = tmp_path / str(demo)
        home.mkdir()
        (home / "bedside.json").write_bytes(orjson.dumps({"layout": 1, "version": "0.1.0", "demo": demo}))
        homes[demo] = Home(home).postgres.settings["shared_buffers"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert homes == {True: "32MB", False: sized(memory)["shared_buffers"]}


def test_what_an_operator_chose_instead() -> None:
    assert buffers("") == {}
    assert buffers("2048") == {"shared_buffers": "2048MB"}
    for words in ("15", "-1", "1GB", "1.5", "²", "9999999999"):
        with pytest.raises(Invalid) as refused:
            buffers(words)
        assert refused.value.where == "BEDSIDE_DATABASE_BUFFERS"
