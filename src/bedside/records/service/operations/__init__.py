"""FHIR's operations, one file each; `table` lists them."""
