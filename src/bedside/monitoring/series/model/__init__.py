"""Pure: identities, readings, and their FHIR picture."""
