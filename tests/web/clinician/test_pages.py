"""Staff pages against the real record and monitoring."""

import re
from datetime import timedelta

import pytest

from bedside import access, monitoring
from bedside.access.testing import acting
from bedside.fhir.names import name_of
from bedside.monitoring import settings
from bedside.monitoring.series.service import reading

pytestmark = pytest.mark.engine


async def readings(ward, *values: tuple[int, int]) -> list[str]:  # type: ignore[no-untyped-def]
    """Type pressures as the nurse, one an hour up to now; returns the ids."""
    ids = []
    now = ward.ctx.clock.now()
    async with access.work(acting(ward.ctx, ward.nurse), "typed for a test") as ctx:
        for n, (upper, lower) in enumerate(values):
            made = await monitoring.enter_reading(
                ctx,
                monitoring.NewReading(
                    ward.rosa_id,
                    "systolic",
                    upper,
                    at=now - timedelta(hours=len(values) - 1 - n),
                    also=(monitoring.Typed("diastolic", lower),),
                ),
            )
            ids.append(made.id)
    return ids


async def test_search_finds_without_accents_and_only_those_in_care(ward) -> None:  # type: ignore[no-untyped-def]
    async with ward.as_(ward.nurse) as client:
        for text in ("nunez", "NÚÑ", "1951-03-02", "B-1042", "rosa nu"):
            page = await client.get("/patients", params={"q": text})
            assert page.status_code == 200
            assert "Rosa Núñez" in page.text, text
            assert ward.ben_id not in page.text
        fragment = await client.get("/patients/found", params={"q": "nunez"})
        assert "<html" not in fragment.text
        assert f'href="/patients/{ward.rosa_id}"' in fragment.text
        for path in ("/patients", "/patients/found"):
            assert "at least two" in (await client.get(path, params={"q": "n"})).text


async def test_the_chart(ward) -> None:  # type: ignore[no-untyped-def]
    await readings(ward, (132, 80), (178, 112))
    async with ward.as_(ward.nurse) as client:
        page = await client.get(f"/patients/{ward.rosa_id}")
    assert page.status_code == 200
    text = page.text
    assert "2 Mar 1951 (75 years)" in text
    assert "none recorded (not asked yet)" in text
    assert "178/112" in text
    assert "typed in" in text
    assert "Hypertension" in text
    assert "4.10" in text
    current, _, wrong = text.partition("1 entered in error")
    assert "Cancer" not in current
    assert "<s>Cancer</s>" in wrong


async def test_a_withdrawn_reading_is_not_current(ward) -> None:  # type: ignore[no-untyped-def]
    first, second = await readings(ward, (132, 80), (178, 112))
    assert first != second
    async with access.work(acting(ward.ctx, ward.nurse), "withdrew for a test") as ctx:
        await monitoring.withdraw(ctx, second, "not the patient")
    async with ward.as_(ward.nurse) as client:
        text = (await client.get(f"/patients/{ward.rosa_id}")).text
    strip = text.partition('class="card strip"')[2].partition("<bedside-series")[0]
    strip = re.sub(r"<[^>]+>", " ", strip)  # the patient's id, in its links, may hold any digits
    assert "132/80" in strip
    assert "178" not in strip
    assert "<s>178</s>" in text
    assert "178" not in text.partition("application/json")[2].partition("</script>")[0].partition('"lines"')[2][:400]


async def test_a_stranger_gets_no_chart(ward) -> None:  # type: ignore[no-untyped-def]
    async with ward.as_(ward.nurse) as client:
        refused = await client.get(f"/patients/{ward.ben_id}")
        assert refused.status_code in {403, 404}
        assert "Nunez" not in refused.text
        assert f'href="/emergency/{ward.ben_id}"' in refused.text
    async with ward.as_(ward.rosa) as client:
        assert (await client.get(f"/patients/{ward.rosa_id}")).status_code == 403
        assert (await client.get("/today")).status_code == 403


async def test_today_lists_open_alarms_of_those_in_care(ward) -> None:  # type: ignore[no-untyped-def]
    async with ward.as_(ward.nurse) as client:
        assert "No open alarms" in (await client.get("/today")).text


async def test_a_long_series_is_drawn_by_its_extremes_and_says_how_many_there_are(ward, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    await readings(ward, *((130 + n % 7, 80) for n in range(80)))
    monkeypatch.setattr(reading, "WHOLE", 40)
    monkeypatch.setattr(reading, "NEWEST", 10)
    async with ward.as_(ward.nurse) as client:
        page = (await client.get(f"/patients/{ward.rosa_id}?span=week")).text
    assert "(80 readings)" in page
    assert "70 older readings are not listed here" in page


async def test_the_glucose_report_is_off_in_a_real_clinic(ward) -> None:  # type: ignore[no-untyped-def]
    async with ward.as_(ward.nurse) as client:
        page = f"/patients/{ward.rosa_id}/glucose"
        assert "No glucose in the last 14 days" in (await client.get(page)).text
        settings.use(ward.ctx.database, settings.Settings.of_words("", functions=False))
        assert "This function is off in this installation" in (await client.get(page)).text


def test_a_name_of_which_a_part_is_withheld() -> None:
    name = {"given": [None, "Rosa"], "_given": [{"extension": [{"url": "urn:why"}]}, None], "_family": {"id": "f"}}
    assert name_of({"resourceType": "Patient", "name": [name]}) == "Rosa"
