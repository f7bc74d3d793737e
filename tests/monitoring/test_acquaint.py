"""What the record says of a patient decides which rules may judge them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bedside import access, monitoring, records
from bedside.foundation.context import Ctx
from bedside.monitoring import subscribers
from bedside.monitoring.rules.model.pregnancy import pregnant
from bedside.monitoring.rules.model.profile import Profile, youngest

pytestmark = pytest.mark.engine

ANN = {"resourceType": "Patient", "id": "ann", "birthDate": "1990-05-06", "name": [{"family": "Ann"}]}


def pregnancy(status: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "p1",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": status}]
        },
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "72892002"}]},
        "subject": {"reference": "Patient/ann"},
    }


async def write(ctx: Ctx, *resources: dict[str, Any]) -> None:
    async with access.work(ctx, "wrote") as work:
        for resource in resources:
            await records.update(work, resource)


async def profile_after_the_job(ctx: Ctx) -> Profile:
    await subscribers.JOBS[subscribers.PROFILE](ctx, {"patient": "ann"})
    async with access.work(ctx, "looked") as work:
        return await monitoring.profile(work, "ann")


async def test_birth_date_and_pregnancy_come_from_the_record(ctx: Ctx) -> None:
    await write(ctx, ANN)
    assert await profile_after_the_job(ctx) == Profile(date(1990, 5, 6))
    await write(ctx, pregnancy("active"))
    assert (await profile_after_the_job(ctx)).pregnant
    await write(ctx, pregnancy("resolved"))
    assert not (await profile_after_the_job(ctx)).pregnant


async def test_a_pregnancy_that_only_staff_told_of_stays(ctx: Ctx) -> None:
    await write(ctx, ANN)
    async with access.work(ctx, "set") as work:
        await monitoring.set_profile(work, "ann", pregnant=True)
    assert await profile_after_the_job(ctx) == Profile(date(1990, 5, 6), pregnant=True)


async def test_a_write_asks_for_the_job_in_its_own_transaction(ctx: Ctx) -> None:
    for wanted in subscribers.HEEDED:
        records.heed(wanted)
    asked = "select count(*) from jobs.pgqueuer where entrypoint = 'monitoring.profile'"
    with pytest.raises(ZeroDivisionError):
        async with access.work(ctx, "wrote") as work:
            await records.update(work, ANN)
            raise ZeroDivisionError
    async with ctx.database.connection() as sql:
        assert await sql.fetchval(asked) == 0
    await write(ctx, ANN, pregnancy("active"))
    async with ctx.database.connection() as sql:
        assert await sql.fetchval(asked) == 1


async def test_nobody_is_no_error(ctx: Ctx) -> None:
    assert await profile_after_the_job(ctx) == Profile()


@pytest.mark.parametrize(("born", "day"), [("1990", "1990-12-31"), ("2024-02", "2024-02-29"), ("1990-05-06",) * 2])
def test_nobody_is_taken_for_older_than_they_may_be(born: str, day: str) -> None:
    assert youngest(born).isoformat() == day


def test_no_condition_says_nothing() -> None:
    assert pregnant([]) is None
    assert pregnant([{"code": {"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}]}}]) is None
