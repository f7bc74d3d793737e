"""Jobs of messaging."""

from datetime import timedelta

from bedside.messaging.service.arriving import look
from bedside.messaging.service.sending import asked, deliver
from bedside.messaging.threads import subscribers as threads

JOBS = {"messaging.send": asked, "messaging.deliver": deliver, "messaging.look": look, **threads.JOBS}
EVERY = {"messaging.look": timedelta(minutes=1), **threads.EVERY}
GOVERNED = threads.GOVERNED
