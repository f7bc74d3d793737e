"""Another system that sends HL7 v2 here."""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Final

import msgspec

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


class NewInterface(msgspec.Struct, frozen=True):
    """What is asked for. application, facility: MSH-3 and MSH-4 (their first component) by which it is known.

    authorities: assigning authority of PID-3 (as sent; '' where none is) to the system of FHIR Patient.identifier.
    addresses: networks that it sends from. zone: of times without an offset. processing: the MSH-11 that is taken.
    kind: 'monitor' where every value is sent at least every two minutes, so that silence is an alarm and an older value
    stale; 'interface' where values come now and then.
    """

    name: str
    application: str
    facility: str
    authorities: dict[str, str]
    zone: str = "UTC"
    addresses: tuple[str, ...] = LOOPBACK
    kind: str = "interface"
    processing: str = "P"


class Interface(msgspec.Struct, frozen=True):
    """As it is kept. last_at: when its last message was answered AA or AE."""

    number: int
    name: str
    application: str
    facility: str
    authorities: dict[str, str]
    zone: str
    addresses: tuple[str, ...]
    kind: str
    processing: str
    made_at: datetime
    last_at: datetime | None = None

    def sends_from(self, peer: str) -> bool:
        """Whether this address may send for it."""
        address = ip_address(peer)
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in ip_network(one) for one in self.addresses)
