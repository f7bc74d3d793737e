"""AuditEvent: access keeps the entries, the record shows them as resources."""

from collections.abc import Sequence
from typing import Any

from bedside import access
from bedside.fhir import references
from bedside.fhir.definitions import resource_types
from bedside.fhir.grammar import DateValue, Filter, ReferenceValue, TokenValue
from bedside.fhir.query import Condition
from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound
from bedside.records.model import served
from bedside.records.model.json import encode
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored

_OUTCOME = {"allowed": "0", "refused": "4", "failed": "8"}  # audit-event-outcome: success, minor, serious failure
_REST = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}


def resource(line: access.AuditLine) -> dict[str, Any]:
    """An entry as a FHIR AuditEvent."""
    stamp = line.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    who: dict[str, Any] = {"display": line.actor_name}
    if line.actor_reference:
        who["reference"] = line.actor_reference
    agent: dict[str, Any] = {"who": who, "altId": line.actor, "name": line.actor_name, "requestor": True}
    if line.roles:
        agent["role"] = [{"text": role} for role in line.roles]
    if line.origin:
        agent["network"] = {"address": line.origin}
    purpose: dict[str, Any] = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": line.purpose}]
    }
    if line.reason:
        purpose["text"] = line.reason
    entities: list[dict[str, Any]] = [{"what": {"reference": f"Patient/{one}"}} for one in line.patients]
    # Only a resource is a reference; a type that was searched, or a room's own noun, has a name.
    entities += [
        {"what": {"reference": one}} if references.parse(one).type in resource_types() else {"name": one}
        for one in line.entities
    ]
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": line.id,
        "meta": {"versionId": "1", "lastUpdated": stamp},
        "type": _REST,
        "subtype": [{"display": line.action}] if line.action else None,
        "action": next((c for c in "DCUER" if c in line.actions), "E"),
        "recorded": stamp,
        "outcome": _OUTCOME[line.outcome],
        "purposeOfEvent": [purpose],
        "agent": [agent],
        "source": {"observer": {"display": "Bedside"}},
        "entity": entities or None,
    }
    return {name: value for name, value in event.items() if value is not None}


def _stored(line: access.AuditLine) -> Stored:
    return Stored("AuditEvent", line.id, 1, line.at, False, False, encode(resource(line)))


async def read(ctx: Ctx, id_: str) -> Stored:
    """One entry. Raises NotFound, Forbidden."""
    return _stored(await access.audit_line(ctx, id_))


async def search(ctx: Ctx, filters: Sequence[Condition], *, before: str | None, limit: int) -> list[Stored]:
    """The newest first. Filters: patient (or entity) one, date with ge or gt, _id; others are refused."""
    patient = since = None
    for one in filters:
        code = one.parameter.code if isinstance(one, Filter) else served.name(one)
        value = one.values[0] if isinstance(one, Filter) and len(one.values) == 1 else None
        if code == "patient" and isinstance(value, ReferenceValue) and value.id:
            patient = value.id
        elif code == "date" and isinstance(value, DateValue) and value.prefix in ("ge", "gt"):
            since = value.low if value.prefix == "ge" else value.high
        elif code == "_id" and isinstance(value, TokenValue) and value.code:
            try:
                return [await read(ctx, value.code)]
            except NotFound:
                return []
        else:
            raise refuse("not-supported", code, "Audit entries are found by patient, _id and date=ge….", status=400)
    if patient is not None:
        lines = await access.who_looked(ctx, patient, since=since, before=before, limit=limit)
    else:
        lines = await access.audit_lines(ctx, since=since, before=before, limit=limit)
    return [_stored(line) for line in lines]
