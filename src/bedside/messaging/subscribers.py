"""Jobs of messaging."""

from bedside.messaging.service import asked, deliver
from bedside.messaging.threads import subscribers as threads

JOBS = {"messaging.send": asked, "messaging.deliver": deliver, **threads.JOBS}
EVERY = {**threads.EVERY}
GOVERNED = threads.GOVERNED
