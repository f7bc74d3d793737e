"""A large import over several processes: what one process would have kept, refused and told, in the file's order."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.app import import_records, lanes
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errand import Errand
from bedside.foundation.errors import Unavailable
from bedside.foundation.settings import Ground, Settings
from bedside.records import settings
from bedside.records.service import import_lanes
from bedside.records.service.import_files import lines
from bedside.records.service.import_lanes import keep_all, opened

pytestmark = pytest.mark.engine

EACH = 20


@pytest.fixture
async def spread(ctx: Ctx, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ctx]:
    """Even small imports go over two lanes, some resources at a time."""
    monkeypatch.setattr(import_lanes, "SPREAD", 0)
    monkeypatch.setattr(import_lanes, "EACH", EACH)
    home = tmp_path / "home"
    home.mkdir()
    lanes.settle(Ground(Settings(home, database_url, ""), ctx.database, ctx.bus, ctx.clock))
    made = settings.lanes_of(ctx.database)
    assert made is not None
    settings.use_lanes(ctx.database, settings.Lanes(2, made.start))
    yield ctx


def _file(folder: Path, resources: list[Any]) -> Path:
    path = folder / "some.ndjson"
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in resources))
    return path


def _reading(n: int, **more: Any) -> dict[str, Any]:
    return {**pulse("ada", 40 + n % 90), "id": f"o{n}", **more}


async def _found(ctx: Ctx, type_: str, id_: str) -> dict[str, Any]:
    async with access.work(ctx, "look") as inner:
        return await records.read(inner, type_, id_)


async def test_whatever_is_in_the_file(spread: Ctx, tmp_path: Path) -> None:
    many = [patient("ada"), *(_reading(n) for n in range(150))]
    many[60] = "{nonsense"
    many[61] = {**_reading(60), "status": "nonsense"}
    many[62] = '{"resourceType": "Patient", "id": "twice", "id": "twice"}'
    many += [_reading(7, status="amended"), _reading(7, status="corrected"), {**_reading(0), "id": "a b"}]
    told: list[int] = []
    path = _file(tmp_path, many)
    report = await records.load(spread, path, told.append)
    assert [(one.at, one.what) for one in report.refused] == [
        (61, "line"),
        (62, "Observation/o60"),
        (63, "Patient/twice"),
        (154, "Observation/a b"),
    ]
    assert (report.made["Patient"], report.made["Observation"], report.changed["Observation"]) == (1, 147, 2)
    assert sum(told) == path.stat().st_size
    assert len(told) > 3
    assert (await _found(spread, "Observation", "o7"))["status"] == "corrected"
    async with access.work(spread, "look") as inner:
        assert len(await records.history(inner, "Observation", "o7")) == 3
        assert len((await records.search(inner, "Observation", {"patient": "ada", "_count": "1000"})).entries) == 147
    # The audit says who did it, and whom it concerned: each transaction has its entry.
    async with spread.database.connection() as sql:
        entries = await sql.fetch("select * from access.audit where action = 'imported resources' and wrote")
    assert len(entries) > 5
    assert {one["actor"] for one in entries} == {spread.actor.id}
    assert all(one["patients"] == {"ada": "C"} or set(one["patients"]) == {"ada"} for one in entries)
    again = await records.load(spread, path)
    assert (again.made.total(), again.same["Observation"], len(again.refused)) == (0, 146, 4)


@pytest.mark.parametrize("order", [1, -1])
async def test_what_refers_to_what_comes_later(
    spread: Ctx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    """Under enforced references, and by criteria: what stands before it in the file, or beside it, is always found."""
    monkeypatch.setenv("BEDSIDE_REFERENCES", "enforce")  # a lane reads what its parent was told
    settings.use(spread.database, settings.Settings(references="enforce"))
    named = patient("ada", identifier=[{"system": "urn:x", "value": "1"}])
    pairs = [[patient(f"p{n}"), _reading(n, subject={"reference": f"Patient/p{n}"})] for n in range(15)]
    many = [one for pair in pairs for one in pair[::order]]
    many += [_reading(900, subject={"reference": "Patient?identifier=urn:x|1"}), named][::-order]
    lost = [
        _reading(901, subject={"reference": "Patient/nobody"}),
        _reading(902, subject={"reference": "Patient?_id=no"}),
    ]
    report = await records.load(spread, _file(tmp_path, [*many, *lost]))
    assert [one.what for one in report.refused] == ["Observation/o901", "Observation/o902"]
    assert report.kept == 32
    assert (await _found(spread, "Observation", "o900"))["subject"]["reference"] == "Patient/ada"


async def test_a_client_imports_what_it_may(spread: Ctx, tmp_path: Path) -> None:
    """A lane works for whoever asked, with that one's scopes."""
    actor = Actor("client", "c", "a client", scopes=frozenset({"system/Patient.cu"}))
    report = await records.load(spread.with_(actor=actor), _file(tmp_path, [patient("ada"), _reading(1)]))
    assert (dict(report.made), [one.what for one in report.refused]) == ({"Patient": 1}, ["Observation/o1"])


async def test_a_lane_that_is_killed(spread: Ctx, tmp_path: Path) -> None:
    """It is said, nothing is called refused, and what was told of is kept: from there another begins."""
    path = _file(tmp_path, [_reading(n) for n in range(400)])
    done, started = [], []
    made = settings.lanes_of(spread.database)
    assert made is not None

    async def start(ctx: Ctx) -> settings.Errand:
        errand = await made.start(ctx)
        assert isinstance(errand, Errand)
        started.append(errand)
        return errand

    settings.use_lanes(spread.database, settings.Lanes(2, start))
    with pytest.raises(Unavailable, match="A part of the program ended"):
        async with opened(spread, path.stat().st_size) as open_, AsyncExitStack() as stack:
            steps = keep_all(open_, path.name, lines(path, 2 * EACH))
            stack.push_async_callback(steps.aclose)
            async for step in steps:
                done.append(step)
                if len(done) == 2:
                    os.kill(started[1].pid, signal.SIGKILL)
    assert len(done) < 5
    for n in range(80):
        await _found(spread, "Observation", f"o{n}")
    last = done[-1]
    async with opened(spread, path.stat().st_size) as open_:
        rest = lines(path, 2 * EACH, offset=sum(one.size for one in done), at=last.at)
        reports = [step.report async for step in keep_all(open_, path.name, rest)]
    assert sum(one.kept for one in reports) == 400 - last.at
    assert not any(one.refused for one in reports)


async def test_the_command_heeds_the_site(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDSIDE_REFERENCES", "enforce")
    path = _file(tmp_path, [_reading(1)])
    report = await import_records(Settings(tmp_path, database_url, ""), path, lambda done: None)
    assert [one.what for one in report.refused] == ["Observation/o1"]
