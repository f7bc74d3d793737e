"""A newer certificate is taken up by the running program: one process after another, so that nobody notices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bedside.foundation import certificates
from bedside.foundation.supervisor import Supervisor


class Renewing:
    """Looks, as often as it is told to."""

    def __init__(self, pair: certificates.Pair, supervisor: Supervisor, say: Callable[[str], None]) -> None:
        self._pair, self._renewals, self._supervisor, self._say = pair, certificates.Renewals(pair), supervisor, say
        self._to_renew: list[str] = []

    def say_if_over(self) -> None:
        """At the start: it has expired. It is served all the same, so that a newer one is all that is missing."""
        over = datetime.now(UTC) - certificates.ends(self._pair[0])
        if over > timedelta():
            since = f"{over.days} days" if over.days else "less than a day"
            self._say(
                f"The certificate {self._pair[0]} expired {since} ago: browsers and devices refuse to connect. "
                "Put a newer one there: it is taken up within a minute, nothing has to be started again."
            )

    def look(self) -> None:
        """A newer pair lies there: what opens by it takes it up, the next once the one before stands."""
        if self._renewals.came():
            self._say("The certificate was renewed: it is taken up, one process after another")
            names = (service.name for service in self._supervisor.services)
            self._to_renew = [name for name in names if name in {"NATS", "ingest"} or name.startswith("web")]
        elif self._to_renew and self._supervisor.settled:
            self._supervisor.renew(self._to_renew.pop())
