"""Jobs of messaging."""

from bedside.messaging.service import asked, deliver

JOBS = {"messaging.send": asked, "messaging.deliver": deliver}
