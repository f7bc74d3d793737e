"""Jobs of messaging."""

from datetime import timedelta

from bedside.messaging.service.arriving import look
from bedside.messaging.service.sending import asked, deliver

JOBS = {"messaging.send": asked, "messaging.deliver": deliver, "messaging.look": look}
EVERY = {"messaging.look": timedelta(minutes=1)}
