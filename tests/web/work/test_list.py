"""The work list: each role's kinds, oldest first, with where each is done; no more than the reader may see."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from starlette.requests import Request
from tests.web.conftest import concept, potassium

from bedside import access, messaging, records, visits
from bedside.access.testing import acting, someone
from bedside.orders import subscribers as orders_jobs
from bedside.web.kit import page_of, translator
from bedside.web.work.item import Asked
from bedside.web.work.kinds import KINDS

if TYPE_CHECKING:
    from tests.web.conftest import Ward

    from bedside.access import Person

pytestmark = pytest.mark.engine

FLAGS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def plain(page: str) -> str:
    """A page's words alone."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def critical(patient: str) -> dict[str, Any]:
    return {
        **potassium(patient),
        "code": concept("Potassium, urgent", "6298-4", "http://loinc.org"),
        "interpretation": [concept("", "HH", FLAGS)],
    }


async def came(ward: Ward, *resources: dict[str, Any]) -> list[str]:
    """Results that a laboratory sent."""
    async with access.work(ward.ctx, "results for a test") as inner:
        refs = [(await records.create(inner, one)).reference for one in resources]
    await orders_jobs.result_came(ward.ctx, {"references": refs})
    return refs


@pytest.fixture
async def elena(ward: Ward) -> Person:
    found = await someone(ward.ctx, "clinician", name="Elena Ruiz")
    async with access.work(ward.ctx, "care for a test") as inner:
        await access.relate(inner, person=found.id, patient=ward.rosa_id, kind="care", source="elena")
    return found


def task(owner: Person, patient: str, says: str) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "description": says,
        "for": {"reference": f"Patient/{patient}"},
        "owner": {"reference": owner.reference},
        "authoredOn": "2026-11-20T09:00:00Z",
    }


async def test_nothing_is_open(ward: Ward, elena: Person) -> None:
    async with ward.as_(elena) as client:
        page = plain((await client.get("/work")).text)
    assert "All is done" in page
    for kind in KINDS:
        assert (kind.title in page) == ("clinician" in kind.roles)


async def test_who_cannot_sign_in_and_asks_to_be_called_is_work(ward: Ward, elena: Person) -> None:
    await access.calling.ask(ward.ctx, given="Rosa", family="Alvarez", birth="1955-03-14")
    async with ward.as_(elena) as client:
        page = (await client.get("/work")).text
        assert "Asks to be called (1)" in page
        assert re.search(r'href="/patients/calls/[^"]+"[^>]*>\s*Rosa Alvarez', page)


async def test_a_result_is_seen_and_taken_back(ward: Ward, elena: Person) -> None:
    [_, urgent] = await came(ward, potassium(ward.rosa_id), critical(ward.rosa_id))
    async with ward.as_(elena) as client:
        page = (await client.get("/work")).text
        assert page.index("Potassium, urgent") < page.index(">Potassium<")
        assert "Results not seen yet (2)" in page
        assert "critically high" in page
        one = (await client.get(f"/results/{urgent}")).text
        assert "4.10" in one
        done = await client.post(f"/results/{urgent}/seen", data={"version": "1", "note": "Rang her."})
        assert done.status_code == 303
        after = (await client.get(done.headers["location"].partition("#")[0])).text
        assert "Results not seen yet (1)" in after
        assert f'action="/results/{urgent}/again"' in after
        assert "Elena Ruiz has seen it" in (await client.get(f"/results/{urgent}")).text
        await client.post(f"/results/{urgent}/again")
        assert "Results not seen yet (2)" in (await client.get("/work")).text
    async with ward.as_(ward.nurse) as client:
        assert "Potassium, urgent" not in (await client.get("/work")).text
        assert (await client.post(f"/results/{urgent}/seen", data={"version": "1"})).status_code == 403


async def test_a_task_is_done_and_open_again_and_nobody_elses(ward: Ward, elena: Person) -> None:
    async with access.work(acting(ward.ctx, elena), "tasks for a test") as inner:
        mine = await records.create(inner, task(elena, ward.rosa_id, "Ring about the <b>dose</b>"))
        theirs = await records.create(inner, task(ward.nurse, ward.rosa_id, "Weigh her"))
    async with ward.as_(elena) as client:
        page = (await client.get("/work")).text
        assert "Ring about the &lt;b&gt;dose&lt;/b&gt;" in page
        assert "Weigh her" not in page
        done = await client.post(f"/work/tasks/{mine.id}/done")
        after = (await client.get(done.headers["location"].partition("#")[0])).text
        assert "My tasks (" not in after
        assert f'action="/work/tasks/{mine.id}/again"' in after
        await client.post(f"/work/tasks/{mine.id}/again")
        assert "My tasks (1)" in (await client.get("/work")).text
        assert (await client.post(f"/work/tasks/{theirs.id}/done")).status_code == 403
    async with ward.as_(ward.nurse) as client:
        assert "Weigh her" in (await client.get("/work")).text


async def test_a_late_answer_is_counted_and_told_in_the_readers_own_time(ward: Ward, elena: Person) -> None:
    async with access.work(acting(ward.ctx, ward.rosa), "wrote for a test") as inner:
        new = messaging.threads.New(id=str(uuid4()), text="May I?")
        await messaging.threads.begin(inner, ward.rosa_id, "medicine", new)
    async with access.work(ward.ctx, "zones for a test") as inner:
        await access.change_person(inner, elena.id, zone="America/New_York")
        madrid = await access.person(inner, (await access.person(inner, elena.id)).id)
    async with ward.as_(madrid) as client:
        assert re.search(r"Messages to answer \(1\).*by \d", plain((await client.get("/work")).text))
        ward.ctx.clock.turn(timedelta(days=6))  # type: ignore[attr-defined]
        late = plain((await client.get("/work")).text)
        assert "late, was due" in late
        assert "Times of America/New_York" in late
        count = plain((await client.get("/work/count")).text)
        assert "Work list: 1 thing is open" in count
        assert "1 is late" in count


async def test_a_count_is_audited_where_it_reads_of_a_patient_and_nowhere_else(ward: Ward, elena: Person) -> None:
    """Each first page asks for it: a line for a nurse who has nothing to do says nothing of anybody."""

    async def told() -> list[tuple[str, list[str]]]:
        async with ward.ctx.database.connection() as sql:
            rows = await sql.fetch(
                "select actor, patients from access.audit where action = 'counted the open work' order by seq"
            )
        return [(row["actor"], sorted(row["patients"])) for row in rows]

    async with ward.as_(ward.nurse) as client:
        assert (await client.get("/work/count")).status_code == 200
    assert await told() == []
    await came(ward, critical(ward.rosa_id))
    async with ward.as_(elena) as client:
        assert "1 thing is open" in plain((await client.get("/work/count")).text)
    assert await told() == [(elena.id, [ward.rosa_id])]


async def test_an_administrator_sees_the_site_and_no_patient(ward: Ward, elena: Person) -> None:
    admin = await someone(ward.ctx, "administrator", name="Pat Morgan")
    await came(ward, critical(ward.rosa_id))
    today = ward.ctx.clock.now().date()
    async with access.work(ward.ctx, "a licence for a test") as inner:
        ends = today + timedelta(days=3)
        await access.add_licence(inner, access.Licence(elena.id, "US-NY", "1", "full", today, ends, today, "board"))
    async with ward.as_(admin) as client:
        page = plain((await client.get("/work")).text)
    assert "Licence of Elena Ruiz for US-NY ends" in page
    assert "Elena Ruiz has no invitation yet" in page
    for secret in ("Rosa", "Núñez", "Potassium"):
        assert secret not in page
    async with ward.as_(elena) as client:
        assert "Your licence for US-NY ends" in plain((await client.get("/work")).text)


async def test_whoever_has_no_work_here_is_refused(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        assert (await client.get("/work")).status_code == 403
        assert (await client.get("/work/count")).status_code == 403
        assert (await client.get("/results/Observation/x")).status_code == 403


async def test_an_unsigned_note_of_who_left_ones_care_is_told_and_not_whose(ward: Ward, elena: Person) -> None:
    async with access.work(acting(ward.ctx, elena), "a visit for a test") as inner:
        visit = await visits.ask(inner, ward.rosa_id, "Pressure")
        await inner.sql.execute("update visits.visit set started_at = asked_at where id = $1", visit.id)
    async with ward.as_(elena) as client:
        assert "Unsigned notes (1)" in (await client.get("/work")).text
    async with access.work(ward.ctx, "ended care for a test") as inner:
        await access.unrelate(inner, source="elena")
    ward.ctx.clock.turn(timedelta(days=8))  # type: ignore[attr-defined]
    async with ward.as_(elena) as client:
        page = plain((await client.get("/work")).text)
        assert (await client.get("/today")).status_code == 200
    assert "of patients no longer in your care: 1" in page
    assert "Rosa" not in page


async def _questions(ward: Ward, person: Person) -> int:
    """How often the database is asked for the whole list."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/work",
        "headers": [],
        "query_string": b"",
        "app": ward.app_of(person),
    }
    request = Request({**scope, "state": {"ctx": acting(ward.ctx, person)}})
    asked: list[str] = []
    async with access.work(acting(ward.ctx, person), "counted for a test") as inner:
        inner.sql.add_query_logger(lambda record: asked.append(record.query))
        reader = page_of(request)
        for kind in KINDS:
            if kind.roles & inner.actor.roles:
                await kind.find(Asked(inner, reader, translator(reader.language)))
    return len([one for one in asked if not one.lower().startswith(("begin", "commit", "set", "rollback"))])


async def test_the_questions_do_not_grow_with_the_work(ward: Ward, elena: Person) -> None:
    async def fill(n: int) -> None:
        for k in range(n):
            async with access.work(ward.ctx, "filled a test") as inner:
                one = await records.create(inner, {"resourceType": "Patient", "name": [{"family": f"Filled {n} {k}"}]})
                await access.relate(inner, person=elena.id, patient=one.id, kind="care", source=f"{n}-{k}")
                await records.create(inner, task(elena, one.id, "Ring"))
                for cause in ("systolic-raised", "spo2-low"):
                    await inner.sql.execute(
                        """insert into monitoring.late_finding (id, tenant, patient, cause, priority, finding, count,
                           first_at, last_at, received_at)
                           values ($1, 1, $2, $3, 'low', '{}', 1, now(), now(), now())""",
                        *(f"{one.id}{cause}", one.id, cause),
                    )
                await inner.sql.execute(
                    """insert into messaging.thread (id, tenant, patient, kind, state, urgent, opened, person, name,
                       promised, last) values ($1, 1, $1, 'medicine', 'open', false, now(), 'p', 'P', now(), now())""",
                    one.id,
                )
                await inner.sql.execute(
                    """insert into visits.visit (tenant, id, status, patient, person, reason, asked_by, asked_by_name,
                       clinician, asked_at, started_at)
                       values (1, $1, 'finished', $1, 'p', 'r', 'a', 'A', $2, now(), now())""",
                    *(one.id, elena.id),
                )
            # Of the second kind too, so that both searches are asked for few and for many.
            await came(ward, critical(one.id), {k: v for k, v in critical(one.id).items() if k != "interpretation"})
            await came(
                ward,
                {
                    "resourceType": "DiagnosticReport",
                    "status": "final",
                    "code": {"text": "R"},
                    "subject": {"reference": f"Patient/{one.id}"},
                },
            )

    await fill(1)
    few = await _questions(ward, elena)
    await fill(6)
    many = await _questions(ward, elena)
    assert many == few < 60, (few, many)
