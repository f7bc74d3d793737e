"""What the patient and their caregivers read about an alarm, whom the patient lets in, and quiet hours on Me."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.messaging.model.templates import OTHER, TEMPLATES
from bedside.monitoring.alarms.service.life import begin
from bedside.monitoring.rules.model import tables
from bedside.web.kit.languages import catalogue
from bedside.web.patient import told
from bedside.web.wall.words import CAUSES, METRICS

if TYPE_CHECKING:
    from tests.web.conftest import Ward

pytestmark = pytest.mark.engine


def plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


async def type_in(ward: Ward, systolic: float) -> None:
    async with access.work(ward.ctx, "typed") as ctx:
        await monitoring.set_profile(ctx, ward.rosa_id, birth_date=date(1951, 3, 2))
        also = (monitoring.Typed("diastolic", 90),)
        await monitoring.enter_reading(ctx, monitoring.NewReading(ward.rosa_id, "systolic", systolic, also=also))


async def let_in(ward: Ward, person: access.Person, what: str = "*") -> None:
    async with access.work(ward.ctx, "let somebody in") as ctx:
        request = access.GrantRequest(
            person=person.id,
            patient=ward.rosa_id,
            actions="RE",
            what=frozenset({what}),
            source=f"Consent/{person.id}",
            until=ctx.clock.now() + timedelta(days=30),
        )
        await access.grant(ctx, request)


async def test_the_patient_reads_what_was_seen_and_what_to_do(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as rosa:
        assert "Nothing to read" in plain((await rosa.get("/told")).text)
        await type_in(ward, 200)
        assert "There is something for you to read" in plain((await rosa.get("/home")).text)
        page = plain((await rosa.get("/told")).text)
        assert "The blood pressure was higher than the limit." in page
        assert "Rest for five minutes, then measure again." in page
        assert "If you feel very ill, do not wait for us Ring 911" in page
        assert "The clinic was told. Nobody has answered yet." in page
        assert "200" not in page
        assert "There is something for you to read" not in plain((await rosa.get("/home")).text), "it was read"
        async with access.work(acting(ward.ctx, ward.nurse), "dismissed") as ctx:
            [alarm] = await monitoring.alarms(ctx, patient=ward.rosa_id)
            await monitoring.false_alarm(ctx, alarm.id, "cuff on the wrong arm")
        page = plain((await rosa.get("/told")).text)
        assert "The clinic found that this was a false alarm. There is nothing to do." in page
        assert "Ring 911" not in page
        assert "What to do" not in page


async def test_a_lesser_alarm_shows_no_emergency_number_beside_it(ward: Ward) -> None:
    await type_in(ward, 165)
    async with ward.as_(ward.rosa) as rosa:
        page = plain((await rosa.get("/told")).text)
    assert "The blood pressure was higher than the limit." in page
    assert "do not wait for us" not in page


async def test_a_device_is_named_with_what_to_check(ward: Ward) -> None:
    now = ward.ctx.clock.now()
    async with access.work(ward.ctx, "raised") as ctx:
        for cause, rule in (("silence:cuff-1", "silence-blood-pressure"), ("battery:cuff-1", "battery-low")):
            alarm = monitoring.Alarm(
                id=cause,
                patient=ward.rosa_id,
                episode=cause,
                cause=cause,
                priority="low",
                state="raised",
                finding={"rule": rule},
                raised_at=now,
                measured_at=now,
                breach_at=now,
            )
            await begin(ctx, alarm)
    async with ward.as_(ward.rosa) as rosa:
        page = plain((await rosa.get("/told")).text)
    assert "Nothing has come from a device for a while." in page
    assert "the blood-pressure cuff" in page
    assert "Is it charged and switched on?" in page
    assert "Charge it, or change its batteries." in page


async def test_the_patient_chooses_who_is_told_and_nobody_else_does(ward: Ward) -> None:
    carer, reader = await someone(ward.ctx, "caregiver", name="Luis"), await someone(ward.ctx, "caregiver", name="Eve")
    async with ward.as_(ward.rosa) as rosa:
        assert "You have let nobody in" in plain((await rosa.get("/me/caregivers")).text)
        await let_in(ward, carer)
        await let_in(ward, reader, "Observation")
        page = plain((await rosa.get("/me/caregivers")).text)
        assert "Luis is not told of alarms" in page.replace("&#39;", "'")
        assert "This person may not read your alarms" in page
        await rosa.post(f"/me/caregivers/{carer.id}", data={"alerts": "yes"})
        assert "Luis is told when there is an alarm" in plain((await rosa.get("/me/caregivers")).text)
        assert (await rosa.post(f"/me/caregivers/{reader.id}", data={"alerts": "yes"})).status_code == 409
        assert (await rosa.post("/me/caregivers/nobody", data={"alerts": "yes"})).status_code == 404
    await type_in(ward, 200)
    async with ward.as_(carer) as luis:
        assert "There is something for you to read" in plain((await luis.get("/home")).text)
        page = plain((await luis.get("/told")).text)
        assert "If Rosa Núñez feels very ill, do not wait for us" in page
        assert (await luis.get("/me/caregivers")).status_code == 403
        assert (await luis.post(f"/me/caregivers/{carer.id}", data={"alerts": "yes"})).status_code == 403
    async with ward.as_(reader) as eve:
        assert (await eve.get("/told")).status_code == 403


async def test_quiet_hours_stand_on_the_patient_s_own_page(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as rosa:
        assert "none: tell me at any hour" in plain((await rosa.get("/me")).text)
        done = await rosa.post("/me/quiet", data={"quiet": "yes", "begins": "21:30", "ends": "07:15"})
        assert done.headers["location"] == "/me?saved=1"
        page = (await rosa.get("/me")).text
        assert 'value="21:30"' in page
        assert 'value="07:15"' in page
        wrong = await rosa.post("/me/quiet", data={"quiet": "yes", "begins": "21:30", "ends": "21:30"})
        said = plain((await rosa.get(wrong.headers["location"])).text)
        assert "Quiet hours end at another time than they begin." in said


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_cause_that_a_table_knows_has_words(language: str) -> None:
    on = date(2026, 12, 1)
    causes = {row.cause for row in (*tables.default_limits(on), *tables.programme_rules(on))}
    assert {cause for cause in causes if not cause.endswith("-off-baseline")} <= told.SEEN.keys()
    say = catalogue(language).gettext
    for seen, todo in (*told.SEEN.values(), told.OTHERWISE):
        assert seen.endswith(".")
        assert language == "en" or (say(seen) != seen and say(todo) != todo)


GENERIC = frozenset(
    "device dispositivo aparato silent callado está given between entre usual como siempre danger peligro irregular "
    "flag marca aviso muy poca poco baja bajo alta alto cambio".split()
)
"""Words of causes that say nothing of anybody's health by themselves."""


def test_no_notice_names_a_measure_a_cause_or_a_number() -> None:
    """Built from what the wall says, so that a new measure or cause is looked for too."""
    say = catalogue("es").gettext
    said = [words for words, _, _ in METRICS.values()] + list(CAUSES.values())
    words = {word.lower() for text in said for one in (text, say(text)) for word in re.findall(r"\w{4,}", one)}
    words -= GENERIC
    assert {"pressure", "presión", "glucose", "fever", "oxygen", "heart", "battery"} <= words
    for template, languages in {**TEMPLATES, "other": OTHER}.items():
        for one in languages.values():
            found = {word.lower() for word in re.findall(r"\w{4,}", f"{one.subject} {one.text}")}
            assert not found & words, template
            if template.startswith("monitoring."):
                assert not re.search(r"\d|%|\{", one.subject + one.text), template
