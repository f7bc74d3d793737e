"""The record: FHIR R4 resources, every version of them, search, and REST at /fhir/R4.

Owns: the current resources, their history, the search index. Serves AuditEvent from access, and what read providers
keep. Refuses: resources that break FHIR, generic writes of what another room governs, anything unauthorised.
"""

from bedside.records.model.governed import Governed
from bedside.records.model.provider import Column, ReadProvider
from bedside.records.service.registry import govern, provide

__all__ = ["Column", "Governed", "ReadProvider", "govern", "provide"]
