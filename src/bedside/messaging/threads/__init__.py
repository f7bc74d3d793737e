"""Conversations between a patient, those who act for them, and the clinic.

Owns: how each thread stands, who has seen what, by when an answer is promised, who answers for whom. The words are FHIR
Communications of the record, which this room governs. Refuses whoever may not read the patient's Communications.
"""

from bedside.messaging.threads.model import danger
from bedside.messaging.threads.model.files import MANY, MOST
from bedside.messaging.threads.model.promise import Promise
from bedside.messaging.threads.model.thread import (
    KINDS,
    LONGEST,
    Answerer,
    Away,
    Event,
    File,
    Message,
    New,
    Row,
    Seen,
    Talk,
    Thread,
    Unsent,
    UnsentFile,
    Written,
)
from bedside.messaging.threads.service.away import aways, back, go_away, stand_in
from bedside.messaging.threads.service.finding import (
    awaited,
    file,
    find,
    from_ref,
    inbox,
    of_patient,
    read,
    unseen,
    waiting,
)
from bedside.messaging.threads.service.handling import close, hand, link, reopen, take
from bedside.messaging.threads.service.leaving import hand_on, held
from bedside.messaging.threads.service.promising import by_when, promise, set_promise
from bedside.messaging.threads.service.team import answerers, colleagues
from bedside.messaging.threads.service.unsent import discard, hold
from bedside.messaging.threads.service.writing import answer, begin

__all__ = [
    "KINDS",
    "LONGEST",
    "MANY",
    "MOST",
    "Answerer",
    "Away",
    "Event",
    "File",
    "Message",
    "New",
    "Promise",
    "Row",
    "Seen",
    "Talk",
    "Thread",
    "Unsent",
    "UnsentFile",
    "Written",
    "answer",
    "answerers",
    "awaited",
    "aways",
    "back",
    "begin",
    "by_when",
    "close",
    "colleagues",
    "danger",
    "discard",
    "file",
    "find",
    "from_ref",
    "go_away",
    "hand",
    "hand_on",
    "held",
    "hold",
    "inbox",
    "link",
    "of_patient",
    "promise",
    "read",
    "reopen",
    "set_promise",
    "stand_in",
    "take",
    "unseen",
    "waiting",
]
