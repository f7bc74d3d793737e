"""Notices to people: told what to send, knows no reasons. Conversations: `threads`.

Owns: the words of every notice and what became of it. Refuses health data: a notice carries only what its template
names (a link, a code, a name), never a value, a diagnosis or a free text. A room asks by a job of its own transaction:
`enqueue(ctx, "messaging.send", {"person": …, "template": …, "data": {…}})`, or by `send`.
"""

from bedside.messaging import threads
from bedside.messaging.model.notice import Notice, Sent
from bedside.messaging.service import (
    last_test,
    leads_out,
    outbox,
    quiet_hours,
    send,
    send_test,
    set_quiet_hours,
    withdraw,
)

__all__ = [
    "Notice",
    "Sent",
    "last_test",
    "leads_out",
    "outbox",
    "quiet_hours",
    "send",
    "send_test",
    "set_quiet_hours",
    "threads",
    "withdraw",
]
