"""Jobs of threads, and what messaging governs in the record."""

from __future__ import annotations

from datetime import timedelta

from bedside import records
from bedside.messaging.threads.model.picture import is_message
from bedside.messaging.threads.service.lateness import look
from bedside.messaging.threads.service.unsent import sweep

JOBS = {"messaging.late": look, "messaging.unsent": sweep}
EVERY = {"messaging.late": timedelta(minutes=1), "messaging.unsent": timedelta(hours=1)}
GOVERNED = (
    records.Governed("Communication", "messaging", is_message, "Answer in the conversation; what was said stays."),
)
