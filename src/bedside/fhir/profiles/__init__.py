"""Profiles: StructureDefinitions that constrain a type, and whether a resource keeps to them.

`published` has those that come with Bedside, `definition` makes one of any StructureDefinition, `check` holds a
resource against it. Here is no input or output: what a profile refers to is handed in.
"""

from bedside.fhir.profiles.check import Known, check
from bedside.fhir.profiles.definition import CORE, BadProfile, Profile, profile_of

__all__ = ["CORE", "BadProfile", "Known", "Profile", "check", "profile_of"]
