"""A patient's record corrected, and who takes care of them and where: by pages, by whoever cares for them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bedside import access, records
from bedside.access import settings as access_settings
from bedside.access.testing import acting, someone
from bedside.foundation.ids import uuid7
from bedside.web import desk
from bedside.web.desk import form

if TYPE_CHECKING:
    from tests.web.conftest import Ward

    from bedside.access import Person

pytestmark = pytest.mark.engine
RICH: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "x",
    "active": True,
    "identifier": [
        {"system": "urn:other", "value": "B-7"},
        {"system": form.NUMBER, "value": "17"},
        {"system": form.NATIONAL + "es", "value": "X1"},
    ],
    "name": [
        {"use": "maiden", "family": "Gil"},
        {"use": "official", "family": "Nunez", "given": ["Rosa", "María"], "prefix": ["Dr."]},
    ],
    "telecom": [
        {"system": "phone", "value": "+34 1", "use": "old"},
        {"system": "phone", "value": "+34 600 000 001", "use": "mobile"},
        {"system": "phone", "value": "+34 910 000 002"},
        {"system": "email", "value": "rosa@home.example"},
    ],
    "gender": "female",
    "birthDate": "1951-03-02",
    "address": [
        {"use": "home", "line": ["Calle 1"], "city": "Madrid", "country": "ES"},
        {"use": "old", "city": "Soria"},
    ],
    "contact": [
        {"name": {"text": "Luis"}, "telecom": [{"system": "phone", "value": "+34 600 000 009"}]},
        {"name": {"text": "Ana"}},
    ],
    "photo": [{"title": "kept"}],
}


def test_what_nobody_changed_stays_as_it_is() -> None:
    assert form.corrected(RICH, form.typed_of(RICH)) == RICH


def test_only_what_was_typed_is_changed() -> None:
    typed = form.typed_of(RICH) | {
        "family": "Núñez",
        "birth": "1951-02-03",
        "phone": "+34 600 111 222",
        "email": "",
        "number": "18",
        "city": "Toledo",
        "contact_phone": "+34 600 000 010",
        "language": "es",
    }
    made = form.corrected(RICH, typed)
    assert made["name"] == [
        {"use": "official", "family": "Núñez", "given": ["Rosa", "María"], "prefix": ["Dr."]},
        {"use": "maiden", "family": "Gil"},
    ]
    assert made["birthDate"] == "1951-02-03"
    assert [one["value"] for one in made["telecom"]] == ["+34 600 111 222", "+34 1", "+34 910 000 002"]
    assert [(one["system"], one["value"]) for one in made["identifier"]] == [
        (form.NUMBER, "18"),
        ("urn:other", "B-7"),
        (form.NATIONAL + "es", "X1"),
    ]
    assert [one["city"] for one in made["address"]] == ["Toledo", "Soria"]
    assert [one["name"]["text"] for one in made["contact"]] == ["Luis", "Ana"]
    assert made["photo"] == RICH["photo"]
    assert form.typed_of(made) == typed


@pytest.fixture
async def at_desk(ward: Ward, tmp_path: Path) -> Ward:
    access_settings.use(ward.ctx.database, access_settings.Settings(home=tmp_path, answer_after=0))
    plain = ward.app_of

    def app_of(person: Person) -> Any:
        app = plain(person)
        app.router.routes[:0] = desk.ROUTES
        return app

    ward.app_of = app_of
    return ward


def filled(text: str) -> dict[str, str]:
    """What the form of a page holds."""
    found = {
        name: re.search(rf'name="{name}"[^>]*? value="([^"]*)"', text) for name in (*form.FIELDS, "version", "account")
    }
    typed = {name: one[1] if one else "" for name, one in found.items()}
    for name in ("gender", "country", "language"):
        box = re.search(rf'<select[^>]*name="{name}".*?</select>', text, re.DOTALL)
        chosen = re.search(r'value="([^"]*)" selected', box[0]) if box else None
        typed[name] = chosen[1] if chosen else ""
    return typed | {"account": ""}


async def test_a_slip_of_the_desk_is_corrected_once_and_kept_in_history(at_desk: Ward) -> None:
    here = f"/patients/{at_desk.rosa_id}/details"
    async with at_desk.as_(at_desk.nurse) as client:
        typed = filled((await client.get(here)).text)
        assert "The number B-1042 is another program&#39;s" in (await client.get(here)).text
        assert (typed["given"], typed["family"], typed["birth"]) == ("Rosa", "Núñez", "1951-03-02")
        wrong = await client.post(here, data={**typed, "birth": "2951-03-02"})
        assert wrong.status_code == 400
        assert "This day is still to come." in wrong.text
        new = {**typed, "family": "O'Núñez", "phone": "+34 600 000 001", "email": "rosa@home.example", "account": "1"}
        assert (await client.post(here, data=new)).status_code == 303
        assert "O&#39;Núñez" in (await client.get(f"{here}?changed")).text
        late = await client.post(here, data={**typed, "family": "Late"})
        assert late.status_code == 409
        assert "Somebody else has changed this record meanwhile." in late.text
        assert (await client.get(f"/patients/{at_desk.ben_id}/details")).status_code == 403
    async with access.work(at_desk.ctx, "looked", readonly=True) as ctx:
        record = await records.read(ctx, "Patient", at_desk.rosa_id)
        assert record["identifier"] == [{"system": "urn:clinic", "value": "B-1042"}], "another program's stays"
        assert len(await records.history(ctx, "Patient", at_desk.rosa_id)) == 2
        rosa = await access.person(ctx, at_desk.rosa.id)
    assert (rosa.name, rosa.email, rosa.phone) == ("Rosa O'Núñez", "rosa@home.example", "+34600000001")


async def test_a_number_of_somebody_else_is_refused(at_desk: Ward) -> None:
    here = f"/patients/{at_desk.rosa_id}/details"
    async with access.work(at_desk.ctx, "prepared") as ctx:
        other = {"resourceType": "Patient", "identifier": [{"system": form.NUMBER, "value": "77"}]}
        await records.create(ctx, other | {"name": [{"family": "Other"}], "birthDate": "1990-01-01"})
    async with at_desk.as_(at_desk.nurse) as client:
        typed = filled((await client.get(here)).text)
        taken = await client.post(here, data={**typed, "number": "77"})
        assert taken.status_code == 409
        assert "Somebody has this number already." in taken.text
        assert (await client.post(here, data={**typed, "number": "78"})).status_code == 303


async def test_emergency_access_makes_itself_neither_endless_nor_somebody_elses(at_desk: Ward) -> None:
    elena = await someone(at_desk.ctx, "clinician", name="Elena Ruiz")
    here = f"/patients/{at_desk.rosa_id}"
    async with access.work(at_desk.ctx, "broke the glass for a test") as ctx:
        await access.relate(ctx, person=elena.id, patient=at_desk.rosa_id, kind="emergency", source="test")
    async with at_desk.as_(elena) as client:
        typed = filled((await client.get(f"{here}/details")).text)
        for path, data in (
            ("care/give", {"person": elena.id}),
            ("care/end", {"person": at_desk.nurse.id}),
            ("caregivers", {"name": "X", "email": "x@y.example", "may": "look", "key": uuid7(), "how": "said so"}),
            ("details", {**typed, "email": "elena@evil.example", "account": "1"}),
        ):
            assert (await client.post(f"{here}/{path}", data=data)).status_code == 403, path
    async with access.work(at_desk.ctx, "looked", readonly=True) as ctx:
        assert (await access.person(ctx, at_desk.rosa.id)).email is None
    async with access.work(acting(at_desk.ctx, at_desk.nurse), "looked", readonly=True) as ctx:
        assert [one.person.id for one in await access.caring.carers(ctx, at_desk.rosa_id)] == [at_desk.nurse.id]


async def test_care_and_places_change_and_nobody_is_left_alone(at_desk: Ward) -> None:
    here = f"/patients/{at_desk.rosa_id}/care"
    elena = await someone(at_desk.ctx, "clinician", name="Elena Ruiz")
    async with access.work(at_desk.ctx, "prepared") as ctx:
        await access.add_place(ctx, "icu", "ICU", "ward", "UTC")
        await access.add_place(ctx, "shop", "Shop", "pharmacy", "UTC")
    me = at_desk.nurse.id
    async with at_desk.as_(elena) as client:
        assert (await client.get(here)).status_code == 403
        assert (await client.post(f"{here}/give", data={"person": elena.id})).status_code == 403
    async with at_desk.as_(at_desk.nurse) as client:
        alone = await client.post(f"{here}/end", data={"person": me})
        assert alone.status_code == 409
        assert "nobody&#39;s care" in alone.text
        assert (await client.post(f"{here}/give", data={"person": at_desk.rosa.id})).status_code == 400
        assert (await client.post(f"{here}/give", data={"person": elena.id})).status_code == 303
        assert (await client.post(f"{here}/watch", data={"place": "shop"})).status_code == 400
        assert (await client.post(f"{here}/watch", data={"place": "icu", "bed": "7"})).status_code == 303
        text = (await client.get(here)).text
        assert "Elena Ruiz" in text
        assert re.search(r">\s*7\s*<", text)
        assert (await client.post(f"{here}/end", data={"person": elena.id})).status_code == 303
        assert (await client.post(f"{here}/give", data={"person": elena.id})).status_code == 303
        assert (await client.post(f"{here}/end", data={"person": me})).headers["location"] == "/patients"
        assert (await client.get(here)).status_code == 403
    async with at_desk.as_(elena) as client:
        assert (await client.get(here)).status_code == 200
        assert (await client.post(f"{here}/leave", data={"place": "icu"})).status_code == 303
        assert "Watched nowhere" in (await client.get(here)).text
        assert (await client.post(f"{here}/nonsense")).status_code == 400
    async with at_desk.ctx.database.connection() as sql:
        rows = await sql.fetch("select payload from jobs.pgqueuer where entrypoint = 'messaging.send'")
    sent = [orjson.loads(row["payload"])["payload"] for row in rows]
    assert {(one["person"], one["template"]) for one in sent} == {(elena.id, "access.care")}
