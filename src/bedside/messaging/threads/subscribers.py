"""Jobs of threads, and what messaging governs in the record."""

from __future__ import annotations

from datetime import timedelta

from bedside import records
from bedside.messaging.threads.model.picture import is_message
from bedside.messaging.threads.service.lateness import look

JOBS = {"messaging.late": look}
EVERY = {"messaging.late": timedelta(minutes=1)}
GOVERNED = (
    records.Governed("Communication", "messaging", is_message, "Answer in the conversation; what was said stays."),
)
