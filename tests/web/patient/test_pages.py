"""The patient's pages against the real rooms: home, a typed reading to its alarm, taking it back, who looked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, time, timedelta
from typing import TYPE_CHECKING

import pytest

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock

if TYPE_CHECKING:
    from tests.web.conftest import Ward

    from bedside.foundation.context import Actor

pytestmark = pytest.mark.engine


async def grown_up(ward: Ward) -> None:
    """An adult of known age: the default limits hold."""
    async with access.work(ward.ctx, "set a profile for a test") as ctx:
        await monitoring.set_profile(ctx, ward.rosa_id, birth_date=date(1951, 3, 2))


async def test_home_begins_empty_and_says_so(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        text = (await client.get("/home")).text
    for said in ("Nothing to do today", "Send a reading", "No reading yet", "No prescriptions yet"):
        assert said in text
    assert "+1 212 555 0100" in text
    assert "This is not an emergency service." in text
    assert 'href="/me/who-looked"' in text


async def test_a_high_pressure_from_form_to_alarm_and_back(ward: Ward) -> None:
    await grown_up(ward)
    async with ward.as_(ward.rosa) as client:
        assert "Blood pressure" in (await client.get("/readings/send")).text
        unfinished = await client.post("/readings/send/blood-pressure", data={"systolic": "178", "diastolic": ""})
        assert unfinished.status_code == 400
        assert 'aria-invalid="true"' in unfinished.text
        sent = await client.post("/readings/send/blood-pressure", data={"systolic": "178", "diastolic": "112"})
        assert sent.status_code == 303
        after = (await client.get(sent.headers["location"])).text
        assert "178/112" in after
        assert "higher than your limit" in after
        assert "Do you have any of these now?" in after
        home = (await client.get("/home")).text
        assert "The clinic was told of your reading" in home
        danger = await client.post("/readings/symptoms", data={"symptom": ["chest-pain", "speech"]})
        assert "Ring 911 now" in danger.text
        assert "You reported danger symptoms" in (await client.get("/home")).text
        carer = await someone(ward.ctx, "caregiver", name="Luis Núñez")
        await _let_in(ward, carer)
        async with ward.as_(carer) as other:
            theirs = (await other.get("/home")).text
        assert "Danger symptoms were reported for Rosa Núñez" in theirs
        assert "If Rosa Núñez feels" in theirs or "Until then Rosa Núñez should rest" in theirs
        assert "You reported" not in theirs
        assert (await client.post("/readings/symptoms", data={"symptom": ["none-such"]})).status_code == 400
        async with access.work(acting(ward.ctx, ward.nurse), "looked for a test") as ctx:
            raised = {a.cause: a.priority for a in await monitoring.alarms(ctx, patient=ward.rosa_id)}
        assert raised["symptoms"] == "high"
        assert "blood-pressure-high" in raised
        reading = sent.headers["location"].rsplit("/", 1)[1]
        assert (await client.get("/readings/withdraw", params={"reading": reading})).status_code == 200
        assert (await client.post("/readings/withdraw", data={"reading": reading})).status_code == 400
        gone = await client.post("/readings/withdraw", data={"reading": reading, "reason": "another-person"})
        assert gone.status_code == 303
        assert "No reading yet" in (await client.get("/home")).text
        assert "<s>178</s>" in (await client.get("/readings")).text
    async with access.work(acting(ward.ctx, ward.nurse), "looked for a test") as ctx:
        left = {a.cause for a in await monitoring.alarms(ctx, patient=ward.rosa_id)}
    assert "blood-pressure-high" not in left


async def test_what_was_sent_is_shown_and_taken_back_whatever_came_after_it(ward: Ward) -> None:
    """A cuff of the same person may tell something between the sending and the page."""
    async with ward.as_(ward.rosa) as client:
        typed = {"systolic": "123", "diastolic": "79"}
        mine = (await client.post("/readings/send/blood-pressure", data=typed)).headers["location"]
        later = (await client.post("/readings/send/weight", data={"weight": "61.4"})).headers["location"]
        assert isinstance(ward.ctx.clock, TurnableClock)
        ward.ctx.clock.turn(timedelta(seconds=1))
        await client.post("/readings/send/blood-pressure", data={"systolic": "131", "diastolic": "88"})
        after = (await client.get(mine)).text
        assert "123/79" in after
        assert "131/88" not in after
        assert "61.4" in (await client.get(later)).text
        back = re.search(r'href="(/readings/withdraw\?reading=[^"]+)"', after)
        assert back is not None
        reading = mine.rsplit("/", 1)[1]
        assert back[1].endswith(reading)
        asked = (await client.get(back[1])).text
        assert "123/79" in asked
        assert "Take it back" in asked
        await client.post("/readings/withdraw", data={"reading": reading, "reason": "typing"})
        for again in (mine, back[1]):
            gone = (await client.get(again)).text
            assert "Taken back" in gone
            assert "123/79" not in gone
            assert "Take it back" not in gone
            assert re.search(r'href="/(home|readings)"[^>]*>\s*Done', gone)
        assert "131/88" in (await client.get("/home")).text
        for wrong in ("r.1.1.1", "nothing"):
            assert (await client.get(f"/readings/sent/{wrong}")).status_code == 404
            assert (await client.get("/readings/withdraw", params={"reading": wrong})).status_code == 404
    async with access.work(ward.ctx, "gave care for a test") as ctx:
        await access.relate(ctx, person=ward.nurse.id, patient=ward.ben_id, kind="care", source="test")
    async with ward.as_(ward.nurse) as client:
        place = f"/patients/{{}}/withdraw?reading={later.rsplit('/', 1)[1]}"
        asked = (await client.get(place.format(ward.rosa_id))).text
        assert "61.4" in asked
        assert re.search(rf'href="/patients/{ward.rosa_id}"[^>]*>\s*Keep the reading', asked), "back to the chart"
        assert (await client.get(place.format(ward.ben_id))).status_code == 404


async def test_a_second_look_at_what_is_implausible(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        first = await client.post("/readings/send/blood-pressure", data={"systolic": "265", "diastolic": "112"})
        assert first.status_code == 422
        assert "That is unusual. Is it right?" in first.text
        assert 'value="265"' in first.text
        assert "No reading yet" in (await client.get("/home")).text
        numbers = {"systolic": "265", "diastolic": "112", "confirmed": "yes"}
        assert (await client.post("/readings/send/blood-pressure", data=numbers)).status_code == 303
        impossible = {"systolic": "900", "diastolic": "112", "confirmed": "yes"}
        assert (await client.post("/readings/send/blood-pressure", data=impossible)).status_code == 400


async def test_units_are_the_readers_and_the_record_is_charted(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        assert (await client.post("/me", data={"units": "us", "language": "es", "theme": "night"})).status_code == 303
    async with access.work(ward.ctx, "looked for a test") as ctx:
        rosa = await access.person(ctx, ward.rosa.id)
    assert (rosa.units, rosa.language) == ("us", "es")
    async with ward.as_(rosa) as client:
        assert "°F" in (await client.get("/readings/send/temperature")).text
        sent = await client.post("/readings/send/temperature", data={"temperature": "100,4"})
        shown = (await client.get(sent.headers["location"])).text
        assert "100,4" in shown
        assert "°F" in shown
    async with access.work(ward.ctx, "looked for a test") as ctx:
        (latest,) = (await monitoring.latest(ctx, [ward.rosa_id]))[ward.rosa_id]
    assert (latest.value, latest.unit) == (38.0, "Cel")


async def test_who_looked_names_the_nurse(ward: Ward) -> None:
    async with ward.as_(ward.nurse) as nurse:
        assert (await nurse.get(f"/patients/{ward.rosa_id}")).status_code == 200
    async with ward.as_(ward.rosa) as client:
        text = (await client.get("/me/who-looked")).text
    assert "Amina Haddad" in text
    assert "opened the chart" in text
    assert "for your treatment" in text


async def test_staff_record_consciousness_and_oxygen_and_a_stranger_nothing(ward: Ward) -> None:
    async with ward.as_(ward.nurse) as client:
        base = f"/patients/{ward.rosa_id}/reading"
        assert "Consciousness" in (await client.get(base)).text
        assert (await client.post(f"{base}/consciousness", data={"consciousness": "C"})).status_code == 303
        assert (await client.post(f"{base}/consciousness", data={})).status_code == 400
        assert (await client.post(f"{base}/added-oxygen", data={"oxygen": "0"})).status_code == 303
        stranger = await client.post(f"/patients/{ward.ben_id}/reading/weight", data={"weight": "80"})
        assert stranger.status_code in {403, 404}
    async with ward.as_(ward.rosa) as client:
        assert (await client.get("/readings/send/consciousness")).status_code == 404
        assert (await client.get(f"/patients/{ward.rosa_id}/reading")).status_code == 403


async def _let_in(ward: Ward, carer: Actor) -> None:
    async with access.work(ward.ctx, "granted for a test") as ctx:
        grant = access.GrantRequest(
            person=carer.id, patient=ward.rosa_id, actions="R", what=frozenset({"*"}), source="Consent/1"
        )
        await access.grant(ctx, grant)


async def test_a_caregiver_chooses_only_among_those_who_let_them_in(ward: Ward) -> None:
    carer = await someone(ward.ctx, "caregiver", name="Luis Núñez")
    async with ward.as_(carer) as client:
        assert (await client.get("/home")).status_code == 403
        await _let_in(ward, carer)
        await client.post("/for", data={"patient": ward.ben_id})
        text = (await client.get("/home")).text
    assert "for Rosa Núñez" in text


async def test_a_patient_chooses_their_own_clock(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        assert 'name="zone" type="text" value="UTC"' in (await client.get("/me")).text
        wrong = await client.post("/me", data={"zone": "Mars/Base"})
        assert wrong.headers["location"] == "/me?zone=unknown#shown"
        assert "There is no such time zone." in (await client.get("/me?zone=unknown")).text
        assert (await client.post("/me", data={"zone": "Atlantic/Canary"})).status_code == 303
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        rosa = await access.person(ctx, ward.rosa.id)
    assert rosa.zone == "Atlantic/Canary"
    async with ward.as_(rosa) as client:
        assert 'value="Atlantic/Canary"' in (await client.get("/me")).text


async def test_every_tab_answers(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        for path in (
            "/home",
            "/readings",
            "/messages",
            "/me",
            "/medicines",
            "/me/who-looked",
            "/readings/rest",
            "/help",
        ):
            page = await client.get(path)
            assert page.status_code == 200, path
            assert 'aria-label="Main"' in page.text


async def test_outside_monitoring_hours_the_page_says_so_and_from_when_in_both_languages(ward: Ward) -> None:
    """It is Saturday, 21 November 2026, 12:00 UTC; the ward watches on Mondays from 8 in New York."""
    async with access.work(ward.ctx, "set hours for a test") as ctx:
        await access.add_place(ctx, "ward", "Virtual ward", "ward")
        await access.place_patient(ctx, ward.rosa_id, "ward")
        await monitoring.set_hours(ctx, "ward", [(1, time(8), time(18))], "America/New_York")
    async with ward.as_(ward.rosa) as client:
        text = (await client.get("/home")).text
    assert "Nobody is watching your readings now" in text
    again = re.search(r"Somebody reads them again from ([^.]+)\.", text)
    assert again is not None
    assert "23" in again[1]
    assert "13:00 UTC" in again[1]  # her own zone, named, since the clinic is elsewhere
    async with ward.as_(replace(ward.rosa, language="es")) as client:
        text = (await client.get("/home")).text
    assert "Ahora nadie vigila sus mediciones" in text
    assert "Alguien las lee de nuevo desde" in text
    async with access.work(ward.ctx, "set hours for a test") as ctx:
        await monitoring.set_hours(ctx, "ward", [(6, time(7), time(8))], "America/New_York")
    async with ward.as_(ward.rosa) as client:
        assert "Nobody is watching" not in (await client.get("/home")).text
