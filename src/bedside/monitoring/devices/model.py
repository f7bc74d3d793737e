"""Devices and who holds them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

KINDS: Final[tuple[str, ...]] = (
    "blood-pressure",
    "heart-rate",
    "pulse-oximeter",
    "thermometer",
    "scale",
    "glucose-meter",
    "monitor",
)
"""What can be added. `typed` is no device: it stands for one person's hands entering one patient's readings.
`interface` is what another system passes on now and then, whatever measured it: its silence says nothing. `paired` is
a patient's own Bluetooth device, read by their browser when they want: its silence says nothing either."""
SOURCES: Final = frozenset({"interface", "monitor"})
"""What stands for a device behind another room's interface; `monitor` where it passes every value on without pause."""


class NewDevice(msgspec.Struct, frozen=True):
    """What is asked for. since: from which device time the patient holds it (None: always).
    method: 'cuffless' where that is so. name: chosen by whoever adds it; None draws one."""

    kind: str
    patient: str | None = None
    label: str = ""
    method: str | None = None
    since: datetime | None = None
    expires: datetime | None = None
    name: str | None = None


class Paired(msgspec.Struct, frozen=True):
    """A Bluetooth device that a browser read. kind: of KINDS, but no monitor. name: what it calls itself; id: what the
    browser calls it, which is another one in each browser and after its data were cleared."""

    kind: str
    name: str
    id: str

    def source(self, tenant: int, patient: str) -> str:
        """The name of the device that stands for it: always the same for this patient, and never another patient's.

        By the name it gives itself, where it has one, so that what it remembers is known as a repeat in every browser.
        """
        said = "\n".join((str(tenant), patient, self.kind, self.name.strip() or f"\n{self.id}"))
        return f"bt-{hashlib.blake2b(said.encode(errors='backslashreplace'), digest_size=10).hexdigest()}"


class DeviceCredentials(msgspec.Struct, frozen=True):
    """What the device is told, once: the password is kept only as a hash."""

    device: str
    username: str
    password: str
    topic: str
    ack_topic: str


class Device(msgspec.Struct, frozen=True):
    """A device as people see it. patient, since: who holds it now. held: somebody whom the reader may not know does."""

    device: str
    kind: str
    label: str
    method: str | None
    state: str
    created_at: datetime
    patient: str | None = None
    since: datetime | None = None
    heard_at: datetime | None = None
    expires_at: datetime | None = None
    held: bool = False


@dataclass(slots=True, frozen=True)
class Assignment:
    """Held by patient from `since` until just before `until` (µs since 1970)."""

    patient: str
    since: int
    until: int


@dataclass(slots=True)
class Held:
    """A device opened for landing packs, its row locked: number, and who held it when."""

    number: int
    tenant: int
    name: str
    kind: str
    source: str
    method: str | None
    state: str
    assignments: list[Assignment]
    newest: dict[int, int]
    """Per metric number the latest device time ever stored, µs: what lies after it is certainly new."""
    expires: int | None = None
    """µs since 1970; None: never."""

    def welcome(self, received: int) -> bool:
        """Whether what came at that time may be stored: what came before its credentials ended, may."""
        return self.state == "active" and (self.expires is None or received < self.expires)

    def holder(self, moment: int) -> str | None:
        """The patient who held it at that device time."""
        for assignment in self.assignments:
            if assignment.since <= moment < assignment.until:
                return assignment.patient
        return None

    def given(self, patient: str) -> bool:
        """Whether the patient ever held it, holds it, or is to hold it."""
        return any(one.patient == patient for one in self.assignments)

    def expected(self, patient: str, moment: int) -> bool:
        """Whether the patient holds it after that time, or is to hold it."""
        return any(one.patient == patient and one.until > moment for one in self.assignments)


IDENTIFIER: Final = "urn:bedside:device"
"""System of the identifier by which a FHIR Device is known to be one of these."""


def device_resource(name: str, kind: str, patient: str | None) -> dict[str, Any]:
    """The FHIR Device that readings refer to, held by the patient who holds it now."""
    held = {} if patient is None else {"patient": {"reference": f"Patient/{patient}"}}
    return {
        "resourceType": "Device",
        "id": name,
        "identifier": [{"system": IDENTIFIER, "value": name}],
        "status": "active",
        "deviceName": [{"name": name, "type": "user-friendly-name"}],
        "type": {"text": kind},
        **held,
    }


def ours(resource: dict[str, Any]) -> bool:
    """Whether a FHIR Device is one of these: governed by monitoring."""
    return any(one.get("system") == IDENTIFIER for one in resource.get("identifier", ()) if isinstance(one, dict))


def topics(device: str) -> tuple[str, str]:
    """MQTT topics for readings and for acknowledgements."""
    return f"devices/{device}/readings", f"devices/{device}/acks"
