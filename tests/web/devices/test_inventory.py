"""Devices on their pages: added with a card, given and taken back, a new password, and the end."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.monitoring.service import land
from bedside.monitoring.testing import arrival, pack
from bedside.web import devices

pytestmark = pytest.mark.engine

NEW = "/devices/new"


@pytest.fixture
async def clinic(ward: Any) -> Any:
    """The ward with the devices' pages; .pat is an administrator, .other a nurse who cares for nobody."""
    plain = ward.app_of
    ward.pat = await someone(ward.ctx, "administrator", name="Pat Morgan")
    ward.other = await someone(ward.ctx, "nurse", name="Tom Berg")

    def app_of(person: access.Person) -> Any:
        app = plain(person)
        app.router.routes[:0] = devices.ROUTES
        app.state.mqtt = devices.Door("clinic.example", 8883, tls=True)
        return app

    ward.app_of = app_of
    return ward


def named(text: str) -> str:
    """The device of a card."""
    topic = re.search(r"devices/([a-z]{2}-[a-z0-9]+)/readings", text)
    assert topic is not None
    return topic[1]


async def add(clinic: Any, person: access.Person, **form: str) -> str:
    async with clinic.as_(person) as client:
        made = await client.post(NEW, data={"kind": "blood-pressure", "label": "Cuff 12", **form})
    assert made.status_code == 200, made.text
    assert made.headers["cache-control"] == "no-store"
    return named(made.text)


async def sent(clinic: Any, device: str, value: float) -> list[Any]:
    one = arrival(device, pack(1, ("8480-6", value, "mm[Hg]", time.time())), time.time())
    async with clinic.ctx.database.transaction() as sql:
        return list(await land(clinic.ctx.with_(tx=sql, after_commit=[]), [one]))


async def test_added_with_a_card_that_is_shown_once(clinic: Any) -> None:
    async with clinic.as_(clinic.nurse) as client:
        assert "Rosa Núñez, 2 Mar 1951" in (await client.get(f"{NEW}?patient={clinic.rosa_id}")).text
        made = await client.post(NEW, data={"kind": "scale", "label": "Scale 3", "patient": clinic.rosa_id})
        for words in ("clinic.example", "8883", "encrypted (TLS)", "data:image/svg+xml", "Rosa Núñez"):
            assert words in made.text
        device = named(made.text)
        page = await client.get(f"/devices/{device}")
        assert page.status_code == 200
        assert "Nothing was heard of it yet" in page.text
        listed = (await client.get("/devices")).text
        assert "Scale 3" in listed
        assert "Rosa Núñez" in listed
    async with access.work(acting(clinic.ctx, clinic.nurse), "looked") as ctx:
        assert [one.device for one in await monitoring.devices(ctx, clinic.rosa_id)] == [device]


async def test_the_card_speaks_the_patients_language(clinic: Any) -> None:
    async with access.work(clinic.ctx, "changed") as ctx:
        await access.change_person(ctx, clinic.rosa.id, language="es")
    async with clinic.as_(clinic.nurse) as client:
        made = await client.post(NEW, data={"kind": "scale", "patient": clinic.rosa_id})
    assert 'lang="es"' in made.text


async def test_what_is_wrong_stands_beside_its_field(clinic: Any) -> None:
    async with clinic.as_(clinic.nurse) as client:
        wrong = await client.post(NEW, data={"kind": "toaster", "label": "My cuff"})
        assert wrong.status_code == 400
        assert "Choose what it measures." in wrong.text
        assert 'value="My cuff"' in wrong.text
        for form in (
            {"kind": "scale", "label": "x" * 61},
            {"kind": "scale", "patient": clinic.rosa_id, "since": "soon"},
        ):
            assert (await client.post(NEW, data=form)).status_code == 400
        assert (await client.post(NEW, data={"kind": "scale", "patient": clinic.ben_id})).status_code == 403


async def test_given_taken_back_and_never_held_by_two(clinic: Any) -> None:
    device = await add(clinic, clinic.nurse)
    page = f"/devices/{device}"
    await sent(clinic, device, 133)
    async with access.work(clinic.ctx, "related") as ctx:
        await access.relate(ctx, person=clinic.nurse.id, patient=clinic.ben_id, kind="care", source="test2")
    async with clinic.as_(clinic.nurse) as client:
        assert "1 reading waits for a holder" in (await client.get(page)).text
        assert (await client.post(f"{page}/give", data={"patient": ""})).status_code == 400
        form = {"patient": clinic.rosa_id, "since": "2026-01-02T08:00", "until": "2026-01-01T08:00"}
        assert (await client.post(f"{page}/give", data=form)).status_code == 400
        ahead = await client.post(f"{page}/give", data={**form, "since": "2099-01-01T08:00", "until": ""})
        assert ahead.status_code == 400
        assert "That time is still to come" in ahead.text
        given = await client.post(f"{page}/give", data={**form, "until": ""})
        assert given.headers["location"] == f"{page}?given=1", "what had waited is hers"
        shown = (await client.get(page)).text
        assert "133" in shown
        assert "not ahead of ours" in shown
        # Ben holds it from now on; Rosa's time ends where his begins.
        await client.post(f"{page}/give", data={"patient": clinic.ben_id, "since": "", "until": ""})
        async with access.work(acting(clinic.ctx, clinic.nurse), "looked") as ctx:
            stays = (await monitoring.device_sheet(ctx, device)).stays
        assert [one.patient for one in stays] == [clinic.ben_id, clinic.rosa_id]
        assert stays[0].since == stays[1].until
        # From before Rosa had it on: somebody else held it meanwhile.
        over = {"patient": clinic.rosa_id, "since": "2025-01-01T08:00", "until": ""}
        refused = await client.post(f"{page}/give", data=over)
        assert refused.status_code == 409
        assert "Somebody else holds this device in that time" in refused.text
        assert (await client.post(f"{page}/take")).status_code == 303
        assert "nobody" in (await client.get(page)).text


async def test_retired_it_is_given_back_silent_and_refused(clinic: Any) -> None:
    device = await add(clinic, clinic.nurse, patient=clinic.rosa_id)
    page = f"/devices/{device}"
    async with clinic.as_(clinic.nurse) as client:
        assert "Yes, retire it for good" in (await client.get(page)).text
        for _ in range(2):
            done = await client.post(f"{page}/retire")
            assert done.headers["location"] == f"{page}?retired"
        after = (await client.get(done.headers["location"])).text
        assert "The device is retired" in after
        assert "New password" not in after
        assert (await client.post(f"{page}/password")).status_code == 409
        assert (await client.post(f"{page}/give", data={"patient": clinic.rosa_id})).status_code == 409
    (receipt,) = await sent(clinic, device, 120)
    assert receipt.stored == 0
    async with access.work(acting(clinic.ctx, clinic.nurse), "looked") as ctx:
        assert await monitoring.devices(ctx, clinic.rosa_id) == []
    async with clinic.ctx.database.connection() as sql:
        noted = await sql.fetchval("select patients from access.audit where action = 'retired a device'")
    assert clinic.rosa_id in str(noted)


async def test_a_new_password_is_another_one(clinic: Any) -> None:
    device = await add(clinic, clinic.nurse, patient=clinic.rosa_id)
    async with clinic.as_(clinic.nurse) as client:
        made = await client.post(f"/devices/{device}/password")
    assert "The device has a new password" in made.text
    assert named(made.text) == device


async def test_an_administrator_looks_after_devices_and_learns_no_patient(clinic: Any) -> None:
    held = await add(clinic, clinic.nurse, patient=clinic.rosa_id)
    free = await add(clinic, clinic.pat, label="Cuff 13")
    async with clinic.as_(clinic.pat) as client:
        for path in ("/devices", f"/devices/{held}", f"/devices/{free}", NEW):
            found = await client.get(path)
            assert found.status_code == 200
            assert "Núñez" not in found.text
            assert clinic.rosa_id not in found.text
        assert (await client.post(NEW, data={"kind": "scale", "patient": clinic.rosa_id})).status_code == 403
        assert (await client.post(f"/devices/{free}/give", data={"patient": clinic.rosa_id})).status_code == 403
        renewed = await client.post(f"/devices/{held}/password")
        assert renewed.status_code == 200
        assert "Núñez" not in renewed.text
        assert (await client.post(f"/devices/{held}/retire")).status_code == 303


async def test_others_learn_nothing_not_even_that_there_is_one(clinic: Any) -> None:
    held = await add(clinic, clinic.nurse, patient=clinic.rosa_id)
    pharmacist = await someone(clinic.ctx, "pharmacist")
    for person in (clinic.other, pharmacist, clinic.rosa):
        async with clinic.as_(person) as client:
            for path in (held, "bl-nothing"):
                told = [await client.get(f"/devices/{path}")]
                told += [await client.post(f"/devices/{path}/{deed}") for deed in ("password", "retire", "take")]
                assert {one.status_code for one in told} == {403}
            there, nothing = [await client.get(f"/devices/{path}") for path in (held, "bl-nothing")]
            assert there.text.replace(held, "") == nothing.text.replace("bl-nothing", "")
    async with clinic.as_(clinic.other) as client:
        assert held not in (await client.get("/devices")).text


async def test_without_any_device_the_list_says_what_to_do(clinic: Any) -> None:
    async with clinic.as_(clinic.nurse) as client:
        page = (await client.get("/devices")).text
    assert "No device yet" in page
    assert 'href="/devices/new"' in page


def test_an_address_as_it_is_said() -> None:
    assert devices.Door.of_url("mqtts://broker.example") == devices.Door("broker.example", 8883, tls=True)
    assert devices.Door.of_url("mqtt://10.0.0.5:1884") == devices.Door("10.0.0.5", 1884, tls=False)
