"""Readings from the body to the alarm: devices, ingest, series, rules, alarms.

Owns: devices, their credentials and who held them when; every reading, once, under (device, metric, device time); what
went wrong on the way; rules, scores and alarms. Serves its readings to the record as US Core Observations.
Refuses: an acknowledgement before the commit, an impossible value, a stale value as the newest, a missing one as zero.
"""

from bedside.monitoring.alarms.model import DANGER_SYMPTOMS, UNDO_SECONDS, Alarm, AlarmEvent, LateFinding, Opening, Told
from bedside.monitoring.alarms.service.answers import (
    acknowledge,
    act,
    hand_over,
    longest_pause,
    pause,
    resolve,
    undo,
    unpause,
)
from bedside.monitoring.alarms.service.answers import dismiss as false_alarm
from bedside.monitoring.alarms.service.burden import Burden, Replayed, burden, replayable, what_if
from bedside.monitoring.alarms.service.functions import Function, alarms_on, function, switch_function
from bedside.monitoring.alarms.service.home import told, told_read
from bedside.monitoring.alarms.service.hours import Watched, hours, set_hours, watched
from bedside.monitoring.alarms.service.late import MOST_LATE, late_finding_seen, late_finding_unseen, late_findings
from bedside.monitoring.alarms.service.leaving import alarms_at, alarms_held, hand_on_alarms
from bedside.monitoring.alarms.service.outages import Silenced as Outage
from bedside.monitoring.alarms.service.outages import standing as outages
from bedside.monitoring.alarms.service.reports import report_symptoms
from bedside.monitoring.alarms.service.standing import Standing, pressure_category, standing
from bedside.monitoring.alarms.service.views import alarm, alarms, plans, score, scores, spot_scores
from bedside.monitoring.devices.model import KINDS, SOURCES, Device, DeviceCredentials, NewDevice, Paired
from bedside.monitoring.devices.service.technical import TechnicalEvent
from bedside.monitoring.devices.service.wire import deaf_since
from bedside.monitoring.ingest.model.measured import Measured, charted_name, shown_with
from bedside.monitoring.ingest.model.metrics import possible
from bedside.monitoring.inventory.model import DeviceEnds, LastPack, Stay
from bedside.monitoring.inventory.service import Sheet, inventory, new_password
from bedside.monitoring.inventory.service import ending as devices_ending
from bedside.monitoring.inventory.service import retire as retire_device
from bedside.monitoring.inventory.service import sheet as device_sheet
from bedside.monitoring.retention.model import Policy as RetentionPolicy
from bedside.monitoring.retention.model import Preview as RetentionPreview
from bedside.monitoring.retention.model import Run as RetentionRun
from bedside.monitoring.retention.service import policy as retention
from bedside.monitoring.retention.service import preview as preview_retention
from bedside.monitoring.retention.service import runs as retention_runs
from bedside.monitoring.retention.service import set_policy as set_retention
from bedside.monitoring.rules.model.agp import Agp
from bedside.monitoring.rules.model.agp import Slot as AgpSlot
from bedside.monitoring.rules.model.limits import PatientLimit, Plan
from bedside.monitoring.rules.model.news2 import News2Result
from bedside.monitoring.rules.model.pressure import PressureCategory
from bedside.monitoring.rules.model.profile import Profile
from bedside.monitoring.rules.model.spot import Spot
from bedside.monitoring.rules.model.tables import LimitRow, default_delay, programmes
from bedside.monitoring.rules.service import drop_limit, limits, own_limits, profile, set_limits, set_profile
from bedside.monitoring.series.model.reading import (
    Conflict,
    Gap,
    Latest,
    NewReading,
    Point,
    Reading,
    Series,
    Summary,
    Typed,
)
from bedside.monitoring.series.service.landing import live_readings
from bedside.monitoring.service import (
    add_device,
    add_source,
    anothers,
    any_device,
    assign_device,
    charted,
    conflicts,
    devices,
    enter_reading,
    enter_readings,
    give_source,
    glucose_report,
    land_measured,
    land_paired,
    latest,
    measured_at,
    note_trouble,
    one_reading,
    revoke_device,
    series,
    technical_events,
    technical_events_seen,
    technical_events_unseen,
    withdraw,
    withdraw_measured,
)
from bedside.monitoring.targets.model import Target
from bedside.monitoring.targets.service import METRICS_AIMED_AT, end_target, set_target, target_history, targets
from bedside.monitoring.waves.model.leads import LEADS, Lead
from bedside.monitoring.waves.model.sampled import bundle as waves_as_fhir
from bedside.monitoring.waves.model.strip import Strip, Track
from bedside.monitoring.waves.model.wfdb import archive as waves_as_wfdb
from bedside.monitoring.waves.service.reading import until_when as waves_until
from bedside.monitoring.waves.service.reading import waves

__all__ = [
    "DANGER_SYMPTOMS",
    "KINDS",
    "LEADS",
    "METRICS_AIMED_AT",
    "MOST_LATE",
    "SOURCES",
    "UNDO_SECONDS",
    "Agp",
    "AgpSlot",
    "Alarm",
    "AlarmEvent",
    "Burden",
    "Conflict",
    "Device",
    "DeviceCredentials",
    "DeviceEnds",
    "Function",
    "Gap",
    "LastPack",
    "LateFinding",
    "Latest",
    "Lead",
    "LimitRow",
    "Measured",
    "NewDevice",
    "NewReading",
    "News2Result",
    "Opening",
    "Outage",
    "Paired",
    "PatientLimit",
    "Plan",
    "Point",
    "PressureCategory",
    "Profile",
    "Reading",
    "Replayed",
    "RetentionPolicy",
    "RetentionPreview",
    "RetentionRun",
    "Series",
    "Sheet",
    "Spot",
    "Standing",
    "Stay",
    "Strip",
    "Summary",
    "Target",
    "TechnicalEvent",
    "Told",
    "Track",
    "Typed",
    "Watched",
    "acknowledge",
    "act",
    "add_device",
    "add_source",
    "alarm",
    "alarms",
    "alarms_at",
    "alarms_held",
    "alarms_on",
    "anothers",
    "any_device",
    "assign_device",
    "burden",
    "charted",
    "charted_name",
    "conflicts",
    "deaf_since",
    "default_delay",
    "device_sheet",
    "devices",
    "devices_ending",
    "drop_limit",
    "end_target",
    "enter_reading",
    "enter_readings",
    "false_alarm",
    "function",
    "give_source",
    "glucose_report",
    "hand_on_alarms",
    "hand_over",
    "hours",
    "inventory",
    "land_measured",
    "land_paired",
    "late_finding_seen",
    "late_finding_unseen",
    "late_findings",
    "latest",
    "limits",
    "live_readings",
    "longest_pause",
    "measured_at",
    "new_password",
    "note_trouble",
    "one_reading",
    "outages",
    "own_limits",
    "pause",
    "plans",
    "possible",
    "pressure_category",
    "preview_retention",
    "profile",
    "programmes",
    "replayable",
    "report_symptoms",
    "resolve",
    "retention",
    "retention_runs",
    "retire_device",
    "revoke_device",
    "score",
    "scores",
    "series",
    "set_hours",
    "set_limits",
    "set_profile",
    "set_retention",
    "set_target",
    "shown_with",
    "spot_scores",
    "standing",
    "switch_function",
    "target_history",
    "targets",
    "technical_events",
    "technical_events_seen",
    "technical_events_unseen",
    "told",
    "told_read",
    "undo",
    "unpause",
    "watched",
    "waves",
    "waves_as_fhir",
    "waves_as_wfdb",
    "waves_until",
    "what_if",
    "withdraw",
    "withdraw_measured",
]
