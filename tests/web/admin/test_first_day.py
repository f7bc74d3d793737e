"""The administrator's first day by pages: whose clinic it is, places, many colleagues, one colleague, first steps."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bedside import access, messaging, monitoring, prescribing
from bedside.access import settings as access_settings
from bedside.access.testing import acting, someone
from bedside.foundation.clock import SystemClock
from bedside.foundation.errors import Conflict
from bedside.foundation.jobs import Worker
from bedside.messaging import settings as messaging_settings
from bedside.messaging import subscribers
from bedside.web import admin, desk, devices

pytestmark = pytest.mark.engine
SOL = {
    "name": "Clínica Sol",
    "country": "ES",
    "zone": "Europe/Madrid",
    "language": "es",
    "units": "metric",
    "telephone": "+34 910 000 000",
    "emergency": "112",
}


@pytest.fixture
async def clinic(ward: Any, tmp_path: Any) -> Any:
    """One app for all who look, with the administrator's pages; .pat is an administrator."""
    access_settings.use(ward.ctx.database, access_settings.Settings(home=tmp_path, answer_after=0))
    plain = ward.app_of
    ward.pat = await someone(ward.ctx, "administrator", name="Pat Morgan")
    ward.state = {}

    def app_of(person: access.Person) -> Any:
        app = plain(person)
        app.router.routes.extend(admin.ROUTES)
        for name, value in ward.state.items():
            setattr(app.state, name, value)
        return app

    ward.app_of = app_of
    return ward


async def test_whose_clinic_it_is_holds_at_once_and_wrong_fields_say_so(clinic: Any) -> None:
    async with clinic.as_(clinic.pat) as client:
        assert "Nobody has said yet" in (await client.get("/admin/clinic")).text
        wrong = await client.post("/admin/clinic", data={**SOL, "telephone": "call us"})
        assert wrong.status_code == 400
        assert "This is no telephone number. Digits, spaces" in wrong.text
        assert 'value="call us"' in wrong.text, "what was typed is still there"
        assert (await client.post("/admin/clinic", data={**SOL, "language": "fr"})).status_code == 400
        kept = await client.post("/admin/clinic", data=SOL)
        assert kept.status_code == 303
        after = (await client.get("/admin/clinic?kept")).text
        assert "Said by Pat Morgan" in after
    async with clinic.as_(clinic.nurse) as client:
        assert (await client.get("/admin/clinic")).status_code == 403
        assert (await client.post("/admin/clinic", data=SOL)).status_code == 403


async def test_the_page_that_changed_it_shows_it_in_its_own_footer(clinic: Any) -> None:
    app = clinic.app_of(clinic.pat)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bedside") as client:
        await client.post("/admin/clinic", data=SOL)
        text = (await client.get("/admin/places")).text
    assert "+34 910 000 000" in text
    assert "112" in text
    assert "Clínica Sol" in text
    assert app.state.clinic.country == "ES"


async def test_places_are_added_and_not_twice(clinic: Any) -> None:
    async with clinic.as_(clinic.pat) as client:
        assert "No ward or programme yet" in (await client.get("/admin/places")).text
        form = {"name": "Home monitoring", "kind": "programme", "zone": "Europe/Madrid"}
        assert (await client.post("/admin/places", data=form)).status_code == 303
        assert "Home monitoring" in (await client.get("/admin/places")).text
        assert (await client.post("/admin/places", data={**form, "name": "home MONITORING"})).status_code == 409
        assert (await client.post("/admin/places", data={**form, "name": "B", "zone": "Mars"})).status_code == 400
        shop = {**form, "name": "Shop", "kind": "pharmacy"}
        assert (await client.post("/admin/places", data=shop)).status_code == 400
        assert (await client.post("/admin/places", data={**shop, "telephone": "+34 1 23 45"})).status_code == 303
    async with clinic.as_(clinic.nurse) as client:
        assert (await client.post("/admin/places", data=form)).status_code == 403


async def test_a_place_is_called_something_else(clinic: Any) -> None:
    form = {"name": "Wrad 1", "kind": "ward", "zone": "Europe/Madrid"}
    async with clinic.as_(clinic.pat) as client:
        await client.post("/admin/places", data=form)
        await client.post("/admin/places", data={**form, "name": "Ward 2"})
        await client.post("/admin/places", data={**form, "kind": "pharmacy", "name": "Shop", "telephone": "1"})
        async with access.work(clinic.ctx, "looked", readonly=True) as ctx:
            key = {one.name: one.id for one in await access.places(ctx)}
        for name in ("", "ward 2", "x" * 81):
            assert (await client.post(f"/admin/places/{key['Wrad 1']}", data={"name": name})).status_code in {400, 409}
        wrong = await client.post(f"/admin/places/{key['Shop']}", data={"name": "Corner", "telephone": ""})
        assert "Write the pharmacy" in wrong.text
        assert 'action="/admin/places"' in wrong.text, "the other form still adds"
        for old, said in (("Wrad 1", {"name": "Ward 1"}), ("Shop", {"name": "Corner", "telephone": "2"})):
            assert (await client.post(f"/admin/places/{key[old]}", data=said)).status_code == 303
        text = (await client.get("/admin/places?changed")).text
        assert "Wrad" not in text
        assert 'value="Corner"' in text
        async with access.work(clinic.ctx, "looked", readonly=True) as ctx:
            assert {one.name: (one.kind, one.zone) for one in await access.places(ctx)} == {
                "Corner": ("pharmacy", "Europe/Madrid"),
                "Ward 1": ("ward", "Europe/Madrid"),
                "Ward 2": ("ward", "Europe/Madrid"),
            }
        assert (await client.post("/admin/places/nowhere", data={"name": "X"})).status_code == 404
    async with clinic.as_(clinic.nurse) as client:
        assert (await client.post(f"/admin/places/{key['Ward 2']}", data={"name": "Mine"})).status_code == 403


async def test_one_colleague_is_typed_as_carefully_as_many(clinic: Any) -> None:
    good = {"name": "Ana Núñez", "email": "ana@sol.example", "role": "nurse"}
    async with clinic.as_(clinic.pat) as client:
        for wrong in ({"name": "x" * 81}, {"email": "ana@sol"}, {"email": "ana sol@sol.example"}, {"email": ""}):
            answer = await client.post("/admin/people", data={**good, **wrong})
            assert answer.status_code == 400, wrong
        assert (await client.post("/admin/people", data=good)).status_code == 200


async def test_a_colleagues_name_roles_and_unused_address_are_changed(clinic: Any) -> None:
    ana = await someone(clinic.ctx, "nurse", name="Ana Nunes")
    here = f"/admin/people/{ana.id}"
    async with clinic.as_(clinic.pat) as client:
        assert 'value="nurse" checked' in (await client.get(here)).text
        none = await client.post(f"{here}/change", data={"name": "Ana"})
        assert none.status_code == 400
        assert "Choose at least one role." in none.text
        said = {"name": "Ana Núñez", "roles": ["nurse", "clinician"]}
        assert (await client.post(f"{here}/change", data=said)).status_code == 303
        text = (await client.get(f"{here}?changed")).text
        assert "Ana Núñez" in text
        assert 'value="clinician" checked' in text
        reach = {"email": "ana.nunez@sol.example", "phone": ""}
        assert (await client.post(f"{here}/address", data={**reach, "phone": "600 000"})).status_code == 400
        assert (await client.post(f"{here}/address", data=reach)).status_code == 303
        assert "ana.nunez@sol.example" in (await client.get(here)).text
        async with access.work(clinic.ctx, "gave her a patient") as ctx:
            await access.relate(ctx, person=ana.id, patient=clinic.rosa_id, kind="care", source="test")
        held = await client.post(f"{here}/change", data={"name": "Ana", "roles": ["administrator"]})
        assert held.status_code == 409
        assert "They have work in hand" in held.text
        assert (await client.post(f"/admin/people/{clinic.rosa.id}/change", data=said)).status_code == 404
    async with clinic.as_(clinic.nurse) as client:
        for deed, data in (("change", said), ("address", reach)):
            assert (await client.post(f"{here}/{deed}", data=data)).status_code == 403


async def test_many_colleagues_are_looked_at_and_then_added(clinic: Any) -> None:
    head = "name;email;role;place"
    rows = "Ana Núñez;ana@sol.example;nurse;\nBen;nobody;nurse;\n"
    async with clinic.as_(clinic.pat) as client:
        template = await client.get("/admin/people/template.csv")
        assert template.text.startswith("\ufeffname,email,role")
        page = (await client.get("/admin/people/import")).text
        assert "Download the template" in page
        refused = await client.post(
            "/admin/people/import", files={"file": ("a.csv", f"{head}\n{rows}".encode("cp1252"))}
        )
        assert refused.status_code == 400
        assert "CSV UTF-8" in refused.text
        looked = await client.post("/admin/people/import", files={"file": ("a.csv", f"{head}\n{rows}".encode())})
        assert looked.status_code == 200
        assert "Import this 1" in looked.text
        assert "<strong>email</strong>: This is no e-mail address." in looked.text
        async with access.work(clinic.ctx, "counted", readonly=True) as ctx:
            assert not any(one.name == "Ana Núñez" for one in await access.people(ctx))
        found = re.search(r'<textarea name="list" hidden>(.*?)</textarea>', looked.text, re.DOTALL)
        assert found is not None
        travelled = found[1].replace("\n", "\r\n")  # as browsers send it
        done = await client.post("/admin/people/import/these", data={"list": travelled})
        assert done.status_code == 200
        assert done.headers["cache-control"] == "no-store"
        assert len(re.findall("/enter/[\\w-]{40,}", done.text)) == 1
        assert "1 row was left out" in done.text
        assert "no: hand it over" in done.text, "no mail server is set up"
        again = await client.post("/admin/people/import/these", data={"list": travelled})
        assert again.status_code == 409
        assert "Nobody of this list is new" in again.text
        assert ">invited<" in re.sub(r"<svg.*?</svg>\s*", "", (await client.get("/admin")).text, flags=re.DOTALL)
    async with clinic.as_(clinic.nurse) as client:
        for path in ("/admin/people/import", "/admin/people/template.csv"):
            assert (await client.get(path)).status_code == 403
        assert (await client.post("/admin/people/import/these", data={"list": travelled})).status_code == 403


async def test_a_colleagues_page_records_licences(clinic: Any) -> None:
    ana = await someone(clinic.ctx, "clinician", name="Ana Ruiz")
    good = {
        "licence_place": "es",
        "licence_number": "1",
        "licence_kind": "full",
        "licence_status": "active",
        "licence_from": "2020-01-01",
        "licence_until": "2026-12-01",
        "licence_source": "register",
    }
    async with clinic.as_(clinic.pat) as client:
        assert "No licence is recorded" in (await client.get(f"/admin/people/{ana.id}")).text
        wrong = await client.post(f"/admin/people/{ana.id}/licence", data={**good, "licence_until": "2019-01-01"})
        assert wrong.status_code == 400
        assert "It ends before it begins." in wrong.text
        assert (await client.post(f"/admin/people/{ana.id}/licence", data={})).status_code == 400
        assert (await client.post(f"/admin/people/{ana.id}/licence", data=good)).status_code == 303
        assert "ES" in (await client.get(f"/admin/people/{ana.id}")).text
        front = (await client.get("/admin")).text
        assert "Licences that end within 30 days" in front
        assert (await client.get(f"/admin/people/{clinic.rosa.id}")).status_code == 404, "of no patient"
    async with clinic.as_(clinic.nurse) as client:
        assert (await client.get(f"/admin/people/{ana.id}")).status_code == 403


async def test_a_link_is_nobodys_way_in_as_somebody_else(clinic: Any) -> None:
    async with access.work(clinic.ctx, "added") as inner:
        new = access.NewPerson(
            name="Ana Ruiz", roles=frozenset({"clinician"}), email="ana@sol.example", password="four boats"
        )
        ana = await access.add_person(inner, new)
    async with clinic.as_(clinic.pat) as client:
        rosas = await client.post(f"/admin/people/{clinic.rosa.id}/invite")
        assert rosas.status_code == 404, "a patient's link would let an administrator in as the patient"
        messaging_settings.use(clinic.ctx.database, messaging_settings.Settings(demo=True))
        anew = await client.post(f"/admin/people/{ana.id}/invite", data={"reset": "1"})
        assert anew.status_code == 200
        assert "in their mail alone" in anew.text
        assert "/enter/" not in anew.text
        messaging_settings.use(clinic.ctx.database, messaging_settings.Settings())
        by_hand = await client.post(f"/admin/people/{ana.id}/invite", data={"reset": "1"})
        assert "/enter/" in by_hand.text, "without a mail server there is no other way"
        async with access.work(clinic.ctx, "ended") as inner:
            await access.change_person(inner, ana.id, active=False)
        assert (await client.post(f"/admin/people/{ana.id}/invite")).status_code == 409


async def test_a_place_is_closed_once_nothing_hangs_on_it_and_opened_again(clinic: Any) -> None:
    """It watches Rosa, has a nurse on duty, and a wall."""
    async with access.work(clinic.ctx, "added") as ctx:
        there = await access.add_place(ctx, "w4", "Ward 4", "ward", "UTC")
        await access.set_duty(ctx, person=clinic.nurse.id, place=there.id, role="nurse")
    async with access.work(acting(clinic.ctx, clinic.nurse), "hung a wall") as ctx:
        wall = await access.open_display(ctx, there.id)
        await access.place_patient(ctx, clinic.rosa_id, there.id, bed="4")
    at = f"/admin/places/{there.id}"
    async with clinic.as_(clinic.pat) as client:
        assert f'href="{at}/close"' in (await client.get("/admin/places")).text
        text = (await client.get(f"{at}/close")).text
        assert "Patients who are watched there" in text
        assert "1 of them in a bed" in text
        assert f'href="/admin/rota/{there.id}"' in text
        assert clinic.nurse.name in text
        assert clinic.rosa.name not in text, "an administrator learns how many, and not who"
        assert f'action="{at}/close"' not in text
        refused = await client.post(f"{at}/close")
        assert refused.status_code == 409
        assert "Something still hangs on this place." in refused.text
    async with access.work(acting(clinic.ctx, clinic.nurse), "moved her") as ctx:
        for stay in await access.patients_at(ctx, there.id):
            await access.leave_place(ctx, stay.patient, there.id)
    async with access.work(acting(clinic.ctx, clinic.pat), "ended the duties") as ctx:
        for duty in (await access.rota.planned(ctx, there.id))[1]:
            await access.rota.end_duty(ctx, duty.id)
    async with clinic.as_(clinic.pat) as client:
        assert "1 wall screen that shows it signs out." in (await client.get(f"{at}/close")).text
        assert (await client.post(f"{at}/close")).status_code == 303
        done = (await client.get(f"/admin/places?closed={there.id}")).text
        assert f"{there.name} is closed" in done
        assert f'action="{at}/reopen"' in done
        assert f'action="{at}"' not in done, "what is closed is not changed"
        assert (await client.get(f"{at}/close")).status_code == 409
        same = await client.post("/admin/places", data={"name": there.name, "kind": "ward", "zone": "UTC"})
        assert same.status_code == 409
        assert "A closed one is called so: open it again" in same.text
    async with access.work(acting(clinic.ctx, clinic.pat), "looked", readonly=True) as ctx:
        assert await access.places(ctx) == []
        assert [one.name for one in await access.places(ctx, closed=True)] == [there.name]
        assert await access.rota.weeks(ctx) == []
        assert await monitoring.hours(ctx) == {}
        ended = await ctx.sql.fetchval("select ended from access.session where person = $1", wall.person.id)
        assert ended is not None, "its wall is dark"
        with pytest.raises(Conflict, match="closed"):
            await access.rota.planned(ctx, there.id)
    for deed in ("placed", "planned"):
        with pytest.raises(Conflict, match="This place is closed"):
            async with access.work(acting(clinic.ctx, clinic.nurse), deed) as ctx:
                if deed == "placed":
                    await access.place_patient(ctx, clinic.rosa_id, there.id)
                else:
                    await access.set_duty(ctx, person=clinic.nurse.id, place=there.id, role="nurse")
    async with clinic.as_(clinic.nurse) as client:
        assert (await client.post(f"{at}/reopen")).status_code == 403
    async with clinic.as_(clinic.pat) as client:
        assert (await client.post(f"{at}/reopen")).status_code == 303
        assert (await client.post(f"{at}/reopen")).status_code == 409
        assert f'href="{at}/close"' in (await client.get("/admin/places?reopened")).text
    async with access.work(clinic.ctx, "read the audit", readonly=True) as ctx:
        lines = await ctx.sql.fetch("select action, entities from access.audit where outcome = 'allowed' order by seq")
    told = [row["action"] for row in lines if f"place/{there.id}" in row["entities"]]
    assert told == ["closed a ward or programme", "opened a ward or programme again"]


async def test_who_is_put_into_a_place_while_it_closes_is_seen(clinic: Any) -> None:
    """Two at the same moment: nobody is left in a closed ward."""
    async with access.work(clinic.ctx, "added") as ctx:
        await access.add_place(ctx, "w9", "Ward 9", "ward", "UTC")

    async def close() -> None:
        async with access.work(acting(clinic.ctx, clinic.pat), "closed") as ctx:
            await access.closing.close(ctx, "w9")

    async with access.work(acting(clinic.ctx, clinic.nurse), "admitted") as ctx:
        await access.place_patient(ctx, clinic.rosa_id, "w9")
        closing = asyncio.create_task(close())
        async with clinic.ctx.database.connection() as sql:
            while not await sql.fetchval("select exists (select from pg_locks where not granted)"):
                assert not closing.done(), "it did not wait for who is admitted"
    with pytest.raises(Conflict, match="Something still hangs"):
        await closing


async def test_who_comes_while_a_place_closes_is_refused(clinic: Any) -> None:
    async with access.work(clinic.ctx, "added") as ctx:
        await access.add_place(ctx, "w8", "Ward 8", "ward", "UTC")

    async def admit() -> None:
        async with access.work(acting(clinic.ctx, clinic.nurse), "admitted") as ctx:
            await access.place_patient(ctx, clinic.rosa_id, "w8")

    async with access.work(acting(clinic.ctx, clinic.pat), "closed") as ctx:
        await access.closing.close(ctx, "w8")
        coming = asyncio.create_task(admit())
        async with clinic.ctx.database.connection() as sql:
            while not await sql.fetchval("select exists (select from pg_locks where not granted)"):
                assert not coming.done(), "they did not wait for who closes it"
    with pytest.raises(Conflict, match="This place is closed"):
        await coming


async def test_devices_that_went_silent_together_hang_on_their_place(clinic: Any) -> None:
    async with access.work(clinic.ctx, "added") as ctx:
        await access.add_place(ctx, "w7", "Ward 7", "ward", "UTC")
        await ctx.sql.execute(
            "insert into monitoring.outage (tenant, scope, name, since, found_at, devices)"
            " values ($1, 'place', 'w7', now(), now(), '{}')",
            ctx.tenant,
        )
    async with clinic.as_(clinic.pat) as client:
        assert "Open alarms there" in (await client.get("/admin/places/w7/close")).text
        assert (await client.post("/admin/places/w7/close")).status_code == 409
        async with access.work(acting(clinic.ctx, clinic.pat), "looked", readonly=True) as ctx:
            assert [one.id for one in await access.places(ctx)] == ["w7"]


async def test_nothing_is_sent_to_a_closed_pharmacy(clinic: Any) -> None:
    async with clinic.as_(clinic.pat) as client:
        shop = {"name": "Farmacia Sol", "kind": "pharmacy", "zone": "UTC", "telephone": "+34 1 23 45"}
        await client.post("/admin/places", data=shop)
        async with access.work(acting(clinic.ctx, clinic.pat), "looked", readonly=True) as ctx:
            key = next(one.id for one in await access.places(ctx) if one.name == shop["name"])
        assert "its pharmacists still see" in (await client.get(f"/admin/places/{key}/close")).text
        assert (await client.post(f"/admin/places/{key}/close")).status_code == 303
    async with access.work(acting(clinic.ctx, clinic.pat), "looked") as ctx:
        assert key not in {one.id for one in await prescribing.pharmacies(ctx)}
        assert key in {one.id for one in await prescribing.pharmacies(ctx, closed=True)}
        assert await access.closing.closed(ctx, key)


async def lines(client: httpx.AsyncClient) -> dict[str, bool]:
    text = re.sub(r"<svg.*?</svg>\s*|</?div[^>]*>", "", (await client.get("/admin/start")).text, flags=re.DOTALL)
    rows = re.findall(r'scope="row">(?:<a[^>]*>)?([^<]+)<.*?>(done|to do)<', text, re.DOTALL)
    return {title: state == "done" for title, state in rows}


async def test_a_patient_and_a_device_are_a_link_away_and_open_to_whoever_follows_it(clinic: Any) -> None:
    app = clinic.app_of(clinic.pat)
    app.router.routes[:0] = [*desk.ROUTES, *devices.ROUTES]
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bedside") as client:
        page = (await client.get("/admin/start")).text
        for path, title in (("/patients/new", "Add a patient"), ("/devices/new", "Add a device")):
            assert f'<a href="{path}">{title}</a>' in page
            assert (await client.get(path)).status_code == 200


async def test_each_first_step_knows_from_what_is_there(clinic: Any) -> None:
    messaging_settings.use(clinic.ctx.database, messaging_settings.Settings(demo=True))
    async with access.work(clinic.ctx, "gave her an address") as inner:
        await access.change_person(inner, clinic.pat.id, email="pat@sol.example")
    async with clinic.as_(clinic.pat) as client:
        assert "First steps" in (await client.get("/admin")).text
        before = await lines(client)
        assert before == {
            "Say whose clinic this is": False,
            "Add a ward or a programme": False,
            "Invite staff": True,  # the ward's nurse
            "Add a patient": True,  # Rosa
            "Add a device": False,
            "Send a test notice": False,
            "Make a test visit": False,
        }, "and nothing is said of backups, which do not exist yet"
        assert "/patients/new" not in (await client.get("/admin/start")).text, "no page of that name, no link to it"
        assert (await client.post("/admin/start/away")).status_code == 409
        await client.post("/admin/clinic", data=SOL)
        await client.post("/admin/places", data={"name": "Home", "kind": "programme", "zone": "UTC"})
        await client.post("/admin/start/notice")
        assert not (await lines(client))["Send a test notice"], "on its way is not there"
        await Worker(clinic.ctx.database, clinic.ctx.bus, clinic.ctx.clock, subscribers.JOBS).run_due()
        async with clinic.ctx.database.connection() as sql:
            await sql.execute(
                """insert into monitoring.device (tenant, name, kind, source, created_at)
                values (1, 'bp-1', 'blood-pressure', 'device', now())"""
            )
            await sql.execute(
                """insert into visits.visit (tenant, id, status, patient, person, reason, asked_by, asked_by_name,
                asked_at, started_at) values (1, 'v', 'finished', 'p', 'p', 'r', 'a', 'A', now(), now())"""
            )
        assert all((await lines(client)).values())

        async def none_yet(_: Any) -> None:
            return None

        clinic.state["backups"] = none_yet
    async with clinic.as_(clinic.pat) as client:
        assert (await lines(client))["Make a backup"] is False
        assert (await client.post("/admin/start/away")).status_code == 409

        async def one(_: Any) -> Any:
            return SystemClock().now()

        clinic.state["backups"] = one
    async with clinic.as_(clinic.pat) as client:
        assert (await client.post("/admin/start/away")).status_code == 303
        assert "All done: put this list away" not in (await client.get("/admin")).text
        assert "put away" in (await client.get("/admin/start")).text
    async with clinic.as_(clinic.nurse) as client:
        assert (await client.get("/admin/start")).status_code == 403
        assert (await client.post("/admin/start/notice")).status_code == 403


async def test_a_test_notice_that_has_no_way_out_is_not_done(clinic: Any) -> None:
    messaging_settings.use(clinic.ctx.database, messaging_settings.Settings())
    async with access.work(clinic.ctx, "gave her an address") as inner:
        await access.change_person(inner, clinic.pat.id, email="pat@sol.example")
    async with clinic.as_(clinic.pat) as client:
        await client.post("/admin/start/notice")
        await Worker(clinic.ctx.database, clinic.ctx.bus, clinic.ctx.clock, subscribers.JOBS).run_due()
        assert not (await lines(client))["Send a test notice"]
        assert "BEDSIDE_SMTP_URL" in (await client.get("/admin/start")).text
    async with access.work(acting(clinic.ctx, clinic.pat), "looked", readonly=True) as ctx:
        last = await messaging.last_test(ctx)
    assert last is not None
    assert last.state == "held"


LINE = r'<div><a href="/admin/people/n(\d+)"'


async def grow(ctx: Any, first: int, last: int, *, invited: bool) -> None:
    """Nurses by number, each with a licence that ends soon; invited: who have not come in yet."""
    async with ctx.database.transaction() as sql:
        await sql.execute(
            """insert into access.person (id, tenant, name, roles, reference, language, units, zone, email, created)
            select 'n' || n, 1, 'Núria Müller ' || lpad(n::text, 4, '0'), '{nurse}', 'Practitioner/n' || n, 'en',
            'metric', 'UTC', 'n' || n || '@sol.example', $3 from generate_series($1::int, $2::int) n""",
            *(first, last, ctx.clock.now()),
        )
        await sql.execute(
            """insert into access.licence (tenant, person, jurisdiction, number, kind, status, since, until,
            verified_at, verified_source) select 1, 'n' || n, 'es', '1', 'full', 'active', $3, $4, $3, 'register'
            from generate_series($1::int, $2::int) n""",
            *(first, last, ctx.clock.now().date() - timedelta(days=90), ctx.clock.now().date() + timedelta(days=9)),
        )
        if not invited:
            await sql.execute(
                """insert into access.credential (person, kind, secret, created)
                select 'n' || n, 'password', 'x', $3 from generate_series($1::int, $2::int) n""",
                *(first, last, ctx.clock.now()),
            )


async def test_a_clinic_of_many_is_listed_a_page_at_a_time_and_hides_no_work(
    clinic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    work = access.work

    def heard(record: Any) -> None:
        asked.append(record.query)

    @asynccontextmanager
    async def counted(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        # In a transaction, whose connection can be listened to.
        async with work(*arguments, **options | {"readonly": False}) as inner:
            inner.sql.add_query_logger(heard)
            yield inner
            inner.sql.remove_query_logger(heard)

    await grow(clinic.ctx, 1, 2, invited=False)
    monkeypatch.setattr(access, "work", counted)
    async with clinic.as_(clinic.pat) as client:
        await client.get("/admin")
        few = len(asked)
        await grow(clinic.ctx, 3, 400, invited=False)
        await grow(clinic.ctx, 401, 403, invited=True)
        asked.clear()
        page = (await client.get("/admin")).text
        assert len(asked) == few, "no question more for 400 colleagues"
        assert len(page) < 120_000
        assert page.count("New link for") == 25
        # What waits is told, wherever in the list it stands.
        assert "were invited and have not come in yet" in page
        assert page.count("ends on") == 10
        assert "393 more, in the work list" in page
        seen, number = set(map(int, re.findall(LINE, page))), 1
        while f"/admin?page={number + 1}#people" in page:
            number += 1
            page = (await client.get(f"/admin?page={number}")).text
            seen |= set(map(int, re.findall(LINE, page)))
        assert seen == set(range(1, 404)), "everybody is on some page"
        assert re.findall(LINE, page), "the last page is no empty one"
        invited = (await client.get("/admin?state=invited")).text
        assert re.findall(LINE, invited) == ["401", "402", "403"]
        for text in ("0399", "mueller 399", "n399@sol", "NURIA MULLER 0399", "muller núria 399"):
            found = (await client.get("/admin", params={"q": text})).text
            assert re.findall(LINE, found) == ["399"], text
        assert "No colleague fits “nobody”" in (await client.get("/admin?q=nobody")).text
        assert clinic.rosa.id not in (await client.get("/admin", params={"q": clinic.rosa.name})).text
        for wrong in ("0", "-1", "x", "٣"):
            assert (await client.get("/admin", params={"page": wrong})).status_code == 400
        assert (await client.get("/admin?page=99999999999999999999")).status_code == 200
