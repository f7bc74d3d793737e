"""A message as FHIR Communication (hl7.org/fhir/R4/communication.html), and back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from bedside.messaging.threads.model.thread import KINDS, File, Thread, Written

IDENTIFIER = "urn:bedside:thread"
CATEGORY = {"coding": [{"system": "urn:bedside:message", "code": "message", "display": "Message"}]}


def communication(
    thread: Thread,
    message: Written,
    text: str,
    files: Sequence[File],
    *,
    sender: str | None,
    recipients: Sequence[str],
    before: str | None,
) -> dict[str, Any]:
    """sender, recipients: references. before: the id of the thread's message before this one."""
    resource: dict[str, Any] = {
        "resourceType": "Communication",
        "id": message.id,
        "identifier": [{"system": IDENTIFIER, "value": thread.id}],
        "status": "completed",
        "category": [CATEGORY],
        "priority": "urgent" if message.urgent else "routine",
        "topic": {"text": KINDS[thread.kind], "coding": [{"system": "urn:bedside:message-kind", "code": thread.kind}]},
        "subject": {"reference": f"Patient/{thread.patient}"},
        "sent": message.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "recipient": [{"reference": one} for one in recipients],
        "payload": [
            *([{"contentString": text}] if text else []),
            *({"contentAttachment": _attachment(one)} for one in files),
        ],
    }
    if sender:
        resource["sender"] = {"reference": sender, "display": message.name}
    if message.id != thread.id:
        resource["partOf"] = [{"reference": f"Communication/{thread.id}"}]
    if before:
        resource["inResponseTo"] = [{"reference": f"Communication/{before}"}]
    return {name: value for name, value in resource.items() if value != []}


def _attachment(file: File) -> dict[str, Any]:
    return {"contentType": file.media, "url": f"Binary/{file.binary}", "size": file.size, "title": file.name}


def said(resource: dict[str, Any]) -> tuple[str, tuple[File, ...]]:
    """The words and the files of a Communication."""
    text = ""
    files: list[File] = []
    for part in resource.get("payload", ()):
        text = str(part.get("contentString", text))
        if one := part.get("contentAttachment"):
            binary = str(one.get("url", "")).removeprefix("Binary/")
            files.append(File(binary, str(one.get("title", "")), str(one.get("contentType", "")), int(one["size"])))
    return text, tuple(files)


def is_message(resource: dict[str, Any]) -> bool:
    """Whether a Communication is a message of a thread: messaging alone writes those."""
    found = resource.get("identifier")
    return isinstance(found, list) and any(isinstance(i, dict) and i.get("system") == IDENTIFIER for i in found)
