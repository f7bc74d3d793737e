"""FHIRPath, compiled ahead for the expressions that R4 itself uses; fhirpathpy for the remainder."""
