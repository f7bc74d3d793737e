"""Emergency accesses wait for a privacy officer's review, and hers alone."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from bedside import access
from bedside.access import settings
from bedside.access.testing import acting, someone
from bedside.web import admin

pytestmark = pytest.mark.engine
PASSWORD = "correct horse battery staple"
REASON = "Unconscious in the waiting room"


@pytest.fixture
async def ward(ward: Any, tmp_path: Any) -> Any:
    settings.use(ward.ctx.database, settings.Settings(home=tmp_path))
    plain = ward.app_of

    def app_of(person: access.Person) -> Any:
        app = plain(person)
        app.router.routes.extend(admin.ROUTES)
        return app

    ward.app_of = app_of
    return ward


async def broke(ward: Any, name: str, *roles: str) -> access.Person:
    """Somebody who opened Ben's record in an emergency."""
    async with access.work(ward.ctx, "prepared") as inner:
        email = f"{name[:3].lower()}@clinic.example"
        new = access.NewPerson(name=name, roles=frozenset(roles), email=email, password=PASSWORD)
        person = await access.add_person(inner, new)
    async with access.work(acting(ward.ctx, person), "an emergency") as inner:
        await access.break_glass(inner, ward.ben_id, REASON, access.Proof("password", PASSWORD))
    ward.ctx.clock.turn(timedelta(minutes=1))
    return person


def ids(page: str) -> list[str]:
    return re.findall(r'action="/admin/emergencies/([^/"]+)"', page)


async def test_it_waits_the_oldest_first_until_it_is_reviewed_and_can_be_taken_back(ward: Any) -> None:
    officer = await someone(ward.ctx, "privacy-officer", name="Petra Lang")
    await broke(ward, "Uma Roy", "nurse")
    await broke(ward, "Cora Lind", "clinician")
    async with ward.as_(officer) as client:
        work = (await client.get("/work")).text
        assert "Emergency accesses not reviewed (2)" in work
        assert work.index("Uma Roy") < work.index("Cora Lind")
        page = (await client.get("/admin/emergencies")).text
        assert REASON in page
        assert "Núñez" not in page, "no name of a patient"
        first, second = ids(page)
        path = f"/admin/emergencies/{first}"
        nothing = await client.post(path, data={"outcome": "", "note": ""})
        assert (nothing.status_code, "Say what you found." in nothing.text) == (400, True)
        bad = await client.post(path, data={"outcome": "not-justified", "note": ""})
        assert (bad.status_code, "Say what was done about it." in bad.text) == (400, True)
        done = await client.post(path, data={"outcome": "not-justified", "note": "Talked to her; told the patient."})
        assert done.status_code == 303
        after = (await client.get(done.headers["location"].partition("#")[0])).text
        assert f'action="{path}/again"' in after
        page = (await client.get("/admin/emergencies")).text
        assert ids(page.partition("Reviewed in the last")[0]) == [second]
        assert "Talked to her" in page
        assert (await client.post(path, data={"outcome": "justified"})).status_code == 409
        await client.post(f"{path}/again")
        assert "Emergency accesses not reviewed (2)" in (await client.get("/work")).text
    async with access.work(ward.ctx, "looked", readonly=True) as inner:
        rows = await inner.sql.fetch("select entities from access.audit where action = 'reviewed an emergency access'")
    assert f"emergency/{first}" in rows[0]["entities"], "who reviewed which stands in the audit"


async def test_nobody_reviews_their_own_nor_takes_back_anothers(ward: Any) -> None:
    both = await broke(ward, "Uma Roy", "nurse", "privacy-officer")
    officer = await someone(ward.ctx, "privacy-officer", name="Petra Lang")
    async with ward.as_(officer) as client:
        [key] = ids((await client.get("/admin/emergencies")).text)
    async with ward.as_(both) as client:
        assert "This was your own" in (await client.get("/admin/emergencies")).text
        assert (await client.post(f"/admin/emergencies/{key}", data={"outcome": "justified"})).status_code == 403
    async with ward.as_(officer) as client:
        assert (await client.post(f"/admin/emergencies/{key}", data={"outcome": "justified"})).status_code == 303
    async with ward.as_(both) as client:
        assert (await client.post(f"/admin/emergencies/{key}/again")).status_code == 409


async def test_others_are_refused_and_an_administrator_is_told_to_name_an_officer(ward: Any) -> None:
    pat = await someone(ward.ctx, "administrator", name="Pat Morgan")
    await broke(ward, "Uma Roy", "nurse")
    for person in (pat, ward.nurse, ward.rosa):
        async with ward.as_(person) as client:
            assert (await client.get("/admin/emergencies")).status_code == 403
            assert (await client.post("/admin/emergencies/x", data={"outcome": "justified"})).status_code == 403
    async with ward.as_(pat) as client:
        page = (await client.get("/work")).text
        assert "Name a privacy officer: emergency accesses wait for one (1)" in page
        assert REASON not in page
    await someone(ward.ctx, "privacy-officer", name="Petra Lang")
    async with ward.as_(pat) as client:
        assert "Name a privacy officer" not in (await client.get("/work")).text


async def test_they_go_on_page_by_page(ward: Any) -> None:
    officer = await someone(ward.ctx, "privacy-officer", name="Petra Lang")
    async with access.work(ward.ctx, "many") as inner:
        for n in range(30):
            source = f"emergency/{n:03}"
            await access.relate(
                inner, person=ward.nurse.id, patient=f"p{n}", kind="emergency", source=source, reason=f"reason {n}."
            )
    async with ward.as_(officer) as client:
        first = (await client.get("/admin/emergencies")).text
        following = re.search(r'href="(/admin/emergencies\?after=[^"]+)"', first)
        assert following
        second = (await client.get(following[1])).text
        assert ids(first) + ids(second) == [f"{n:03}" for n in range(30)]
        assert (await client.get("/admin/emergencies?after=nonsense")).status_code == 400
