"""The operations that are served: what the door looks up and the CapabilityStatement lists."""

from bedside.foundation.errors import N_
from bedside.records.model.bulk import FORMATS
from bedside.records.model.operation import Level, Operation
from bedside.records.service.operations import (
    bulk,
    document,
    everything,
    lastn,
    meta,
    patients,
    stats,
    summary,
    terminology,
    validate,
)

_HL7 = "http://hl7.org/fhir/OperationDefinition/"
_TYPE: frozenset[Level] = frozenset({"type"})
_INSTANCE: frozenset[Level] = frozenset({"instance"})
_BOTH: frozenset[Level] = frozenset({"type", "instance"})
_SYSTEM: frozenset[Level] = frozenset({"system"})
_NONE: frozenset[str] = frozenset()
_BULK = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"
_OURS = "urn:x-bedside:OperationDefinition"
"""Of what neither R4 nor one of its guides defines."""

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "everything",
        _BOTH,
        frozenset({"Patient"}),
        N_("read everything of a patient"),
        everything.patient,
        f"{_HL7}Patient-everything",
    ),
    Operation(
        "everything",
        _INSTANCE,
        frozenset({"Encounter"}),
        N_("read everything of an encounter"),
        everything.encounter,
        f"{_HL7}Encounter-everything",
    ),
    Operation(
        "validate",
        _BOTH,
        None,
        N_("had a resource judged"),
        validate.validate,
        f"{_HL7}Resource-validate",
        judges=True,
    ),
    Operation("meta", _INSTANCE, None, N_("read the labels of a resource"), meta.meta, f"{_HL7}Resource-meta"),
    Operation(
        "meta-add",
        _INSTANCE,
        None,
        N_("labelled a resource"),
        meta.add,
        f"{_HL7}Resource-meta-add",
        affects=True,
    ),
    Operation(
        "meta-delete",
        _INSTANCE,
        None,
        N_("took labels from a resource"),
        meta.delete,
        f"{_HL7}Resource-meta-delete",
        affects=True,
    ),
    Operation(
        "lastn",
        _TYPE,
        frozenset({"Observation"}),
        N_("read the newest observations"),
        lastn.lastn,
        f"{_HL7}Observation-lastn",
    ),
    Operation(
        "stats",
        _TYPE,
        frozenset({"Observation"}),
        N_("worked out figures of observations"),
        stats.stats,
        f"{_HL7}Observation-stats",
    ),
    Operation(
        "document",
        _INSTANCE,
        frozenset({"Composition"}),
        N_("made a document"),
        document.document,
        f"{_HL7}Composition-document",
    ),
    Operation(
        "expand",
        _BOTH,
        frozenset({"ValueSet"}),
        N_("listed the codes of a value set"),
        terminology.expand,
        f"{_HL7}ValueSet-expand",
    ),
    Operation(
        "validate-code",
        _BOTH,
        frozenset({"ValueSet"}),
        N_("asked whether a value set has a code"),
        terminology.validate_in_set,
        f"{_HL7}ValueSet-validate-code",
    ),
    Operation(
        "validate-code",
        _BOTH,
        frozenset({"CodeSystem"}),
        N_("asked whether there is a code"),
        terminology.validate_in_system,
        f"{_HL7}CodeSystem-validate-code",
    ),
    Operation(
        "lookup",
        _TYPE,
        frozenset({"CodeSystem"}),
        N_("looked a code up"),
        terminology.lookup,
        f"{_HL7}CodeSystem-lookup",
    ),
    Operation(
        "subsumes",
        _BOTH,
        frozenset({"CodeSystem"}),
        N_("compared two codes"),
        terminology.subsumes,
        f"{_HL7}CodeSystem-subsumes",
    ),
    Operation(
        "summary",
        _INSTANCE,
        frozenset({"Patient"}),
        N_("made a summary of the record"),
        summary.summary,
        "http://hl7.org/fhir/uv/ips/OperationDefinition/summary",
    ),
    Operation(
        "match",
        _TYPE,
        frozenset({"Patient"}),
        N_("looked for a patient"),
        patients.match,
        f"{_HL7}Patient-match",
        posted=True,
    ),
    Operation(
        "merge",
        _TYPE,
        frozenset({"Patient"}),
        N_("merged two patients"),
        patients.merge,
        f"{_HL7}Patient-merge",
        affects=True,
    ),
    Operation(
        "unmerge",
        _TYPE,
        frozenset({"Patient"}),
        N_("took a merge of patients back"),
        patients.unmerge,
        f"{_OURS}:Patient-unmerge",
        affects=True,
    ),
    Operation("export", _SYSTEM, _NONE, N_("asked for an export"), bulk.export, f"{_BULK}/export", keeps=True),
    Operation(
        "export",
        _TYPE,
        frozenset({"Patient"}),
        N_("asked for an export"),
        bulk.export,
        f"{_BULK}/patient-export",
        keeps=True,
    ),
    Operation(
        "export",
        _INSTANCE,
        frozenset({"Group"}),
        N_("asked for an export"),
        bulk.export,
        f"{_BULK}/group-export",
        keeps=True,
    ),
    Operation(
        "import",
        _SYSTEM,
        _NONE,
        N_("asked for an import"),
        bulk.import_,
        f"{_OURS}:import",
        affects=True,
        streams=FORMATS,
    ),
)
