"""The kinds of patient that the demo's clinic looks after, as tables; histories.py draws people from them.

Codes: SNOMED CT concept ids for problems and substances, RxNorm for medicines where a code is given.
Ranges are (low, high) of a person's own baseline, chosen to be plausible; they are invented, not taken from anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Code = tuple[str, str]
"""A SNOMED CT id and its display."""


@dataclass(frozen=True, slots=True)
class Medicine:
    """name: ingredient, strength and form. rxnorm: the RxNorm id, where one is given."""

    name: str
    instruction: str
    rxnorm: str | None = None


@dataclass(frozen=True, slots=True)
class Archetype:
    """One kind of patient. vitals: metric short name to the range of a person's baseline, in UCUM units of the demo."""

    key: str
    place: str
    ages: tuple[int, int]
    problems: tuple[Code, ...]
    medicines: tuple[Medicine, ...]
    devices: tuple[str, ...]
    vitals: dict[str, tuple[float, float]] = field(default_factory=dict)
    gender: str | None = None
    pregnant: bool = False
    news2_scale: int = 1
    reason: str = "Follow-up by telephone"


HYPERTENSION = ("38341003", "Hypertensive disorder")
HEART_FAILURE = ("42343007", "Congestive heart failure")
COPD = ("13645005", "Chronic obstructive lung disease")
RESPIRATORY_FAILURE = ("409623005", "Respiratory insufficiency")
DIABETES = ("44054006", "Diabetes mellitus type 2")
ASTHMA = ("195967001", "Asthma")
PREGNANCY = ("77386006", "Pregnancy")
FIBRILLATION = ("49436004", "Atrial fibrillation")
PNEUMONIA = ("233604007", "Pneumonia")
KIDNEY = ("709044004", "Chronic kidney disease")

LISINOPRIL = Medicine("Lisinopril 10 mg tablet", "1 tablet once a day", "314076")
AMLODIPINE = Medicine("Amlodipine 5 mg tablet", "1 tablet once a day", "197361")
METFORMIN = Medicine("Metformin 500 mg tablet", "1 tablet twice a day with food", "861007")
ATORVASTATIN = Medicine("Atorvastatin 20 mg tablet", "1 tablet at night", "617310")
FUROSEMIDE = Medicine("Furosemide 40 mg tablet", "1 tablet in the morning", "313988")
BISOPROLOL = Medicine("Bisoprolol 2.5 mg tablet", "1 tablet once a day")
APIXABAN = Medicine("Apixaban 5 mg tablet", "1 tablet twice a day")
TIOTROPIUM = Medicine("Tiotropium 18 microgram inhalation capsule", "1 capsule inhaled once a day")
SALBUTAMOL = Medicine("Salbutamol 100 microgram inhaler", "2 puffs when needed")
LABETALOL = Medicine("Labetalol 100 mg tablet", "1 tablet twice a day")
DOXYCYCLINE = Medicine("Doxycycline 100 mg capsule", "1 capsule once a day")

CALM = {
    "systolic": (112, 134),
    "diastolic": (68, 84),
    "heart-rate": (60, 84),
    "spo2": (96.5, 98.5),
    "temperature": (36.4, 37.0),
    "respiratory-rate": (13, 17),
    "weight": (58, 92),
}

HOME = "home-monitoring"
WARD = "virtual-ward"

ARCHETYPES = (
    Archetype(
        "hypertension",
        HOME,
        (45, 82),
        (HYPERTENSION,),
        (LISINOPRIL, AMLODIPINE),
        ("blood-pressure",),
        {**CALM, "systolic": (126, 146), "diastolic": (78, 92)},
        reason="Blood pressure review",
    ),
    Archetype(
        "heart-failure",
        HOME,
        (60, 88),
        (HEART_FAILURE, FIBRILLATION),
        (FUROSEMIDE, BISOPROLOL, APIXABAN),
        ("blood-pressure", "scale"),
        {**CALM, "systolic": (104, 126), "heart-rate": (66, 92), "weight": (64, 98)},
        reason="Heart failure review",
    ),
    Archetype(
        "diabetes",
        HOME,
        (40, 78),
        (DIABETES, HYPERTENSION),
        (METFORMIN, ATORVASTATIN, LISINOPRIL),
        ("blood-pressure", "glucose-meter"),
        {**CALM, "glucose": (98, 168)},
        reason="Diabetes review",
    ),
    Archetype(
        "copd",
        HOME,
        (58, 84),
        (COPD,),
        (TIOTROPIUM, SALBUTAMOL),
        ("pulse-oximeter",),
        {**CALM, "spo2": (95.5, 97), "respiratory-rate": (14, 17)},
        reason="Lung review",
    ),
    Archetype(
        "hypercapnic",
        WARD,
        (62, 80),
        (COPD, RESPIRATORY_FAILURE),
        (TIOTROPIUM, SALBUTAMOL),
        ("monitor",),
        {**CALM, "spo2": (89, 91), "respiratory-rate": (14, 17)},
        news2_scale=2,
        reason="Admission to the virtual ward",
    ),
    Archetype(
        "pneumonia",
        WARD,
        (38, 86),
        (PNEUMONIA,),
        (DOXYCYCLINE,),
        ("monitor",),
        {**CALM, "spo2": (95.5, 97.5), "temperature": (36.8, 37.4), "respiratory-rate": (14, 17)},
        reason="Admission to the virtual ward",
    ),
    Archetype(
        "kidney",
        HOME,
        (50, 84),
        (KIDNEY, HYPERTENSION),
        (AMLODIPINE, FUROSEMIDE),
        ("blood-pressure", "scale"),
        {**CALM, "systolic": (124, 144)},
        reason="Kidney review",
    ),
)

CHILD = Archetype(
    "child",
    HOME,
    (6, 11),
    (ASTHMA,),
    (SALBUTAMOL,),
    ("pulse-oximeter",),
    {
        "heart-rate": (82, 104),
        "spo2": (96, 99),
        "temperature": (36.5, 37.1),
        "respiratory-rate": (18, 22),
        "weight": (20, 38),
    },
    reason="Asthma review",
)

PREGNANT = Archetype(
    "pregnant",
    HOME,
    (24, 38),
    (PREGNANCY,),
    (LABETALOL,),
    ("blood-pressure",),
    {**CALM, "systolic": (118, 136)},
    gender="female",
    pregnant=True,
    reason="Antenatal visit",
)

ALLERGIES: tuple[Code, ...] = (
    ("764146007", "Penicillin"),
    ("387458008", "Aspirin"),
    ("256277009", "Grass pollen"),
    ("256349002", "Peanut"),
)

GIVEN_FEMALE = (
    "Maria Adaeze Ingrid Yuki Fatima Helen Chloe Ruth Priya Sofia Dolores Leila Agnes Nadia Mei Wanjiru Carmen Elif "
    "Brigid Anjali"
).split()
GIVEN_MALE = (
    "James Kwame Henrik Kenji Omar George Lucas Samuel Arjun Mateo Ramón Yusuf Viktor Emeka Wei Patrick Andrés Murat "
    "Declan Tariq"
).split()
FAMILY = (
    "Nguyen Okonkwo Larsen Tanaka Rahman Whitfield Moreau Goldberg Sharma Romero Núñez Demir Novak Osei Zhang "
    "Gallagher Castillo Yılmaz Byrne Haddad Kowalski Mensah Silva Petrov Lindqvist Ferreira Abebe Kaplan Ortiz Walsh"
).split()
STREETS = ("Harbor Street", "Mill Lane", "Cedar Avenue", "Station Road", "Orchard Way", "Lake View", "Chapel Street")
