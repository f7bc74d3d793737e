"""The record: FHIR R4 resources, every version of them, search, and REST at /fhir/R4.

Owns: the current resources, their history, the search index. Serves AuditEvent from access, and what read providers
keep. Refuses: resources that break FHIR, generic writes of what another room governs, anything unauthorised.
"""

from bedside.records.model.bulk import Wish as Export
from bedside.records.model.bulk import wish as export_wish
from bedside.records.model.governed import Governed
from bedside.records.model.heed import Heed
from bedside.records.model.imported import Report
from bedside.records.model.provider import Column, ReadProvider
from bedside.records.model.refusals import Refused
from bedside.records.model.stored import Page, PatientRow, Stored
from bedside.records.service import relating
from bedside.records.service.contents import content
from bedside.records.service.duplicates import Comparison, Likely, Pair, compare, likely, likely_duplicates
from bedside.records.service.import_lanes import keep_part, load
from bedside.records.service.merging import Merged, merge, merges, unmerge
from bedside.records.service.patients import find_patients, in_care, look_up, named, registered
from bedside.records.service.record import (
    create,
    create_if_none,
    delete,
    every,
    history,
    newest,
    read,
    search,
    update,
    write_governed,
)
from bedside.records.service.registry import govern, heed, provide
from bedside.records.service.reindexing import Reindexed, reindex
from bedside.records.service.saving import save
from bedside.records.service.scanning import Scanner, scan_by, scanners
from bedside.records.service.telephones import Telephone, telephones
from bedside.records.service.transactions import transact

__all__ = [
    "Column",
    "Comparison",
    "Export",
    "Governed",
    "Heed",
    "Likely",
    "Merged",
    "Page",
    "Pair",
    "PatientRow",
    "ReadProvider",
    "Refused",
    "Reindexed",
    "Report",
    "Scanner",
    "Stored",
    "Telephone",
    "compare",
    "content",
    "create",
    "create_if_none",
    "delete",
    "every",
    "export_wish",
    "find_patients",
    "govern",
    "heed",
    "history",
    "in_care",
    "keep_part",
    "likely",
    "likely_duplicates",
    "load",
    "look_up",
    "merge",
    "merges",
    "named",
    "newest",
    "provide",
    "read",
    "registered",
    "reindex",
    "relating",
    "save",
    "scan_by",
    "scanners",
    "search",
    "telephones",
    "transact",
    "unmerge",
    "update",
    "write_governed",
]
