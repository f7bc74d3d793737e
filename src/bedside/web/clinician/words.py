"""What monitoring's short names mean in words: metrics, what raised an alarm, why there is no score."""

from __future__ import annotations

from bedside.web.kit.places import N_

METRICS = {
    "heart-rate": N_("Heart rate"),
    "respiratory-rate": N_("Breathing rate"),
    "spo2": N_("Oxygen saturation"),
    "temperature": N_("Temperature"),
    "systolic": N_("Systolic pressure"),
    "diastolic": N_("Diastolic pressure"),
    "mean-pressure": N_("Mean pressure"),
    "weight": N_("Weight"),
    "height": N_("Height"),
    "glucose": N_("Glucose"),
    "consciousness": N_("Consciousness"),
    "oxygen": N_("Added oxygen"),
    "oxygen-flow": N_("Added oxygen"),
    "battery": N_("Battery"),
    "rr-interval": N_("Interval between beats"),
}
DISPLAYS = (
    N_("Heart rate"),
    N_("Respiratory rate"),
    N_("Oxygen saturation in Arterial blood by Pulse oximetry"),
    N_("Body temperature"),
    N_("Systolic blood pressure"),
    N_("Diastolic blood pressure"),
    N_("Mean blood pressure"),
    N_("Body weight"),
    N_("Body height"),
    N_("Glucose [Mass/volume] in Blood"),
    N_("Inhaled oxygen flow rate"),
    N_("Inhaled oxygen concentration"),
    N_("Level of consciousness, ACVPU"),
    N_("Body mass index (BMI) [Ratio]"),
    N_("Glasgow coma score total"),
    N_("Battery level of the device"),
    N_("R-R interval"),
)
"""LOINC's names of monitoring's metrics, as its refusals say them (held together by tests/web/kit/test_refusals.py)."""
WHY_NO_SCORE = {
    "age-unknown": N_("birth date unknown"),
    "under-16": N_("not for anybody under 16"),
    "pregnant": N_("not in pregnancy"),
    "programme": N_("not scored at home"),
}


CATEGORIES = {
    "stage-2": N_("stage 2 hypertension"),
    "stage-1": N_("stage 1 hypertension"),
    "elevated": N_("elevated"),
    "normal": N_("normal"),
    "grade-3": N_("grade 3 hypertension"),
    "grade-2": N_("grade 2 hypertension"),
    "grade-1": N_("grade 1 hypertension"),
    "high-normal": N_("high normal"),
    "optimal": N_("optimal"),
    "hypertension": N_("hypertension"),
    "non-elevated": N_("not elevated"),
}
"""Of blood pressure, by the keys of monitoring's schemes."""
WHY_NO_CATEGORY = {
    **{key: WHY_NO_SCORE[key] for key in ("age-unknown", "under-16", "pregnant")},
    "continuous": N_("not from a continuous monitor"),
    "none": N_("no cuff reading in the last days"),
    "few": N_("readings of two days are needed"),
}


def metric(name: str) -> str:
    """The msgid of a metric."""
    return METRICS.get(name, name)
