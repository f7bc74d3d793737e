"""monitoring's kinds of device in words, and how a device is reached from outside."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

from bedside import monitoring
from bedside.web.kit.places import N_

KINDS = {
    "blood-pressure": N_("Blood-pressure cuff"),
    "heart-rate": N_("Heart-rate meter"),
    "pulse-oximeter": N_("Pulse oximeter"),
    "thermometer": N_("Thermometer"),
    "scale": N_("Weighing scale"),
    "glucose-meter": N_("Glucose meter"),
    "interface": N_("another system"),
    "monitor": N_("Monitor"),
    "paired": N_("the patient's own, by Bluetooth"),
}
"""monitoring's kinds, in words."""
ADDABLE = {kind: KINDS[kind] for kind in monitoring.KINDS}
"""Those that get a name and a password of their own."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where devices connect by MQTT."""

    host: str
    port: int
    tls: bool

    @classmethod
    def of_url(cls, url: str) -> Door:
        """Of mqtt://host[:1883] or mqtts://host[:8883]."""
        found = urlsplit(url)
        tls = found.scheme == "mqtts"
        return cls(found.hostname or "localhost", found.port or (8883 if tls else 1883), tls)


def door(request: Request) -> Door:
    """As this installation is reached from outside: `app.state.mqtt` where app set one, else this page's own name."""
    found = getattr(request.app.state, "mqtt", None)
    host = urlsplit(str(request.url)).hostname or "localhost"
    return found if isinstance(found, Door) else Door(host, 1883, tls=False)
