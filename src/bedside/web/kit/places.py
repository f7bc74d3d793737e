"""The places of the navigation: each is shown to whom it concerns, and only once its room has a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from starlette.requests import HTTPConnection
from starlette.routing import Match

from bedside.foundation.errors import N_

__all__ = ["ALL", "CLINICAL", "N_", "PATIENT", "Place", "places_for"]

PATIENT = frozenset({"patient", "caregiver"})
CLINICAL = frozenset({"clinician", "nurse"})


@dataclass(frozen=True, slots=True)
class Place:
    """One entry: label is a msgid, icon a lucide name."""

    label: str
    href: str
    icon: str
    roles: frozenset[str]


ALL = (
    Place(N_("Home"), "/home", icon="house", roles=PATIENT),
    Place(N_("Readings"), "/readings", icon="activity", roles=PATIENT),
    Place(N_("Messages"), "/messages", icon="message-square", roles=PATIENT),
    Place(N_("Me"), "/me", icon="user-round", roles=PATIENT),
    Place(N_("Today"), "/today", icon="calendar-days", roles=CLINICAL),
    Place(N_("Work"), "/work", icon="list-checks", roles=CLINICAL),
    Place(N_("Patients"), "/patients", icon="users-round", roles=CLINICAL),
    Place(N_("Wall"), "/wall", icon="layout-grid", roles=CLINICAL),
    Place(N_("Alarms"), "/alarms", icon="bell", roles=CLINICAL),
    Place(N_("Messages"), "/messages", icon="message-square", roles=CLINICAL),
    Place(N_("Visits"), "/visits", icon="video", roles=CLINICAL),
    Place(N_("Prescriptions"), "/pharmacy", icon="pill", roles=frozenset({"pharmacist"})),
    Place(N_("Clinic"), "/admin", icon="settings", roles=frozenset({"administrator"})),
    Place(N_("Audit"), "/admin/audit", icon="scroll-text", roles=frozenset({"privacy-officer"})),
    # Not first: the first is where a person begins.
    Place(N_("Work"), "/work", icon="list-checks", roles=frozenset({"pharmacist", "administrator", "privacy-officer"})),
    Place(N_("Devices"), "/devices", icon="radio", roles=CLINICAL | {"administrator"}),
)


_known: WeakKeyDictionary[Any, dict[str, bool]] = WeakKeyDictionary()
"""An app's paths asked for so far: its routes do not change once it serves."""


def places_for(connection: HTTPConnection, roles: frozenset[str]) -> tuple[Place, ...]:
    """Those of the reader's roles whose page exists in this app."""
    if "app" not in connection.scope:
        return ()
    shown = {p.href: p for p in reversed(ALL) if p.roles & roles and _exists(connection, p.href)}
    return tuple(p for p in ALL if shown.get(p.href) is p)


def _exists(connection: HTTPConnection, path: str) -> bool:
    known = _known.setdefault(connection.app, {})
    if path not in known:
        scope = {"type": "http", "path": path, "method": "GET", "headers": [], "root_path": ""}
        known[path] = any(r.matches(scope)[0] is Match.FULL for r in connection.app.router.routes)
    return known[path]
