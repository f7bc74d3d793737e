"""What a person may type: the kinds of readings, their fields, and the form's way to monitoring and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bedside.foundation.errors import Invalid
from bedside.monitoring import NewReading, Typed
from bedside.web.kit.amounts import unit_of
from bedside.web.kit.places import N_


@dataclass(frozen=True, slots=True)
class Box:
    """One number of a kind: monitoring's metric, its label and charted unit (UCUM)."""

    metric: str
    label: str
    ucum: str
    optional: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that is measured in one go. letters: a choice instead of numbers. staff: only staff record it."""

    key: str
    title: str
    icon: str
    boxes: tuple[Box, ...]
    advice: str = ""
    letters: tuple[tuple[str, str], ...] = ()
    staff: bool = False


KINDS = (
    Kind(
        "blood-pressure",
        N_("Blood pressure"),
        "heart-pulse",
        (
            Box("systolic", N_("Upper number"), "mm[Hg]", hint=N_("systolic, the larger one")),
            Box("diastolic", N_("Lower number"), "mm[Hg]", hint=N_("diastolic, the smaller one")),
            Box("heart-rate", N_("Pulse"), "/min", optional=True),
        ),
        N_("Sit for five minutes first, arm on the table, and do not talk while the cuff works."),
    ),
    Kind(
        "oxygen",
        N_("Oxygen saturation"),
        "wind",
        (
            Box("spo2", N_("Oxygen saturation"), "%", hint=N_("the number beside %SpO2")),
            Box("heart-rate", N_("Pulse"), "/min", optional=True),
        ),
        N_("Warm your hand, keep the finger still, and wait until the number stands still."),
    ),
    Kind("temperature", N_("Temperature"), "thermometer", (Box("temperature", N_("Temperature"), "Cel"),)),
    Kind(
        "weight",
        N_("Weight"),
        "weight",
        (Box("weight", N_("Weight"), "kg"),),
        N_("In the morning, before breakfast, in the same clothes, is best."),
    ),
    Kind("glucose", N_("Glucose"), "droplet", (Box("glucose", N_("Glucose"), "mg/dL"),)),
    Kind(
        "breathing",
        N_("Breathing rate"),
        "activity",
        (Box("respiratory-rate", N_("Breaths in one minute"), "/min"),),
        N_("Count for a whole minute, with the patient at rest."),
        staff=True,
    ),
    Kind(
        "consciousness",
        N_("Consciousness"),
        "brain",
        (Box("consciousness", N_("Consciousness (ACVPU)"), ""),),
        letters=(
            ("A", N_("A: alert")),
            ("C", N_("C: new confusion")),
            ("V", N_("V: responds to voice")),
            ("P", N_("P: responds to pain")),
            ("U", N_("U: unresponsive")),
        ),
        staff=True,
    ),
    Kind(
        "added-oxygen",
        N_("Added oxygen"),
        "wind",
        (Box("oxygen", N_("Flow of added oxygen"), "L/min", hint=N_("0 for room air")),),
        staff=True,
    ),
)
BY_KEY = {kind.key: kind for kind in KINDS}


def taken(kind: Kind, form: Mapping[str, Any], units: str, patient: str) -> NewReading:
    """The form as monitoring takes it, in the unit it was typed in. Raises Invalid naming the field at fault."""
    parts: list[Typed] = []
    for box in kind.boxes:
        text = str(form.get(box.metric, "")).strip().replace(",", ".")
        if not text:
            if box.optional:
                continue
            raise Invalid(N_("Write the number that you read."), where=box.metric)
        if kind.letters:
            parts.append(Typed(box.metric, text))
            continue
        try:
            parts.append(Typed(box.metric, float(text), unit_of(box.ucum, units).sent))
        except ValueError:
            raise Invalid(N_("Only a number, please."), where=box.metric) from None
    first, *rest = parts
    return NewReading(
        patient, first.metric, first.value, first.unit, also=tuple(rest), confirmed=form.get("confirmed") == "yes"
    )
