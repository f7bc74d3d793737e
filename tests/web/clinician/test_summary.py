"""The chart's reading of FHIR: what is current, what is past, what was entered in error, and what "none" means."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from bedside.fhir.allergies import known
from bedside.fhir.names import name_of
from bedside.web.clinician import results, summary, vitals
from bedside.web.clinician.resources import moment, number_of
from bedside.web.kit.amounts import unit_of
from bedside.web.kit.series import Dot, merge, thin

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def concept(text: str, code: str = "") -> dict[str, Any]:
    return {"text": text, "coding": [{"code": code or text, "display": text}]}


def allergy(text: str, code: str = "", verification: str = "confirmed", clinical: str = "active") -> dict[str, Any]:
    return {
        "id": text,
        "code": concept(text, code),
        "verificationStatus": concept("", verification),
        "clinicalStatus": concept("", clinical),
    }


NONE = allergy("No known allergy", "716186003")


def test_none_recorded_is_not_none_known() -> None:
    said = [known(found) for found in ([], [NONE], [allergy("Penicillin")], [NONE, allergy("Nuts")])]
    assert [(s.names, s.none_known) for s in said] == [
        ((), False),
        ((), True),
        (("Penicillin",), False),
        (("Nuts",), False),
    ]


@pytest.mark.parametrize(
    "only",
    [
        allergy("Nuts", verification="entered-in-error"),
        allergy("Nuts", verification="refuted"),
        allergy("Nuts", clinical="resolved"),
    ],
)
def test_a_withdrawn_allergy_is_a_question_again(only: dict[str, Any]) -> None:
    """Neither shown as an allergy nor taken for "none known"."""
    assert (known([only]).names, known([only]).none_known) == ((), False)


def test_entered_in_error_is_never_current() -> None:
    conditions = [
        {"id": "1", "code": concept("Asthma"), "clinicalStatus": concept("", "active")},
        {
            "id": "2",
            "code": concept("Cancer"),
            "clinicalStatus": concept("", "active"),
            "verificationStatus": concept("", "entered-in-error"),
        },
        {"id": "3", "code": concept("Cold"), "clinicalStatus": concept("", "resolved")},
    ]
    found = summary.problems(conditions)
    assert [e.what for e in found.current] == ["Asthma"]
    assert [e.what for e in found.past] == ["Cold"]
    assert [e.what for e in found.wrong] == ["Cancer"]
    medicines = summary.medicines(
        [{"id": "1", "status": "entered-in-error", "medicationCodeableConcept": concept("Warfarin")}]
    )
    assert (medicines.current, [e.what for e in medicines.wrong]) == ((), ["Warfarin"])


def test_a_patients_request_is_no_medicine_and_what_is_still_taken_is_current() -> None:
    """A proposal is neither current nor past; a completed prescription is current while its days last."""
    amlodipine = {"id": "1", "status": "completed", "medicationCodeableConcept": concept("Amlodipine")}
    wish = {"id": "2", "status": "draft", "intent": "proposal", "medicationCodeableConcept": concept("Amlodipine")}
    shown = [summary.medicines([amlodipine, wish], (), taken) for taken in ((), {"1"})]
    assert [([e.id for e in s.current], [e.id for e in s.past]) for s in shown] == [([], ["1"]), (["1"], [])]


def test_what_was_prescribed_here_reads_in_the_readers_language() -> None:
    ours = {"id": "1", "status": "active", "dosageInstruction": [{"text": "1 tablet, oral, once a day"}]}
    theirs = {**ours, "id": "2"}
    found = summary.medicines([ours, theirs], said={"1": "1 comprimido, por la boca, una vez al día"})
    assert {e.id: e.detail for e in found.current} == {
        "1": "1 comprimido, por la boca, una vez al día",
        "2": "1 tablet, oral, once a day",
    }


def test_encounters_that_run_come_first_then_the_newest_and_last_those_without_a_date() -> None:
    def encounter(number: str, status: str, start: str = "", **more: Any) -> dict[str, Any]:
        return {"id": number, "status": status, "period": {"start": start} if start else None, **more}

    found = summary.encounters(
        [
            encounter("planned", "planned", type=[concept("Blood pressure review")]),
            encounter("old", "finished", "2026-05-01", **{"class": {"code": "AMB", "display": "ambulatory"}}),
            encounter("now", "arrived", **{"class": {"code": "VR", "display": "virtual"}}),
            encounter("new", "finished", "2026-11-20T09:00:00Z", **{"class": {"code": "X", "display": "other"}}),
        ]
    )
    assert [e.id for e in found] == ["now", "new", "old", "planned"]
    assert [e.what for e in found] == ["Video visit", "other", "Visit to the clinic", "Blood pressure review"]


def test_orders_say_what_when_who_and_how_they_stand() -> None:
    def order(number: str, status: str, day: str, **more: Any) -> dict[str, Any]:
        return {"id": number, "status": status, "authoredOn": day, "code": concept("Potassium"), **more}

    asker = {"resourceType": "Practitioner", "id": "p", "name": [{"given": ["Elena"], "family": "Ruiz"}]}
    found = summary.orders(
        [
            order("1", "completed", "2026-11-20", requester={"display": "Dr Berg"}),
            order("2", "active", "2026-11-01", requester={"reference": "Practitioner/p"}),
            order("3", "entered-in-error", "2026-11-21"),
            order("4", "active", "2026-11-02"),
        ],
        [asker],
    )
    assert [(o.status, o.when, o.who) for o in found] == [
        ("ordered", "2026-11-02", ""),
        ("ordered", "2026-11-01", "Elena Ruiz"),
        ("done", "2026-11-20", "Dr Berg"),
    ]
    assert {o.what for o in found} == {"Potassium"}


def test_the_header() -> None:
    patient = {
        "id": "1",
        "name": [{"use": "old", "family": "Old"}, {"use": "official", "given": ["Rosa"], "family": "Núñez"}],
        "identifier": [{"value": "x"}, {"type": {"coding": [{"code": "MR"}]}, "value": "B-1"}],
        "birthDate": "1951",
    }
    assert (name_of(patient), number_of(patient)) == ("Rosa Núñez", "B-1")
    assert summary.header(patient, []).birth_date == "1951"


def observation(code: str, value: str | None, when: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"id": when, "status": "final", "code": concept(code), "effectiveDateTime": when, **more}
    if value is not None:
        made["valueQuantity"] = {"value": Decimal(value), "unit": "mmol/L", "code": "mmol/L"}
    return made


def test_results_keep_what_the_laboratory_wrote() -> None:
    found = results.results(
        [
            observation("Potassium", "4.10", "2026-01-02"),
            observation("Potassium", "9.9", "2026-01-03", status="entered-in-error"),
            observation("Potassium", "3.8", "2026-01-01", interpretation=[concept("", "L")]),
            observation("Sodium", None, "2026-01-02"),
        ]
    )
    assert [(r.test, r.value, r.before) for r in found] == [("Potassium", "4.10", "3.8")]


def test_imported_vitals_by_their_codes_and_units() -> None:
    panel = {
        "id": "1",
        "code": concept("Blood pressure", "85354-9"),
        "effectiveDateTime": "2026-01-02T10:00:00Z",
        "component": [
            {"code": concept("", "8480-6"), "valueQuantity": {"value": 140, "code": "mm[Hg]"}},
            {"code": concept("", "8462-4"), "valueQuantity": {"value": 90, "code": "mm[Hg]"}},
        ],
    }
    fever = {
        "id": "2",
        "status": "entered-in-error",
        "code": concept("", "8310-5"),
        "effectiveDateTime": "2026-01-02",
        "valueQuantity": {"value": 100.4, "code": "[degF]"},
    }
    unknown = {
        "id": "3",
        "code": concept("", "29463-7"),
        "effectiveDateTime": "2026-01-02",
        "valueQuantity": {"value": 12, "code": "[stone_av]"},
    }
    found = vitals.imported([panel, fever, unknown])
    assert {m: [(d.value, d.wrong) for d in dots] for m, dots in found.items()} == {
        "systolic": [(140, False)],
        "diastolic": [(90, False)],
        "temperature": [(38.0, True)],
    }


def test_limits_are_the_innermost_and_none_is_none() -> None:
    rows = [
        SimpleNamespace(metric="systolic", comparison=c, limit=v, kind="limit", when="")
        for c, v in ((">", 180), (">=", 160), ("<=", 90), ("<=", 100))
    ]
    assert vitals.limits_of("systolic", rows) == (100, 160)
    assert vitals.limits_of("weight", rows) == (None, None)


def test_a_chart_draws_gaps_and_leaves_errors_out() -> None:
    dots = [Dot(NOW - timedelta(hours=n), 100.0 + n, "device", f"r{n}", wrong=n == 3) for n in range(6)]
    gap = (NOW - timedelta(hours=5), NOW - timedelta(hours=4))
    (chart,) = vitals.charts({"heart-rate": [dots]}, {"heart-rate": [gap]}, [], NOW - timedelta(days=1), NOW)
    drawing = str(chart.drawing("metric"))
    assert "103" not in drawing
    assert f"[[{gap[0].timestamp()},{gap[1].timestamp()}]]" in drawing
    assert [row.wrong for row in chart.rows()].count(True) == 1
    assert "<" not in drawing


def test_thinning_keeps_every_peak() -> None:
    dots = [Dot(NOW + timedelta(seconds=n), 400.0 if n == 4321 else 70 + n % 3, "device") for n in range(10_000)]
    kept = thin(dots, 600)
    assert len(kept) <= 600
    assert max(d.value for d in kept) == 400.0


def test_the_same_moment_is_drawn_once() -> None:
    one, again = Dot(NOW, 80, "device"), Dot(NOW, 80, "imported")
    assert merge([one], [again]) == (one,)


@pytest.mark.parametrize(
    ("ucum", "units", "value", "shown"),
    [("Cel", "us", 38.0, 100.4), ("kg", "us", 81.6, 179.9), ("mg/dL", "metric", 99, 5.5), ("mm[Hg]", "us", 120, 120)],
)
def test_units_of_the_reader(ucum: str, units: str, value: float, shown: float) -> None:
    assert unit_of(ucum, units).show(value) == shown


def test_a_date_alone_is_a_moment() -> None:
    assert moment("2026-01") == datetime(2026, 1, 1, tzinfo=UTC)
    assert moment(None) is None
