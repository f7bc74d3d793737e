"""What this server says of itself: made from what it does, not from what it would like to."""

from functools import cache
from importlib.metadata import version
from typing import Any

from bedside.fhir.definitions import COMPARTMENTS, resource_types, search_parameters
from bedside.fhir.grammar import OF_THE_WHOLE
from bedside.records.model.operation import Operation
from bedside.records.service.operations.table import OPERATIONS
from bedside.records.service.registry import providers
from bedside.records.settings import Settings

DATE = "2026-11-21"
_READ = ["read", "vread", "history-instance", "history-type", "search-type"]
_WRITE = ["create", "update", "patch", "delete"]
# Parameters the search language refuses here: named in its answer to who tries, and not offered.
_NOT_SEARCHED = frozenset({"special"})


@cache
def _resources(chosen: Settings) -> list[dict[str, Any]]:
    found, many = [], chosen.many
    policy = ["literal", "local"] + (["enforced"] if chosen.references == "enforce" else [])
    for type_ in sorted(resource_types()):
        if type_ == "Parameters":
            continue
        readonly = type_ == "AuditEvent"
        known = search_parameters(type_)
        if readonly:
            params = [
                {"name": name, "type": kind}
                for name, kind in (("_id", "token"), ("date", "date"), ("patient", "reference"))
            ]
        else:
            params = [
                {"name": one.code, "type": one.type, "definition": one.url}
                for one in sorted([*known.values(), *OF_THE_WHOLE.values()], key=lambda p: p.code)
                if one.type not in _NOT_SEARCHED
            ]
        entry: dict[str, Any] = {
            "type": type_,
            "profile": f"http://hl7.org/fhir/StructureDefinition/{type_}",
            "interaction": [
                {"code": code} for code in (["read", "vread", "search-type"] if readonly else [*_READ, *_WRITE])
            ],
            "versioning": "versioned" if readonly else "versioned-update",
            "readHistory": not readonly,
            "updateCreate": not readonly,
            "conditionalCreate": not readonly,
            "conditionalUpdate": not readonly,
            "conditionalRead": "full-support",
            "conditionalDelete": "not-supported" if readonly else "multiple" if many else "single",
            "referencePolicy": policy,
            "searchInclude": _includes(type_),
            "searchRevInclude": _revincludes(type_),
            "searchParam": params,
        }
        if readonly:
            del entry["searchRevInclude"], entry["referencePolicy"]
        offered = [{"name": one.name, "definition": one.definition} for one in OPERATIONS if _offers(one, type_)]
        if offered:
            entry["operation"] = offered
        if said := [one.documentation for one in providers(type_) if one.documentation]:
            entry["documentation"] = " ".join(said)
        found.append(entry)
    return found


def _offers(one: Operation, type_: str) -> bool:
    """Whether it is called on the type; labels of audit entries cannot change."""
    served = one.serves("type", type_) or one.serves("instance", type_)
    return served and not (one.affects and type_ == "AuditEvent")


def _includes(type_: str) -> list[str]:
    return [
        "*",
        f"{type_}:*",
        *(f"{type_}:{one.code}" for one in search_parameters(type_).values() if one.type == "reference"),
    ]


@cache
def _referring() -> list[tuple[str, str, tuple[str, ...]]]:
    """Type, reference parameter and targets of every type that refers to others."""
    return [
        (type_, one.code, one.targets)
        for type_ in sorted(resource_types() - {"AuditEvent", "Parameters"})
        for one in search_parameters(type_).values()
        if one.type == "reference"
    ]


def _revincludes(type_: str) -> list[str]:
    return ["*", *(f"{source}:{code}" for source, code, targets in _referring() if not targets or type_ in targets)]


def statement(base: str, chosen: Settings | None = None) -> dict[str, Any]:
    """The CapabilityStatement at /metadata."""
    return {
        "resourceType": "CapabilityStatement",
        "id": "bedside",
        "instantiates": ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"],
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {"name": "Bedside", "version": version("bedside")},
        "implementation": {"description": "Bedside: visits, monitoring and one record", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": False,
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                    "code": "SMART-on-FHIR",
                                }
                            ]
                        }
                    ],
                    "extension": [
                        {
                            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                            "extension": [{"url": "token", "valueUri": f"{_origin(base)}/oauth/token"}],
                        }
                    ],
                },
                "resource": _resources(chosen or Settings()),
                "interaction": [{"code": code} for code in ("transaction", "batch", "search-system", "history-system")],
                "operation": [
                    {"name": one.name, "definition": one.definition} for one in OPERATIONS if "system" in one.levels
                ],
                "compartment": [
                    f"http://hl7.org/fhir/CompartmentDefinition/{one.lower()}" for one in sorted(COMPARTMENTS)
                ],
            }
        ],
    }


def _origin(base: str) -> str:
    return base.removesuffix("/fhir/R4")


def smart_configuration(base: str) -> dict[str, Any]:
    """For backend clients: where the token is and how they prove who they are (SMART App Launch 2.2)."""
    return {
        "token_endpoint": f"{_origin(base)}/oauth/token",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "scopes_supported": ["system/*.cruds", "system/*.rs"],
        "capabilities": ["client-confidential-symmetric", "client-confidential-asymmetric", "permission-v2"],
    }
