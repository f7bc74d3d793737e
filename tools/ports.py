"""Ports for programs that a test starts: free now, and given to nobody else until the program listens.

Not asked of the system (port 0): what it gives is free again at once, and it may give it to the next who asks, in
another test or for a connection. So a port is taken from below those that it gives out (32768 by Linux's default), each
of pytest's workers has a range of its own, and each process begins somewhere in it.
"""

from __future__ import annotations

import os
import random
import socket
from itertools import count
from typing import Final

LOWEST: Final = 10_000
HIGHEST: Final = 32_000
RANGES: Final = 8
_SIZE: Final = (HIGHEST - LOWEST) // RANGES
_FIRST: Final = LOWEST + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % RANGES * _SIZE
_TURN = count(random.SystemRandom().randrange(_SIZE))


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on now."""
    for _ in range(_SIZE):
        port = _FIRST + next(_TURN) % _SIZE
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError("every port is taken")
