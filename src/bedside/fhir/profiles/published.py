"""Profiles that come with Bedside: R4's own, and US Core, partly as HL7 publishes them, partly by our table."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from bedside.fhir.profiles.definition import Profile, profile_of
from bedside.fhir.terminology import Codes
from bedside.fhir.vocabulary import LOINC, UCUM, US_CORE, VITAL_SIGNS, VitalSign

FORMAT = 1
"""Of the pack; raised with every change to what it holds."""
KEPT = ("id", "path", "sliceName", "slicing", "min", "max", "type", "binding", "constraint")
"""What of an element the pack keeps, beside fixed and pattern values."""

_VALUE_SETS = "http://hl7.org/fhir/us/core/ValueSet/"
# The value sets of R4 that US Core binds the units of these to, where more than one unit is allowed.
_UNITS = {
    "8310-5": "http://hl7.org/fhir/ValueSet/ucum-bodytemp",
    "29463-7": "http://hl7.org/fhir/ValueSet/ucum-bodyweight",
    "8302-2": "http://hl7.org/fhir/ValueSet/ucum-bodylength",
    "9843-4": "http://hl7.org/fhir/ValueSet/ucum-bodylength",
}


@cache
def profile(url: str) -> Profile | None:
    """A profile by its canonical URL without version; None where it does not come with Bedside."""
    raw = _pack().get(url)
    if raw is not None:
        return profile_of(msgspec.json.decode(raw))
    said = _us_core().get(url) or _vital_signs().get(url)
    return None if said is None else profile_of(said)


def urls() -> list[str]:
    """All of them."""
    return sorted({*_pack(), *_us_core(), *_vital_signs()})


@cache
def codes(url: str) -> Codes | None:
    """A value set that US Core's profiles need and R4 does not have."""
    for one in _table()["value_set"]:
        if _VALUE_SETS + one["id"] == url:
            return {system: frozenset(listed) for system, listed in one.items() if system != "id"}
    return None


class _Pack(msgspec.Struct, frozen=True):
    format: int
    profiles: dict[str, bytes]


@cache
def _pack() -> dict[str, bytes]:
    try:
        raw = files("bedside.fhir").joinpath("data", "profiles.msgpack").read_bytes()
    except FileNotFoundError:
        raise RuntimeError("The FHIR definitions are not built: run `make setup`.") from None
    pack = msgspec.msgpack.decode(raw, type=_Pack)
    if pack.format != FORMAT:
        raise RuntimeError("The FHIR definitions are of another version of Bedside: run `make setup`.")
    return pack.profiles


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("bedside.fhir.profiles").joinpath("us-core.toml").read_text(encoding="utf-8"))


@cache
def _us_core() -> dict[str, dict[str, Any]]:
    version = _table()["version"]
    return {
        US_CORE + one["id"]: _derived(one["id"], one["type"], version, one["element"]) for one in _table()["profile"]
    }


def _derived(id_: str, type_: str, version: str, elements: list[dict[str, Any]], base: str = "") -> dict[str, Any]:
    said = {"url": US_CORE + id_, "version": version, "type": type_, "differential": {"element": elements}}
    return {**said, "baseDefinition": base} if base else said


@cache
def _vital_signs() -> dict[str, dict[str, Any]]:
    """The profile of each vital sign, from its code and units (vocabulary); those of panels with their parts."""
    found: dict[str, dict[str, Any]] = {}
    for sign in VITAL_SIGNS.values():
        if sign.profile == "us-core-vital-signs" or US_CORE + sign.profile in found:
            continue
        codings = [{"system": LOINC, "code": code} for code in (sign.code, *sign.also)]
        elements: list[dict[str, Any]] = [{"id": "Observation.code", "patternCodeableConcept": {"coding": codings}}]
        elements += _quantity("Observation", sign)
        if sign.components:
            least = 0 if sign.units else len(sign.components)  # a panel without its parts says nothing
            slicing = {"rules": "open", "discriminator": [{"type": "pattern", "path": "code"}]}
            elements.append({"id": "Observation.component", "min": least, "slicing": slicing})
        for code in sign.components:
            part = f"Observation.component:{code}"
            elements.append({"id": part, "min": 0 if sign.units else 1, "max": "1"})
            coding = {"coding": [{"system": LOINC, "code": code}]}
            elements.append({"id": f"{part}.code", "patternCodeableConcept": coding})
            elements += _quantity(part, VITAL_SIGNS[code])
        found[US_CORE + sign.profile] = _derived(
            sign.profile, "Observation", _table()["version"], elements, US_CORE + "us-core-vital-signs"
        )
    return found


def _quantity(path: str, sign: VitalSign) -> list[dict[str, Any]]:
    if not sign.units:
        return []
    code: dict[str, Any] = {"id": f"{path}.value[x].code", "min": 1}
    if len(sign.units) == 1:
        code["fixedCode"] = sign.units[0]
    else:
        code["binding"] = {"strength": "required", "valueSet": _UNITS[sign.code]}
    return [
        {"id": f"{path}.value[x]", "type": [{"code": "Quantity"}]},
        {"id": f"{path}.value[x].value", "min": 1},
        {"id": f"{path}.value[x].unit", "min": 1},
        {"id": f"{path}.value[x].system", "min": 1, "fixedUri": UCUM},
        code,
    ]
