"""The pages of conversations: written at home, answered at the clinic, stopped by danger, turned into something."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from tests.messaging.threads.test_files import PDF

from bedside import access, messaging, records, visits
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.messaging.subscribers import GOVERNED, JOBS

if TYPE_CHECKING:
    import httpx
    from tests.web.conftest import Ward

pytestmark = pytest.mark.engine

WORDS = "May I take ibuprofen with <b>lisinopril</b>?"


@pytest.fixture(autouse=True)
def _governed() -> None:
    for governed in GOVERNED:
        records.govern(governed)


async def post(client: httpx.AsyncClient, path: str, *files: tuple[str, bytes], **data: str) -> httpx.Response:
    """As a browser sends the form: multipart, with or without files."""
    parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in {"key": str(uuid4()), **data}.items()]
    parts += [("files", one) for one in files] or [("files", ("", b""))]
    return await client.post(path, files=parts)


async def wrote(ward: Ward, **data: str) -> str:
    """The path of a conversation that Rosa began."""
    async with ward.as_(ward.rosa) as client:
        sent = await post(client, "/messages/new", **{"kind": "medicine", "text": WORDS, **data})
    assert sent.status_code == 303, sent.text
    return sent.headers["location"].partition("?")[0]


async def test_from_home_to_the_clinic_and_back(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        empty = (await client.get("/messages")).text
        assert "No messages" in empty
        assert "Not for emergencies" in empty
        form = (await client.get("/messages/new")).text
        for said in ("Not for emergencies", "911", "You will have an answer by", "Amina Haddad"):
            assert said in form
    path = await wrote(ward)
    async with ward.as_(ward.nurse) as nurse:
        inbox = (await nurse.get("/messages")).text
        assert "Rosa Núñez" in inbox
        assert "1 new" in inbox
        page = (await nurse.get(path)).text
        assert "ibuprofen" in page
        assert "<b>lisinopril</b>" not in page
        assert "Patient: Rosa Núñez" in page
        answered = await post(nurse, path, text="Better not: ring us first.")
        assert answered.status_code == 303
        assert "nobody waits" in (await nurse.get("/messages")).text
    async with ward.as_(ward.rosa) as client:
        assert "1 new message from the clinic" in (await client.get("/home")).text
        page = (await client.get(path)).text
        assert "Better not: ring us first." in page
        assert re.search(r"Seen by\s+Amina Haddad, today \d\d:\d\d", page)
        assert "1 new" not in (await client.get("/messages")).text
    async with ward.as_(ward.nurse) as nurse:
        assert "Seen by" in (await nurse.get(path)).text


async def test_words_of_danger_stop_before_anything_is_sent(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        key = str(uuid4())
        stopped = await post(client, "/messages/new", key=key, kind="question", text="I have chest pain & fear")
        assert stopped.status_code == 422
        for said in ("Ring 911 now", 'href="tel:911"', "+1 212 555 0100", "was not sent yet", "Chest pain", key):
            assert said in stopped.text
        assert "I have chest pain &amp; fear" in stopped.text
        assert "No messages" in (await client.get("/messages")).text
        sent = await post(
            client, "/messages/new", key=key, kind="question", text="I have chest pain & fear", anyway="yes"
        )
        path = sent.headers["location"].partition("?")[0]
        more = await post(client, path, text="now I can't breathe")
        assert more.status_code == 422
        assert f'action="{path}"' in more.text
    async with ward.as_(ward.nurse) as nurse:
        assert "urgent" in (await nurse.get("/messages")).text
        assert "breathe" not in (await nurse.get(path)).text


async def test_a_form_that_is_wrong_keeps_what_was_typed(ward: Ward) -> None:
    path = await wrote(ward)
    async with ward.as_(ward.rosa) as client:
        key = str(uuid4())
        for data in ({"kind": "", "text": "kept words"}, {"kind": "question", "text": "k" * 5001}):
            again = await post(client, "/messages/new", key=key, **data)
            assert again.status_code == 400
            assert data["text"] in again.text
            assert key in again.text
            assert 'aria-invalid="true"' in again.text or "wrong" in again.text
        refused = await post(client, path, ("x.pdf", b"MZ\x90"), key=key, text="kept words")
        assert refused.status_code == 400
        assert "kept words" in refused.text
        assert "Only PDF, JPEG and PNG" in refused.text
        assert "Not kept: x.pdf." in refused.text
        for _ in range(2):
            assert (await post(client, path, key=key, text="once")).status_code == 303
        assert (await client.get(path)).text.count(">once<") == 1


async def test_a_file_comes_down_as_a_download_that_runs_nothing(ward: Ward) -> None:
    path = await wrote(ward)
    async with ward.as_(ward.rosa) as client:
        assert (await post(client, path, ("análisis; x.exe", PDF), text="")).status_code == 303
        (link,) = set(re.findall(rf'href="({path}/files/[^"]+)"', (await client.get(path)).text))
    async with ward.as_(ward.nurse) as nurse:
        got = await nurse.get(link)
        assert got.content == PDF
        assert got.headers["content-type"] == "application/pdf"
        assert got.headers["content-disposition"].startswith('attachment; filename="an_lisis_ x.exe.pdf"')
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in got.headers["content-security-policy"]
    async with ward.as_(await someone(ward.ctx, "nurse", name="Stranger")) as stranger:
        assert (await stranger.get(link)).status_code == 403
        assert (await stranger.get(path)).status_code == 403
        assert "Rosa" not in (await stranger.get("/messages")).text


async def test_it_is_taken_handed_on_and_closed(ward: Ward) -> None:
    path = await wrote(ward)
    other = await someone(ward.ctx, "clinician", name="Elena Ruiz")
    async with ward.as_(ward.nurse) as nurse:
        assert (await nurse.post(f"{path}/take")).status_code == 303
        assert "Rosa" in (await nurse.get("/messages?show=mine")).text
        assert (await nurse.post(f"{path}/hand", data={"person": other.id})).status_code == 303
        assert "Amina Haddad handed this to Elena Ruiz" in (await nurse.get(path)).text
        assert (await nurse.post(f"{path}/hand", data={"person": "nobody"})).status_code == 400
        assert (await nurse.post(f"{path}/dance")).status_code == 404
    async with ward.as_(other) as clinician:
        assert (await clinician.post(f"{path}/close")).status_code == 303
    async with ward.as_(ward.nurse) as nurse:
        assert "without an answer" in (await nurse.get(path)).text
        assert "Rosa" in (await nurse.get("/messages?show=closed")).text
    async with ward.as_(ward.rosa) as client:
        page = (await client.get(path)).text
        assert "This conversation is closed" in page
        assert "handed" not in page
        assert (await client.post(f"{path}/close")).status_code == 403


async def test_it_is_turned_into_a_task_a_note_and_a_visit(ward: Ward) -> None:
    path = await wrote(ward)
    elena = await someone(ward.ctx, "clinician", name="Elena Ruiz")
    async with access.work(ward.ctx, "related") as ctx:
        await access.relate(ctx, person=elena.id, patient=ward.rosa_id, kind="care", source="test-elena")
    async with ward.as_(elena) as client:
        key = str(uuid4())
        for _ in range(2):
            assert (await client.post(f"{path}/task", data={"key": key})).status_code == 303
        page = (await client.get(path)).text
        assert page.count("Task is done") == 1
        assert "From a message: A medicine" in page
        assert (await client.post(f"{path}/done", data={"ref": f"Task/{key}"})).status_code == 303
        assert (await client.post(f"{path}/done", data={"ref": "Task/other"})).status_code == 404
        assert "Task is done" not in (await client.get(path)).text
        note = str(uuid4())
        assert (await client.post(f"{path}/note", data={"key": note})).status_code == 303
        assert "Draft note in the record" in (await client.get(path)).text
        visit = str(uuid4())
        for _ in range(2):
            assert (await client.post(f"{path}/visit", data={"key": visit})).status_code == 303
        assert f"/visits/{visit}" in (await client.get(path)).text
        assert (await client.post(f"{path}/note", data={"key": str(uuid4())})).status_code == 303
        assert (await client.post(f"{path}/visit", data={"key": "../x"})).status_code == 400
    async with access.work(acting(ward.ctx, elena), "looked") as ctx:
        thread = path.rpartition("/")[2]
        task = await records.read(ctx, "Task", key)
        assert (task["status"], task["focus"]) == ("completed", {"reference": f"Communication/{thread}"})
        draft = await records.read(ctx, "DocumentReference", note)
        assert draft["docStatus"] == "preliminary"
        made = await visits.notes.read(ctx, visit)
        assert made is not None
        assert "ibuprofen" in made.text
        found = await messaging.threads.from_ref(ctx, f"visit/{visit}")
        assert found is not None
        assert found.id == thread


async def test_out_of_office_is_said_to_who_writes(ward: Ward) -> None:
    await someone(ward.ctx, "nurse", name="Noor Bakker")
    async with access.work(ward.ctx, "looked") as ctx:
        noor = next(one for one in await access.people(ctx, role="nurse") if one.name == "Noor Bakker")
    times = {"since-day": "2026-11-20", "since-time": "08:00", "until-day": "2026-11-28", "until-time": "08:00"}
    async with ward.as_(ward.nurse) as nurse:
        assert "You are not away" in (await nurse.get("/messages/away")).text
        wrong = await nurse.post("/messages/away", data={**times, "by": noor.id, "until-day": "2026-11-19"})
        assert wrong.status_code == 400
        assert "It ends before it begins." in wrong.text
        assert (await nurse.post("/messages/away", data={**times, "by": noor.id})).status_code == 303
        page = (await nurse.get("/messages/away")).text
        assert "Noor Bakker" in page
        assert "You are away until" in (await nurse.get("/messages")).text
    async with ward.as_(ward.rosa) as client:
        form = (await client.get("/messages/new")).text
        assert re.search(r"Amina Haddad is away until 28 Nov \d\d:\d\d( \w+)?\. Noor Bakker answers meanwhile\.", form)
    path = await wrote(ward)
    async with ward.as_(noor) as client:
        assert "Rosa" in (await client.get("/messages")).text
        assert (await post(client, path, text="I answer for Amina")).status_code == 303
    (end,) = re.findall(r'action="(/messages/away/[^"]+/end)"', page)
    assert page.index("<dialog") < page.index(end) < page.index("</dialog>"), "it is asked once"
    async with ward.as_(ward.nurse) as nurse:
        assert (await nurse.post(end)).status_code == 303
    async with ward.as_(noor) as client:
        assert (await client.get(path)).status_code == 403


async def test_staff_write_first(ward: Ward) -> None:
    new = f"/patients/{ward.rosa_id}/messages/new"
    async with ward.as_(ward.nurse) as nurse:
        assert "Write to Rosa" in (await nurse.get(new)).text
        sent = await post(nurse, new, kind="result", text="Your chest pain clinic letter is here")
        assert sent.status_code == 303
        assert "Rosa" in (await nurse.get(f"/messages?patient={ward.rosa_id}")).text
        assert (await nurse.get(f"/patients/{ward.ben_id}/messages/new")).status_code == 403
        assert (await nurse.get(f"/messages?patient={ward.ben_id}")).status_code == 403
    async with ward.as_(ward.rosa) as client:
        assert (await client.get(new)).status_code == 403
        assert "1 new" in (await client.get("/messages")).text


async def test_late_stands_out_on_both_sides(ward: Ward) -> None:
    path = await wrote(ward)
    ward.ctx.clock.turn(timedelta(days=3))  # type: ignore[attr-defined]
    async with ward.as_(ward.nurse) as nurse:
        assert "late, promised by" in (await nurse.get("/messages")).text
    async with ward.as_(ward.rosa) as client:
        assert "The answer is late" in (await client.get(path)).text


async def test_an_administrator_says_by_when(ward: Ward) -> None:
    admin = await someone(ward.ctx, "administrator", name="Pat Morgan")
    async with ward.as_(admin) as client:
        assert "Answers to messages" in (await client.get("/admin/messages")).text
        said = {"days": "2", "weekdays": ["1", "2", "3"], "closes": "16:30", "closed": "2026-11-24"}
        for wrong in ({"days": "x"}, {"days": "15"}, {"weekdays": []}, {"closes": "late"}, {"closed": "tomorrow"}):
            assert (await client.post("/admin/messages", data={**said, **wrong})).status_code == 400
        assert (await client.post("/admin/messages", data=said)).status_code == 303
        page = (await client.get("/admin/messages?set")).text
        assert 'value="16:30"' in page
        assert "2026-11-24" in page
    async with ward.as_(ward.nurse) as nurse:
        assert (await nurse.get("/admin/messages")).status_code == 403


async def test_the_timeline_shows_that_there_was_a_conversation(ward: Ward) -> None:
    path = await wrote(ward)
    async with ward.as_(ward.nurse) as nurse:
        page = (await nurse.get(f"/patients/{ward.rosa_id}/overlay")).text
        today = (await nurse.get("/today")).text
    assert "Messages in this time" in page
    assert f'href="{path}"' in page
    assert "ibuprofen" not in page
    assert "1 conversation waits for an answer" in today


PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 2000 + b"IEND\xaeB`\x82"
BAD = "I have chest pain, see the photo"


async def files_kept(ward: Ward) -> list[tuple[str, str]]:
    async with ward.ctx.database.connection() as sql:
        rows = await sql.fetch("select message, name from messaging.unsent_file order by message, n")
    return [(row["message"], row["name"]) for row in rows]


async def test_files_go_through_the_page_of_danger(ward: Ward) -> None:
    key = str(uuid4())
    said = {"key": key, "kind": "question", "text": BAD}
    async with ward.as_(ward.rosa) as client:
        stopped = await post(client, "/messages/new", ("leg.png", PNG), ("list.pdf", PDF), ("x.exe", b"MZ"), **said)
        assert stopped.status_code == 422
        page = stopped.text
        assert page.index("Ring 911 now") < page.index("leg.png") < page.index("list.pdf")
        assert "Not kept: x.exe. Only PDF, JPEG and PNG files can be sent." in page
        assert "Choose your files again" not in page
        assert page.count('name="kept"') == page.count(" checked>") == 2
        assert await files_kept(ward) == [(key, "leg.png"), (key, "list.pdf")]
        # Nobody else sends or throws away what is kept for her.
        async with ward.as_(ward.nurse) as nurse:
            path = f"/patients/{ward.rosa_id}/messages/new"
            stolen = await post(nurse, path, key=key, kind="question", text="mine", kept="0")
            assert (stolen.status_code, "no longer kept" in stolen.text) == (409, True)
            await nurse.post("/messages/unsent", data={"key": key})
        # A wrong form in between loses nothing.
        wrong = await post(client, "/messages/new", **said | {"kind": ""}, anyway="yes", kept="0")
        assert wrong.status_code == 400
        assert "leg.png" in wrong.text
        assert "list.pdf" not in wrong.text, "it was unticked"
        again = await post(client, "/messages/new", ("list.pdf", PDF), **said, kept="0")
        assert again.text.count('name="kept"') == 2
        assert "No messages" in (await client.get("/messages")).text
        sent = await post(client, "/messages/new", **said, anyway="yes", kept="0")
        assert sent.status_code == 303, sent.text
        path = sent.headers["location"].partition("?")[0]
        talk = (await client.get(path)).text
        (link,) = set(re.findall(rf'href="({path}/files/[^"]+)"', talk))
        assert (await client.get(link)).content == PNG
        assert await files_kept(ward) == [], "they are in the record now, and nowhere else"
        # The same form again is the same message.
        assert (
            (await post(client, "/messages/new", **said, anyway="yes", kept="0")).headers["location"].startswith(path)
        )


async def test_files_of_an_answer_go_through_it_too_and_are_thrown_away_when_it_is_not_sent(ward: Ward) -> None:
    path, key = await wrote(ward), str(uuid4())
    async with ward.as_(ward.rosa) as client:
        stopped = await post(client, path, ("leg.png", PNG), key=key, text=BAD)
        assert stopped.status_code == 422
        assert 'action="/messages/unsent"' in stopped.text
        gone = await client.post("/messages/unsent", data={"key": key})
        assert (gone.status_code, gone.headers["location"]) == (303, "/messages")
        assert await files_kept(ward) == []
        # With words that go without the file nothing is sent, since its writer saw it with them.
        refused = await post(client, path, key=key, text=BAD, anyway="yes", kept="0")
        assert refused.status_code == 409
        assert "Some of the files are no longer kept. Choose your files again." in refused.text
        assert BAD in refused.text
        assert "chest pain" not in (await client.get(path)).text
        await post(client, path, ("leg.png", PNG), key=key, text=BAD)
        other = str(uuid4())
        await post(client, path, ("new.png", PNG), key=other, text=BAD)
        assert await files_kept(ward) == [(other, "new.png")], "one message's for each person"
        assert (await post(client, path, key=other, text=BAD, anyway="yes", kept="0")).status_code == 303
        assert "new.png" in (await client.get(path)).text


async def test_a_message_sent_without_what_was_held_for_it_leaves_nothing_behind(ward: Ward) -> None:
    path, key = await wrote(ward), str(uuid4())
    async with ward.as_(ward.rosa) as client:
        await post(client, path, ("leg.png", PNG), key=key, text=BAD)
        assert (await post(client, path, key=key, text=BAD, anyway="yes")).status_code == 303
        assert "leg.png" not in (await client.get(path)).text
    assert await files_kept(ward) == []


async def test_what_is_not_sent_within_a_day_is_thrown_away(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        await post(client, "/messages/new", ("leg.png", PNG), kind="question", text=BAD)
    at = ward.ctx.clock.now()
    for later, left in ((timedelta(hours=23), 1), (timedelta(hours=25), 0)):
        await JOBS["messaging.unsent"](ward.ctx.with_(clock=TurnableClock(at + later)), {})
        assert len(await files_kept(ward)) == left


async def test_a_damaged_form_of_danger_still_shows_the_number(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        stopped = await post(client, "/messages/new", ("leg.png", PNG), key="nonsense", kind="question", text=BAD)
    assert stopped.status_code == 422
    assert "Ring 911 now" in stopped.text
    assert "Choose your files again" in stopped.text
    assert await files_kept(ward) == []
