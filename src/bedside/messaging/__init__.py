"""Notices to people: told what to send, knows no reasons. Conversations: `threads`.

Owns: the words of every notice and what became of it. Refuses health data: a notice carries only what its template
names (a link, a code, a name), never a value, a diagnosis or a free text. A room asks by a job of its own transaction:
`enqueue(ctx, "messaging.send", {"person": …, "template": …, "data": {…}})`, or by `send`.

Sent at least once, always under the notice's own id: a worker that is killed between sending and noting sends again.
What did not arrive, or was not opened though it asked for an act, is work for a person (`failing`).
"""

from bedside.messaging import threads
from bedside.messaging.model.notice import CLOSED, Channel, Notice, Sent, Standing
from bedside.messaging.model.reasons import REASONS, Outcome
from bedside.messaging.model.templates import subject
from bedside.messaging.service import keeping
from bedside.messaging.service.arriving import bounce, opened
from bedside.messaging.service.failing import (
    MOST_FAILING,
    Failing,
    correct,
    failing,
    not_seen_to,
    reach_again,
    reach_me,
    seen_to,
    send_again,
    standing,
    to_see_to,
)
from bedside.messaging.service.quieting import quiet_hours, set_quiet_hours
from bedside.messaging.service.routing import choose, told_by
from bedside.messaging.service.sending import last_test, leads_out, outbox, send, send_test, withdraw
from bedside.messaging.service.trying import try_out

__all__ = [
    "CLOSED",
    "MOST_FAILING",
    "REASONS",
    "Channel",
    "Failing",
    "Notice",
    "Outcome",
    "Sent",
    "Standing",
    "bounce",
    "choose",
    "correct",
    "failing",
    "keeping",
    "last_test",
    "leads_out",
    "not_seen_to",
    "opened",
    "outbox",
    "quiet_hours",
    "reach_again",
    "reach_me",
    "seen_to",
    "send",
    "send_again",
    "send_test",
    "set_quiet_hours",
    "standing",
    "subject",
    "threads",
    "to_see_to",
    "told_by",
    "try_out",
    "withdraw",
]
