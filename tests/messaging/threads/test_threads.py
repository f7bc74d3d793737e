"""Conversations: who may, once is once, promises, receipts, substitutes, notices without a word, files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.messaging.threads.test_files import PDF

from bedside import access, records
from bedside.access import Person
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid
from bedside.messaging import threads
from bedside.messaging.model.templates import TEMPLATES
from bedside.messaging.threads.model.thread import New, Talk, Thread
from bedside.messaging.threads.service.lateness import look
from bedside.messaging.threads.subscribers import GOVERNED

pytestmark = pytest.mark.engine

SECRET = "the lump under my arm"


@dataclass
class Clinic:
    """rosa is in elena's and amina's care; sam is a clinician in whose care she is not."""

    ctx: Ctx
    rosa: Person
    elena: Person
    amina: Person
    sam: Person
    id: str


@pytest.fixture
async def clinic(ctx: Ctx) -> Clinic:
    for governed in GOVERNED:
        records.govern(governed)
    async with access.work(ctx, "laid a clinic for a test") as inner:
        record = await records.create(inner, {"resourceType": "Patient", "name": [{"family": "Núñez"}]})
    rosa = await someone(ctx, "patient", name="Rosa Núñez", patient=record.id)
    elena, sam = await someone(ctx, "clinician", name="Elena Ruiz"), await someone(ctx, "clinician", name="Sam Okafor")
    amina = await someone(ctx, "nurse", name="Amina Haddad")
    async with access.work(ctx, "related") as inner:
        for one in (elena, amina):
            await access.relate(inner, person=one.id, patient=record.id, kind="care", source="test")
    return Clinic(ctx, rosa, elena, amina, sam, record.id)


async def begin(clinic: Clinic, who: Person, new: New | None = None, **more: Any) -> Thread:
    async with access.work(acting(clinic.ctx, who), "wrote") as ctx:
        return await threads.begin(ctx, clinic.id, "question", new or New(str(uuid4()), SECRET, **more))


async def answer(clinic: Clinic, who: Person, key: str, text: str = "Come by", **more: Any) -> Thread:
    async with access.work(acting(clinic.ctx, who), "answered") as ctx:
        return await threads.answer(ctx, key, New(str(uuid4()), text, **more))


async def read(clinic: Clinic, who: Person, key: str, *, seeing: bool = True) -> Talk:
    async with access.work(acting(clinic.ctx, who), "read") as ctx:
        return await threads.read(ctx, key, seeing=seeing)


async def notices(ctx: Ctx) -> list[tuple[str, str]]:
    """(person, template) of the jobs that wait to send one, and they are taken away."""
    async with ctx.database.transaction() as sql:
        rows = await sql.fetch(
            """select convert_from(payload, 'utf8')::jsonb->'payload' as p from jobs.pgqueuer
            where entrypoint = 'messaging.send' order by id"""
        )
        await sql.execute("delete from jobs.pgqueuer where entrypoint = 'messaging.send'")
    return [(row["p"]["person"], row["p"]["template"]) for row in rows]


async def test_a_question_and_its_answer_with_receipts(clinic: Clinic, clock: TurnableClock) -> None:
    thread = await begin(clinic, clinic.rosa)
    assert thread.promised == datetime.fromisoformat("2026-11-23T17:00+00:00")  # written on a Saturday
    talk = await read(clinic, clinic.amina, thread.id)
    assert [one.text for one in talk.messages] == [SECRET]
    clock.turn(timedelta(minutes=2))
    answered = await answer(clinic, clinic.amina, thread.id)
    assert answered.promised is None
    assert answered.assigned == clinic.amina.id
    hers = await read(clinic, clinic.rosa, thread.id)
    assert [(one.written.name, one.text) for one in hers.messages] == [
        ("Rosa Núñez", SECRET),
        ("Amina Haddad", "Come by"),
    ]
    assert [(one.name, one.at) for one in hers.messages[0].seen] == [
        ("Amina Haddad", datetime.fromisoformat("2026-11-21T12:00+00:00"))
    ]
    assert [one.name for one in hers.messages[1].seen] == ["Rosa Núñez"]


async def test_the_words_are_the_record_s_and_nowhere_else(clinic: Clinic, clock: TurnableClock) -> None:
    thread = await begin(clinic, clinic.rosa)
    clock.turn(timedelta(minutes=1))
    await answer(clinic, clinic.elena, thread.id, "see " + SECRET)
    async with access.work(acting(clinic.ctx, clinic.elena), "searched") as ctx:
        page = await records.search(ctx, "Communication", {"subject": f"Patient/{clinic.id}", "_sort": "sent"})
        first, second = page.entries
        assert first["payload"] == [{"contentString": SECRET}]
        assert first["sender"]["reference"] == f"Patient/{clinic.id}"
        assert second["partOf"] == [{"reference": f"Communication/{thread.id}"}]
        assert second["inResponseTo"] == [{"reference": f"Communication/{thread.id}"}]
        with pytest.raises(Conflict):
            await records.update(ctx, {**first, "payload": [{"contentString": "other words"}]})
    async with access.work(clinic.ctx, "looked") as ctx:
        for table in ("thread", "message", "seen", "thread_event", "notice"):
            for row in await ctx.sql.fetch(f"select t::text as text from messaging.{table} t"):  # noqa: S608
                assert SECRET not in row["text"]
        for row in await ctx.sql.fetch("select convert_from(payload, 'utf8') as text from jobs.pgqueuer"):
            assert SECRET not in row["text"]


async def test_notices_say_that_there_is_something_and_to_whom(clinic: Clinic) -> None:
    thread = await begin(clinic, clinic.rosa)
    assert set(await notices(clinic.ctx)) == {
        (clinic.elena.id, "messaging.written"),
        (clinic.amina.id, "messaging.written"),
    }
    await answer(clinic, clinic.amina, thread.id)
    assert await notices(clinic.ctx) == [(clinic.rosa.id, "messaging.message")]
    await answer(clinic, clinic.rosa, thread.id, "thank you", urgent=True)
    assert await notices(clinic.ctx) == [(clinic.amina.id, "messaging.urgent")]
    for name in ("message", "written", "urgent", "late", "handed", "nobody"):
        for words in TEMPLATES[f"messaging.{name}"].values():
            assert "{" not in words.subject + words.text


async def test_sent_twice_is_once(clinic: Clinic) -> None:
    new = New(str(uuid4()), SECRET)
    first, again = await begin(clinic, clinic.rosa, new), await begin(clinic, clinic.rosa, new)
    assert first == again
    reply = New(str(uuid4()), "Come by")
    for _ in range(2):
        async with access.work(acting(clinic.ctx, clinic.amina), "answered") as ctx:
            await threads.answer(ctx, first.id, reply)
    assert len((await read(clinic, clinic.rosa, first.id)).messages) == 2
    with pytest.raises(Conflict):
        await begin(clinic, clinic.amina, new)


async def test_nobody_else_comes_near(clinic: Clinic) -> None:
    thread = await begin(clinic, clinic.rosa)
    other = await someone(clinic.ctx, "patient", name="Ben", patient="ben")
    for stranger in (clinic.sam, other, await someone(clinic.ctx, "administrator")):
        with pytest.raises(Forbidden):
            await read(clinic, stranger, thread.id)
        with pytest.raises(Forbidden):
            await answer(clinic, stranger, thread.id)
        with pytest.raises(Forbidden):
            await begin(clinic, stranger)
    with pytest.raises(Forbidden):
        async with access.work(acting(clinic.ctx, clinic.rosa), "closed") as ctx:
            await threads.close(ctx, thread.id)
    async with access.work(acting(clinic.ctx, clinic.sam), "looked") as ctx:
        assert await threads.inbox(ctx) == []
        assert await threads.waiting(ctx) == (0, 0)


async def test_a_caregiver_writes_by_grant_and_not_a_moment_longer(clinic: Clinic, clock: TurnableClock) -> None:
    luis = await someone(clinic.ctx, "caregiver", name="Luis")
    async with access.work(clinic.ctx, "granted") as ctx:
        until = clock.now() + timedelta(days=1)
        what = frozenset({"Communication", "Binary"})
        await access.grant(
            ctx,
            access.GrantRequest(
                person=luis.id, patient=clinic.id, actions="CR", what=what, source="Consent/1", until=until
            ),
        )
    thread = await begin(clinic, luis, files=(("result.pdf", PDF),))
    await notices(clinic.ctx)
    await answer(clinic, clinic.amina, thread.id)
    assert {one for one, _ in await notices(clinic.ctx)} == {clinic.rosa.id, luis.id}
    clock.turn(timedelta(days=1, seconds=1))
    with pytest.raises(Forbidden):
        await read(clinic, luis, thread.id)
    with pytest.raises(Forbidden):
        await answer(clinic, luis, thread.id)
    await answer(clinic, clinic.amina, thread.id)
    assert {one for one, _ in await notices(clinic.ctx)} == {clinic.rosa.id}


async def test_late_is_told_once_and_until_answered(clinic: Clinic, clock: TurnableClock) -> None:
    thread = await begin(clinic, clinic.rosa)
    await notices(clinic.ctx)
    await look(clinic.ctx, {})
    assert await notices(clinic.ctx) == []
    clock.turn(timedelta(days=2, hours=6))
    await answer(clinic, clinic.rosa, thread.id, "Did you read it?")
    await notices(clinic.ctx)
    await look(clinic.ctx, {})
    await look(clinic.ctx, {})
    assert sorted(await notices(clinic.ctx)) == sorted(
        [(clinic.elena.id, "messaging.late"), (clinic.amina.id, "messaging.late")]
    )
    async with access.work(acting(clinic.ctx, clinic.amina), "looked") as ctx:
        (row,) = await threads.inbox(ctx)
        assert row.thread.late(ctx.clock.now())
        assert row.unseen == 2
        assert await threads.waiting(ctx) == (1, 1)
    await answer(clinic, clinic.amina, thread.id)
    async with access.work(acting(clinic.ctx, clinic.amina), "looked") as ctx:
        assert await threads.waiting(ctx) == (0, 0)


async def test_the_inbox_puts_who_waits_longest_first(clinic: Clinic, clock: TurnableClock) -> None:
    early = await begin(clinic, clinic.rosa)
    clock.turn(timedelta(days=3))
    later = await begin(clinic, clinic.rosa)
    told = await begin(clinic, clinic.elena)
    urgent = await begin(clinic, clinic.rosa, urgent=True)
    async with access.work(acting(clinic.ctx, clinic.amina), "looked") as ctx:
        assert [row.thread.id for row in await threads.inbox(ctx)] == [urgent.id, early.id, later.id, told.id]


async def test_taken_handed_and_closed(clinic: Clinic) -> None:
    thread = await begin(clinic, clinic.rosa)
    await notices(clinic.ctx)
    async with access.work(acting(clinic.ctx, clinic.amina), "took") as ctx:
        assert (await threads.take(ctx, thread.id)).assigned_name == "Amina Haddad"
        await threads.hand(ctx, thread.id, clinic.sam.id)
    assert await notices(clinic.ctx) == [(clinic.sam.id, "messaging.handed")]
    talk = await read(clinic, clinic.sam, thread.id)
    assert [one.what for one in talk.events] == ["taken", "handed"]
    async with access.work(acting(clinic.ctx, clinic.sam), "closed") as ctx:
        assert (await threads.close(ctx, thread.id)).promised is None
    with pytest.raises(Forbidden):
        await read(clinic, clinic.sam, thread.id)
    again = await answer(clinic, clinic.rosa, thread.id, "One more thing")
    assert again.open
    assert again.promised is not None


async def test_who_is_away_is_replaced_and_the_substitute_let_in(clinic: Clinic, clock: TurnableClock) -> None:
    async with access.work(acting(clinic.ctx, clinic.elena), "went away") as ctx:
        now = ctx.clock.now()
        with pytest.raises(Invalid):
            await threads.go_away(ctx, substitute=clinic.elena.id, since=now, until=now + timedelta(days=7))
        away = await threads.go_away(ctx, substitute=clinic.sam.id, since=now, until=now + timedelta(days=7))
        with pytest.raises(Conflict):
            await threads.go_away(ctx, substitute=clinic.amina.id, since=now, until=now + timedelta(days=1))
    async with access.work(acting(clinic.ctx, clinic.rosa), "looked who answers") as ctx:
        found = {one.name: one.instead_name for one in await threads.answerers(ctx, clinic.id)}
    assert found == {"Sam Okafor": "Elena Ruiz", "Amina Haddad": ""}
    with pytest.raises(Forbidden):
        async with access.work(acting(clinic.ctx, clinic.sam), "looked") as ctx:
            await access.authorise(ctx, clinic.id, "R", what="Communication")
    thread = await begin(clinic, clinic.rosa)
    assert (clinic.sam.id, "messaging.written") in await notices(clinic.ctx)
    assert (await read(clinic, clinic.sam, thread.id)).thread.id == thread.id
    async with access.work(acting(clinic.ctx, clinic.elena), "came back") as ctx:
        await threads.back(ctx, away.id)
    with pytest.raises(Forbidden):
        await read(clinic, clinic.sam, thread.id)
    clock.turn(timedelta(hours=1))
    async with access.work(acting(clinic.ctx, clinic.rosa), "looked who answers") as ctx:
        assert {one.name for one in await threads.answerers(ctx, clinic.id)} == {"Elena Ruiz", "Amina Haddad"}


async def test_turned_into_something_is_linked_both_ways_and_once(clinic: Clinic) -> None:
    thread = await begin(clinic, clinic.rosa)
    async with access.work(acting(clinic.ctx, clinic.amina), "turned") as ctx:
        await threads.link(ctx, thread.id, "visit", "visit/1")
        with pytest.raises(Conflict):
            await threads.link(ctx, thread.id, "visit", "visit/1")
        assert (await threads.from_ref(ctx, "visit/1")) is not None
    async with access.work(acting(clinic.ctx, clinic.sam), "looked") as ctx:
        assert (await threads.from_ref(ctx, "visit/1")) is None


async def test_a_file_is_kept_by_the_record_and_read_by_who_may(clinic: Clinic) -> None:
    large = PDF[:-6] + b"x" * 200_000 + PDF[-6:]
    thread = await begin(clinic, clinic.rosa, files=(("../result.exe", PDF), ("b.pdf", large)))
    (message,) = (await read(clinic, clinic.amina, thread.id)).messages
    assert [one.name for one in message.files] == ["result.exe.pdf", "b.pdf"]
    for one, data in zip(message.files, (PDF, large), strict=True):
        async with access.work(acting(clinic.ctx, clinic.amina), "opened a file") as ctx:
            file, found = await threads.file(ctx, thread.id, one.binary)
            assert (found, file.media) == (data, "application/pdf")
        with pytest.raises(Forbidden):
            async with access.work(acting(clinic.ctx, clinic.sam), "opened a file") as ctx:
                await threads.file(ctx, thread.id, one.binary)
    with pytest.raises(Invalid):
        await begin(clinic, clinic.rosa, files=(("x.pdf", b"MZ..."),))


async def test_a_scanner_has_the_last_word(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_: str, parts: Any) -> str | None:
        return "found something" if PDF in [part async for part in parts] else None

    monkeypatch.setattr("bedside.records.service.scanning._scanners", [records.Scanner("test", refuse)])
    with pytest.raises(records.Refused):
        await begin(clinic, clinic.rosa, files=(("result.pdf", PDF),))
    async with access.work(acting(clinic.ctx, clinic.rosa), "looked") as ctx:
        assert await threads.of_patient(ctx, clinic.id) == []


async def test_every_look_is_in_the_audit(clinic: Clinic) -> None:
    thread = await begin(clinic, clinic.rosa)
    await read(clinic, clinic.amina, thread.id)
    async with access.work(acting(clinic.ctx, clinic.rosa), "looked") as ctx:
        seen = {(one.actor_name, one.action) for one in await access.who_looked(ctx, clinic.id)}
    assert ("Amina Haddad", "read") in seen


async def test_an_administrator_says_what_is_promised(clinic: Clinic) -> None:
    admin = await someone(clinic.ctx, "administrator")
    async with access.work(acting(clinic.ctx, admin), "promised") as ctx:
        await threads.set_promise(ctx, threads.Promise(days=2))
        with pytest.raises(Invalid):
            await threads.set_promise(ctx, threads.Promise(weekdays=frozenset()))
    thread = await begin(clinic, clinic.rosa)
    assert thread.promised == datetime.fromisoformat("2026-11-24T17:00+00:00")
    with pytest.raises(Forbidden):
        async with access.work(acting(clinic.ctx, clinic.elena), "promised") as ctx:
            await threads.set_promise(ctx, threads.Promise())


async def test_no_message_goes_where_nobody_would_read_it(clinic: Clinic, clock: TurnableClock) -> None:
    thread = await begin(clinic, clinic.rosa)
    admin = await someone(clinic.ctx, "administrator")
    async with access.work(clinic.ctx, "unrelated") as ctx:
        await access.unrelate(ctx, source="test")
    clock.turn(timedelta(seconds=1))
    with pytest.raises(Conflict):
        await begin(clinic, clinic.rosa)
    with pytest.raises(Conflict):
        await answer(clinic, clinic.rosa, thread.id)
    await notices(clinic.ctx)
    clock.turn(timedelta(days=3))
    await look(clinic.ctx, {})
    assert await notices(clinic.ctx) == [(admin.id, "messaging.nobody")]


async def test_who_held_it_and_may_come_near_no_longer_is_not_asked(clinic: Clinic, clock: TurnableClock) -> None:
    thread = await begin(clinic, clinic.rosa)
    async with access.work(acting(clinic.ctx, clinic.amina), "handed") as ctx:
        await threads.hand(ctx, thread.id, clinic.sam.id)
    clock.turn(timedelta(days=31))
    await notices(clinic.ctx)
    await answer(clinic, clinic.rosa, thread.id, "Still here")
    assert {one for one, _ in await notices(clinic.ctx)} == {clinic.elena.id, clinic.amina.id}


async def test_the_rota_s_substitute_answers_too(clinic: Clinic) -> None:
    admin = await someone(clinic.ctx, "administrator")
    async with access.work(acting(clinic.ctx, admin), "planned") as ctx:
        await access.add_place(ctx, "ward", "Ward", "ward", zone="Europe/Madrid")
        await access.place_patient(ctx, clinic.id, "ward")
        for one in (clinic.elena, clinic.sam):
            await access.set_duty(
                ctx, person=one.id, place="ward", role="clinician", step=2 if one is clinic.sam else 1
            )
        now = ctx.clock.now()
        await access.rota.set_substitute(
            ctx, person=clinic.elena.id, by=clinic.sam.id, since=now, until=now + timedelta(days=3)
        )
    async with access.work(acting(clinic.ctx, clinic.rosa), "looked who answers") as ctx:
        found = {one.name: one.instead_name for one in await threads.answerers(ctx, clinic.id)}
    assert found == {"Sam Okafor": "Elena Ruiz", "Amina Haddad": ""}


async def test_one_notice_stands_for_what_is_written_in_pieces(clinic: Clinic, clock: TurnableClock) -> None:
    thread = await begin(clinic, clinic.rosa)
    await notices(clinic.ctx)
    clock.turn(timedelta(minutes=1))
    await answer(clinic, clinic.rosa, thread.id, "and")
    assert await notices(clinic.ctx) == []
    await answer(clinic, clinic.rosa, thread.id, "I can't breathe", urgent=True)
    assert len(await notices(clinic.ctx)) == 2
    await read(clinic, clinic.amina, thread.id)
    await answer(clinic, clinic.rosa, thread.id, "you have seen it, and this is new")
    assert len(await notices(clinic.ctx)) == 2
    clock.turn(timedelta(minutes=16))
    await answer(clinic, clinic.rosa, thread.id, "nobody came")
    assert len(await notices(clinic.ctx)) == 2


async def test_who_leaves_hands_on_what_they_had_taken(clinic: Clinic) -> None:
    thread = await begin(clinic, clinic.rosa)
    other = await begin(clinic, clinic.rosa)
    admin = await someone(clinic.ctx, "administrator")
    async with access.work(acting(clinic.ctx, clinic.amina), "took") as ctx:
        await threads.take(ctx, thread.id)
        now = ctx.clock.now()
        await threads.go_away(ctx, substitute=clinic.sam.id, since=now, until=now + timedelta(days=3))
    await notices(clinic.ctx)
    with pytest.raises(Forbidden):
        async with access.work(acting(clinic.ctx, clinic.amina), "left") as ctx:
            await threads.hand_on(ctx, clinic.amina, clinic.elena)
    async with access.work(acting(clinic.ctx, admin), "left") as ctx:
        assert await threads.held(ctx, clinic.amina.id) == 1
        assert await threads.hand_on(ctx, clinic.amina, clinic.elena) == 1
    assert await notices(clinic.ctx) == [(clinic.elena.id, "messaging.handed")]
    async with access.work(acting(clinic.ctx, clinic.elena), "looked") as ctx:
        assert {row.thread.id: row.thread.assigned for row in await threads.inbox(ctx)} == {
            thread.id: clinic.elena.id,
            other.id: None,
        }
    async with access.work(acting(clinic.ctx, clinic.sam), "looked") as ctx:
        assert await threads.aways(ctx) == []
    async with access.work(acting(clinic.ctx, admin), "left") as ctx:
        assert await threads.hand_on(ctx, clinic.elena, None) == 1
    assert await notices(clinic.ctx) == []
