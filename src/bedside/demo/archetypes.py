"""The kinds of patient that the demo's clinic looks after, as tables; histories.py draws people from them.

Codes: SNOMED CT concept ids for problems and substances, RxNorm for medicines where a code is given.
Words are msgids, so that the invented record is read in Spanish too.
Ranges are (low, high) of a person's own baseline, chosen to be plausible; they are invented, not taken from anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bedside.foundation.errors import N_

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
    reason: str = N_("Follow-up by telephone")


HYPERTENSION = ("38341003", N_("Hypertensive disorder"))
HEART_FAILURE = ("42343007", N_("Congestive heart failure"))
COPD = ("13645005", N_("Chronic obstructive lung disease"))
RESPIRATORY_FAILURE = ("409623005", N_("Respiratory insufficiency"))
DIABETES = ("44054006", N_("Diabetes mellitus type 2"))
ASTHMA = ("195967001", N_("Asthma"))
PREGNANCY = ("77386006", N_("Pregnancy"))
FIBRILLATION = ("49436004", N_("Atrial fibrillation"))
GESTATIONAL_HYPERTENSION = ("48194001", N_("Pregnancy-induced hypertension"))
PNEUMONIA = ("233604007", N_("Pneumonia"))
KIDNEY = ("709044004", N_("Chronic kidney disease"))

ONSETS = {PREGNANCY: (90, 220), GESTATIONAL_HYPERTENSION: (14, 60), PNEUMONIA: (2, 6), RESPIRATORY_FAILURE: (40, 700)}
"""How many days ago a problem began, where it is not as long as a chronic disease: CHRONIC."""
CHRONIC = (240, 3600)

LISINOPRIL = Medicine("Lisinopril 10 mg tablet", N_("1 tablet once a day"), "314076")
AMLODIPINE = Medicine("Amlodipine 5 mg tablet", N_("1 tablet once a day"), "197361")
METFORMIN = Medicine("Metformin 500 mg tablet", N_("1 tablet twice a day with food"), "861007")
ATORVASTATIN = Medicine("Atorvastatin 20 mg tablet", N_("1 tablet at night"), "617310")
FUROSEMIDE = Medicine("Furosemide 40 mg tablet", N_("1 tablet in the morning"), "313988")
BISOPROLOL = Medicine("Bisoprolol 2.5 mg tablet", N_("1 tablet once a day"))
APIXABAN = Medicine("Apixaban 5 mg tablet", N_("1 tablet twice a day"))
TIOTROPIUM = Medicine("Tiotropium 18 microgram inhalation capsule", N_("1 capsule inhaled once a day"))
SALBUTAMOL = Medicine("Salbutamol 100 microgram inhaler", N_("2 puffs when needed"))
LABETALOL = Medicine("Labetalol 100 mg tablet", N_("1 tablet twice a day"))
DOXYCYCLINE = Medicine("Doxycycline 100 mg capsule", N_("1 capsule once a day"))

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
        {**CALM, "systolic": (126, 146), "diastolic": (78, 90)},
        reason=N_("Blood pressure review"),
    ),
    Archetype(
        "heart-failure",
        HOME,
        (60, 88),
        (HEART_FAILURE, FIBRILLATION),
        (FUROSEMIDE, BISOPROLOL, APIXABAN),
        ("blood-pressure", "scale"),
        {**CALM, "systolic": (112, 128), "heart-rate": (66, 92), "weight": (64, 98)},
        reason=N_("Heart failure review"),
    ),
    Archetype(
        "diabetes",
        HOME,
        (40, 78),
        (DIABETES, HYPERTENSION),
        (METFORMIN, ATORVASTATIN, LISINOPRIL),
        ("blood-pressure", "glucose-meter"),
        {**CALM, "glucose": (98, 168)},
        reason=N_("Diabetes review"),
    ),
    Archetype(
        "copd",
        HOME,
        (58, 84),
        (COPD,),
        (TIOTROPIUM, SALBUTAMOL),
        ("pulse-oximeter",),
        {**CALM, "spo2": (95.5, 97), "respiratory-rate": (14, 17)},
        reason=N_("Lung review"),
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
        reason=N_("Admission to the virtual ward"),
    ),
    Archetype(
        "pneumonia",
        WARD,
        (38, 86),
        (PNEUMONIA,),
        (DOXYCYCLINE,),
        ("monitor",),
        {**CALM, "spo2": (95.5, 97.5), "temperature": (36.8, 37.4), "respiratory-rate": (14, 17)},
        reason=N_("Admission to the virtual ward"),
    ),
    Archetype(
        "kidney",
        HOME,
        (50, 84),
        (KIDNEY, HYPERTENSION),
        (AMLODIPINE, FUROSEMIDE),
        ("blood-pressure", "scale"),
        {**CALM, "systolic": (124, 144)},
        reason=N_("Kidney review"),
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
    reason=N_("Asthma review"),
)

PREGNANT = Archetype(
    "pregnant",
    HOME,
    (24, 38),
    (PREGNANCY, GESTATIONAL_HYPERTENSION),
    (LABETALOL,),
    ("blood-pressure",),
    {**CALM, "systolic": (118, 136)},
    gender="female",
    pregnant=True,
    reason=N_("Antenatal visit"),
)


@dataclass(frozen=True, slots=True)
class Test:
    """A laboratory test: LOINC, the unit shown and in UCUM, decimals, and the range of people without this disease."""

    name: str
    loinc: str
    unit: str
    ucum: str
    digits: int
    low: float | None
    high: float


A1C = Test(N_("Hemoglobin A1c"), "4548-4", "%", "%", 1, 4.0, 5.6)
CREATININE = Test(N_("Creatinine"), "2160-0", "mg/dL", "mg/dL", 2, 0.6, 1.2)
POTASSIUM = Test(N_("Potassium"), "2823-3", "mmol/L", "mmol/L", 1, 3.5, 5.0)
HEMOGLOBIN = Test(N_("Hemoglobin"), "718-7", "g/dL", "g/dL", 1, 11.0, 15.5)
PLATELETS = Test(N_("Platelets"), "777-3", "10³/µL", "10*3/uL", 0, 150, 400)
LEUKOCYTES = Test(N_("Leukocytes"), "6690-2", "10³/µL", "10*3/uL", 1, 4.0, 11.0)
CRP = Test(N_("C-reactive protein"), "1988-5", "mg/L", "mg/L", 0, None, 10)

LABS: dict[str, tuple[tuple[Test, float, float], ...]] = {
    "hypertension": ((CREATININE, 0.7, 1.1), (POTASSIUM, 3.7, 4.8)),
    "heart-failure": ((CREATININE, 0.9, 1.5), (POTASSIUM, 3.8, 5.1)),
    "diabetes": ((A1C, 6.5, 8.3), (CREATININE, 0.7, 1.1), (POTASSIUM, 3.8, 4.8)),
    "copd": ((HEMOGLOBIN, 13.2, 15.8), (LEUKOCYTES, 6.0, 10.2)),
    "hypercapnic": ((HEMOGLOBIN, 14.4, 16.6), (LEUKOCYTES, 6.4, 11.4), (CRP, 3, 18)),
    "pneumonia": ((CRP, 45, 140), (LEUKOCYTES, 10.6, 15.4), (CREATININE, 0.7, 1.1)),
    "kidney": ((CREATININE, 1.6, 2.6), (POTASSIUM, 4.2, 5.3), (HEMOGLOBIN, 10.6, 12.6)),
    "pregnant": ((HEMOGLOBIN, 11.1, 12.6), (PLATELETS, 165, 290), (CREATININE, 0.45, 0.7)),
}
"""By kind of patient, each test with the range of a person's own level; a child with asthma has none taken."""

ALLERGIES: tuple[Code, ...] = (
    ("764146007", N_("Penicillin")),
    ("387458008", N_("Aspirin")),
    ("256277009", N_("Grass pollen")),
    ("256349002", N_("Peanut")),
)

ERUPTION = ("271807003", N_("Eruption of skin"))

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
