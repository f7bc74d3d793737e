"""Readings from the body to the alarm: devices, ingest, series, rules, alarms.

Owns: devices, their credentials and who held them when; every reading, once, under (device, metric, device time); what
went wrong on the way; rules, scores and alarms. Serves its readings to the record as US Core Observations.
Refuses: an acknowledgement before the commit, an impossible value, a stale value as the newest, a missing one as zero.
"""

from bedside.monitoring.devices.model import KINDS, Device, DeviceCredentials, NewDevice
from bedside.monitoring.series.model.reading import Conflict, Gap, Latest, NewReading, Point, Reading, Series, Typed
from bedside.monitoring.service import (
    add_device,
    assign_device,
    conflicts,
    devices,
    enter_reading,
    enter_readings,
    latest,
    series,
    technical_event_seen,
    technical_events,
    withdraw,
)

__all__ = [
    "KINDS",
    "Conflict",
    "Device",
    "DeviceCredentials",
    "Gap",
    "Latest",
    "NewDevice",
    "NewReading",
    "Point",
    "Reading",
    "Series",
    "Typed",
    "add_device",
    "assign_device",
    "conflicts",
    "devices",
    "enter_reading",
    "enter_readings",
    "latest",
    "series",
    "technical_event_seen",
    "technical_events",
    "withdraw",
]
