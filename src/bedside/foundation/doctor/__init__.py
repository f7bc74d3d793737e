"""What is wrong with a machine or an installation, in plain words, each with what to do."""

from bedside.foundation.doctor.bus import bus, bus_outside
from bedside.foundation.doctor.database import contents, installation, version
from bedside.foundation.doctor.finding import Finding, age, bad, good, note
from bedside.foundation.doctor.kept import backups, certificate, certificate_to_come, downtime, numbers, recent_ends
from bedside.foundation.doctor.machine import clock, disk, machine

__all__ = [
    "Finding",
    "age",
    "backups",
    "bad",
    "bus",
    "bus_outside",
    "certificate",
    "certificate_to_come",
    "clock",
    "contents",
    "disk",
    "downtime",
    "good",
    "installation",
    "machine",
    "note",
    "numbers",
    "recent_ends",
    "version",
]
