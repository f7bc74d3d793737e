"""FHIR vocabulary: definitions, references, dates, quantities, search grammar. No input or output."""
