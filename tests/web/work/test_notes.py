"""Draft notes outside visits stand on their writer's list and are finished there; no kind of work hides a line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.web.conftest import potassium

from bedside import access, messaging, records, visits
from bedside.access.testing import acting
from bedside.foundation.errors import Conflict
from bedside.foundation.ids import uuid7
from bedside.orders import subscribers as orders_jobs
from bedside.visits import subscribers as visits_subscribers
from bedside.web.work.item import SHOWN, Item, found

if TYPE_CHECKING:
    from tests.web.conftest import Ward

    from bedside.access import Person

pytestmark = pytest.mark.engine

PASSWORD = "correct horse battery staple"
for governed in visits_subscribers.GOVERNED:
    records.govern(governed)


@pytest.fixture
async def elena(ward: Ward) -> Person:
    async with access.work(ward.ctx, "care for a test") as inner:
        new = access.NewPerson(
            name="Elena Ruiz", roles=frozenset({"clinician"}), email="elena@clinic.example", password=PASSWORD
        )
        found = await access.add_person(inner, new)
        await access.relate(inner, person=found.id, patient=ward.rosa_id, kind="care", source="elena")
    return found


async def drafted(ward: Ward, who: Person) -> str:
    """A draft note out of a message of Rosa's."""
    async with access.work(acting(ward.ctx, ward.rosa), "wrote for a test") as inner:
        new = messaging.threads.New(id=uuid7(), text="May I take ibuprofen?")
        thread = (await messaging.threads.begin(inner, ward.rosa_id, "medicine", new)).id
    key = uuid7()
    async with ward.as_(who) as client:
        assert (await client.post(f"/messages/{thread}/note", data={"key": key})).status_code == 303
        assert f'href="/notes/{key}"' in (await client.get(f"/messages/{thread}")).text
    return key


def version(page: str) -> str:
    said = re.search(r'name="version" value="(\d+)"', page)
    assert said
    return said[1]


async def test_a_draft_out_of_a_message_is_work_until_it_is_signed(ward: Ward, elena: Person) -> None:
    key = await drafted(ward, elena)
    address = f"/notes/{key}"
    async with ward.as_(elena) as client:
        listed = (await client.get("/work")).text
        assert "Unsigned notes (1)" in listed
        assert f'href="{address}"' in listed
        page = (await client.get(address)).text
        assert "May I take ibuprofen?" in page
        kept = await client.post(address, data={"do": "save", "version": version(page), "text": "Paracetamol."})
        assert kept.status_code == 303
        page = (await client.get(address)).text
        stale = await client.post(address, data={"do": "save", "version": "1", "text": "Mine."})
        assert (stale.status_code, "Mine." in stale.text) == (409, True)
        wrong = await client.post(
            address, data={"do": "sign", "version": version(page), "text": "Paracetamol 1 g.", "secret": "wrong"}
        )
        assert wrong.status_code in {400, 403}
        assert "Paracetamol 1 g." in wrong.text, "what was typed is kept"
        signing = {"do": "sign", "version": version(wrong.text), "text": "Paracetamol 1 g.", "secret": PASSWORD}
        assert (await client.post(address, data=signing)).status_code == 303
        assert "Unsigned notes (" not in (await client.get("/work")).text
        assert "Signed by Elena Ruiz" in (await client.get(address)).text
    async with access.work(acting(ward.ctx, elena), "looked") as inner:
        note = await records.read(inner, "DocumentReference", key)
        assert (note["docStatus"], note["authenticator"]["reference"]) == ("final", elena.reference)
    with pytest.raises(Conflict):
        async with access.work(acting(ward.ctx, elena), "changed a signed note") as inner:
            await records.update(inner, {k: v for k, v in note.items() if k != "meta"} | {"description": "other"})


async def test_a_draft_is_thrown_away_and_taken_back(ward: Ward, elena: Person) -> None:
    key = await drafted(ward, elena)
    async with ward.as_(elena) as client:
        done = await client.post(f"/notes/{key}/throw-away")
        after = (await client.get(done.headers["location"].partition("#")[0])).text
        assert "Unsigned notes (" not in after
        assert f'action="/notes/{key}/again"' in after
        await client.post(f"/notes/{key}/again")
        assert "Unsigned notes (1)" in (await client.get("/work")).text


async def test_a_draft_is_its_writers_and_a_nurses_too(ward: Ward, elena: Person) -> None:
    key = await drafted(ward, ward.nurse)
    async with ward.as_(elena) as client:
        assert "Unsigned notes (" not in (await client.get("/work")).text
        assert (await client.get(f"/notes/{key}")).status_code == 403
        for step in ("", "/throw-away", "/again"):
            answer = await client.post(f"/notes/{key}{step}", data={"do": "save", "version": "1", "text": "x"})
            assert answer.status_code == 403
    async with ward.as_(ward.nurse) as client:
        assert f"/notes/{key}" in (await client.get("/work")).text


async def test_a_draft_of_who_left_ones_care_is_counted_and_not_told(ward: Ward, elena: Person) -> None:
    await drafted(ward, elena)
    async with access.work(ward.ctx, "ended care for a test") as inner:
        await access.unrelate(inner, source="elena")
    async with ward.as_(elena) as client:
        page = (await client.get("/work")).text
    assert "of patients no longer in your care: 1" in page
    assert "Rosa" not in page


async def test_a_draft_of_another_program_is_listed_whatever_it_holds(ward: Ward, elena: Person) -> None:
    pdf: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "preliminary",
        "description": "Dictated elsewhere",
        "subject": {"reference": f"Patient/{ward.rosa_id}"},
        "author": [{"reference": elena.reference}],
        "content": [{"attachment": {"contentType": "application/pdf", "url": "https://dictate.example/1"}}],
    }
    async with access.work(ward.ctx, "another program") as inner:
        key = (await records.create(inner, pdf)).id
    async with ward.as_(elena) as client:
        assert "Dictated elsewhere" in (await client.get("/work")).text
        assert "finish it in the program that wrote it" in (await client.get(f"/notes/{key}")).text
        answer = await client.post(f"/notes/{key}", data={"do": "save", "version": "1", "text": "x"})
        assert answer.status_code == 409


async def test_every_result_is_reached_page_by_page_though_some_are_seen_meanwhile(ward: Ward, elena: Person) -> None:
    async with access.work(ward.ctx, "results for a test") as inner:
        refs = [(await records.create(inner, potassium(ward.rosa_id))).reference for _ in range(2 * SHOWN + 3)]
    await orders_jobs.result_came(ward.ctx, {"references": refs})
    met: list[str] = []
    async with ward.as_(elena) as client:
        first = (await client.get("/work")).text
        assert f"Results not seen yet ({len(refs)})" in first
        assert re.search(rf'href="/work/results">and {SHOWN + 3} more', first)
        address: str | None = "/work/results"
        while address:
            page = (await client.get(address)).text
            shown = re.findall(r'href="/results/(Observation/[^"]+)"', page)
            met += shown
            await client.post(f"/results/{shown[-1]}/seen", data={"version": "1"})
            following = re.search(r'href="(/work/results\?after=[^"]+)"', page)
            address = following[1].replace("&amp;", "&") if following else None
    assert sorted(met) == sorted(refs), "each once, and none left out"


def test_a_page_of_lines_goes_on_after_the_last_one_though_some_are_done() -> None:
    asked: Any = type("Asked", (), {"after": ""})()
    items = [Item(f"line {n}", f"/at/{n}") for n in range(60)]
    one = found(asked, items)
    assert (len(one.items), one.total, one.full) == (SHOWN, 60, False)
    asked.after = one.next
    assert found(asked, items[3:]).items[0] == items[SHOWN], "three of the first page were done"
    assert found(asked, [*items[:20], *items[SHOWN:]]).items[0] == items[0], "the last one shown was done: rather twice"
    asked.after = found(asked, items).next
    last = found(asked, items)
    assert (last.items[-1], last.next) == (items[-1], None)
    assert found(asked, items, bound=60).full


async def test_tasks_go_on_page_by_page(ward: Ward, elena: Person) -> None:
    async with access.work(acting(ward.ctx, elena), "tasks for a test") as inner:
        for n in range(SHOWN + 2):
            await records.create(
                inner,
                {
                    "resourceType": "Task",
                    "status": "requested",
                    "intent": "order",
                    "description": f"Ring number {n}.",
                    "for": {"reference": f"Patient/{ward.rosa_id}"},
                    "owner": {"reference": elena.reference},
                    "authoredOn": f"2026-11-20T09:{n:02}:00Z",
                },
            )
    async with ward.as_(elena) as client:
        assert f"My tasks ({SHOWN + 2})" in (await client.get("/work")).text
        first = (await client.get("/work/tasks")).text
        following = re.search(r'href="(/work/tasks\?after=[^"]+)"', first)
        assert following
        second = (await client.get(following[1].replace("&amp;", "&"))).text
    told = re.findall(r"Ring number (\d+)\.", re.sub(r'aria-label="[^"]+"', "", first + second))
    assert [int(one) for one in told] == list(range(SHOWN + 2))


async def test_a_kind_of_others_is_refused_and_one_that_is_none_not_found(ward: Ward) -> None:
    async with ward.as_(ward.nurse) as client:
        assert (await client.get("/work/results")).status_code == 403
        assert (await client.get("/work/nothing")).status_code == 404
        assert (await client.get("/work/tasks?after=%00")).status_code in {200, 400}


async def test_unsigned_notes_of_visits_are_all_counted(ward: Ward, elena: Person) -> None:
    async with access.work(ward.ctx, "visits for a test") as inner:
        await inner.sql.execute(
            """insert into visits.visit (tenant, id, status, patient, person, reason, asked_by, asked_by_name,
               clinician, asked_at, started_at)
               select 1, 'v' || n, 'finished', $1, 'p', 'r', 'a', 'A', $2, now(), now()
               from generate_series(1, 70) n""",
            *(ward.rosa_id, elena.id),
        )
    async with ward.as_(elena) as client:
        assert "Unsigned notes (70)" in (await client.get("/work")).text
    async with access.work(acting(ward.ctx, elena), "looked") as inner:
        assert len(await visits.notes.unsigned(inner)) == 70


async def test_a_pair_registered_twice_has_no_column_without_times(ward: Ward, elena: Person) -> None:
    alike = {"resourceType": "Patient", "name": [{"family": "Alvarez", "given": ["Rosa"]}], "birthDate": "1955-03-14"}
    async with access.work(ward.ctx, "pairs for a test") as inner:
        for n in range(2):
            one = await records.create(inner, alike)
            await access.relate(inner, person=elena.id, patient=one.id, kind="care", source=f"pair-{n}")
    async with ward.as_(elena) as client:
        page = (await client.get("/work/duplicates")).text
    assert "may be one person" in page
    assert ">When<" not in page
