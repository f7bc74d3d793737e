"""Allergies, problems and medicines written down by hand: once, struck out, past; and what the chart and a signature
make of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

import pytest

from bedside import access, prescribing, records
from bedside.access.testing import acting, someone
from bedside.fhir import known
from bedside.foundation.ids import uuid7
from bedside.web.kit import translator

if TYPE_CHECKING:
    from tests.web.conftest import Ward

pytestmark = pytest.mark.engine


def form(text: str, **more: str) -> dict[str, str]:
    return {"key": uuid7(), "text": text, "detail": "", "category": "", "since": "", **more}


async def line(ward: Ward, kind: known.Kind, says: str) -> str:
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        page = await records.search(ctx, known.TYPES[kind], {"patient": ward.rosa_id, "_count": "100"})
    named = "medicationCodeableConcept" if kind == "medicine" else "code"
    return str(next(one["id"] for one in page.entries if one[named].get("text") == says))


async def test_an_allergy_is_written_once_seen_on_the_chart_and_weighed_at_signing(ward: Ward) -> None:
    here = f"/patients/{ward.rosa_id}"
    async with ward.as_(ward.nurse) as client:
        assert "I asked: none are known" in (await client.get(f"{here}/known")).text
        said = form("Penicillin", category="medication", detail="rash", since="2019-05")
        for _ in "twice":
            assert (await client.post(f"{here}/known/allergy", data=said)).status_code == 303
        text = (await client.get(f"{here}/known?kept")).text
        assert len(re.findall(r"<th[^>]*>(?:<[^>]*>)*Penicillin<", text)) == 1
        assert re.search(r">\s*rash\s*<", text)
        assert "May 2019" in text
        assert "Penicillin" in (await client.get(here)).text
        none = await client.post(f"{here}/known/allergy", data={"key": uuid7(), "none": "1"})
        assert none.status_code == 409
    elena = await someone(ward.ctx, "clinician")
    async with access.work(ward.ctx, "let in") as ctx:
        await access.relate(ctx, person=elena.id, patient=ward.rosa_id, kind="care", source="test")
    async with access.work(acting(ward.ctx, elena), "checked", readonly=True) as ctx:
        found = await prescribing.checks(ctx, ward.rosa_id, "amoxicillin-500")
    assert any(one.level == "stop" and one.about == "allergy" for one in found)


def test_a_substance_in_another_language_is_known_by_its_english_name_too() -> None:
    said = translator("es")
    assert prescribing.named("Penicilina", said) == "Penicilina (penicillin)"
    assert prescribing.named("alergia a la penicilina, niñez", said) == "alergia a la penicilina, niñez (penicillin)"
    assert prescribing.named("Penicillin", said) == "Penicillin"
    assert prescribing.named("ramipril 5 mg", said) == "ramipril 5 mg"
    assert prescribing.named("polen", said) == "polen"


async def test_that_somebody_asked_is_written_and_gives_way_to_an_allergy(ward: Ward) -> None:
    here = f"/patients/{ward.rosa_id}"
    async with ward.as_(ward.nurse) as client:
        assert "Nobody has asked yet" in (await client.get(here)).text
        for _ in "twice":
            done = await client.post(f"{here}/known/allergy", data={"key": uuid7(), "none": "1"})
            assert done.headers["location"].endswith("known?none")
        assert "no known allergies" in (await client.get(here)).text, "the banner says so"
        await client.post(f"{here}/known/allergy", data=form("Latex", category="environment"))
        text = (await client.get(f"{here}/known")).text
        assert "Latex" in text
        assert "No known allergies" not in text
        latex = await line(ward, "allergy", "Latex")
        assert (await client.post(f"{here}/known/allergy/{latex}/error")).status_code == 303
        assert "1 entered in error" in (await client.get(here)).text
        again = (await client.get(f"{here}/known")).text
        assert "I asked: none are known" in again, "what was asked before the slip counts no more: ask again"


async def test_problems_and_medicines_begin_end_and_are_struck_out(ward: Ward) -> None:
    here = f"/patients/{ward.rosa_id}"
    async with ward.as_(ward.nurse) as client:
        await client.post(f"{here}/known/problem", data=form("Asthma", since="1999"))
        await client.post(f"{here}/known/medicine", data=form("Ramipril 5 mg", detail="1 in the morning"))
        chart = (await client.get(here)).text
        for says in ("Asthma", "Ramipril 5 mg"):
            assert says in chart
        asthma, ramipril = await line(ward, "problem", "Asthma"), await line(ward, "medicine", "Ramipril 5 mg")
        assert (await client.post(f"{here}/known/problem/{asthma}/over")).status_code == 303
        assert (await client.post(f"{here}/known/medicine/{ramipril}/over")).status_code == 303
        text = (await client.get(f"{here}/known")).text
        assert "Asthma" not in text
        assert "Ramipril" not in text
        assert "Asthma" in (await client.get(here)).text, "past, and still told"


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("allergy", {"text": ""}),
        ("allergy", {"category": "moonlight"}),
        ("problem", {"text": "x" * 201}),
        ("problem", {"since": "soon"}),
        ("problem", {"since": "2019-13"}),
        ("medicine", {"since": "2999"}),
        ("medicine", {"key": "no id"}),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_written(ward: Ward, kind: known.Kind, wrong: dict[str, str]) -> None:
    here = f"/patients/{ward.rosa_id}/known/{kind}"
    async with ward.as_(ward.nurse) as client:
        answer = await client.post(here, data={**form("Right", category="food"), **wrong})
    assert answer.status_code == 400
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        page = await records.search(ctx, known.TYPES[kind], {"patient": ward.rosa_id, "_text": "Right"})
    assert page.entries == []


async def test_only_who_cares_for_them_and_only_theirs(ward: Ward) -> None:
    async with ward.as_(ward.nurse) as client:
        await client.post(f"/patients/{ward.rosa_id}/known/problem", data=form("Asthma"))
        asthma = await line(ward, "problem", "Asthma")
        for path in (f"/patients/{ward.ben_id}/known", f"/patients/{ward.rosa_id}/known/shoe"):
            assert (await client.get(path)).status_code in {403, 404, 405}
        assert (await client.post(f"/patients/{ward.rosa_id}/known/problem/{asthma}/shoe")).status_code == 404
        assert (await client.post(f"/patients/{ward.ben_id}/known/problem/{asthma}/over")).status_code == 404
    stranger = await someone(ward.ctx, "clinician")
    async with ward.as_(stranger) as client:
        assert (await client.get(f"/patients/{ward.rosa_id}/known")).status_code == 403
        assert (await client.post(f"/patients/{ward.rosa_id}/known/allergy", data=form("X"))).status_code in {400, 403}
    assert set(known.TYPES) == set(get_args(known.Kind))
