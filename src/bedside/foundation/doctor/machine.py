"""What can be seen without a database: the machine, its disk, ports, clock, and the programs that are needed.

Only what a page shows too is marked for translation: the terminal speaks English.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from bedside.foundation.doctor.finding import Finding, bad, failed, good, note
from bedside.foundation.engines.nats import binary
from bedside.foundation.engines.postgres import binaries
from bedside.foundation.errors import N_, BedsideError
from bedside.foundation.home import ROOM_AGAIN, ROOM_FIRST

GB = 1 << 30
CLOCK_UNSYNCHRONISED = 5
"""adjtimex(2)'s TIME_ERROR: the kernel knows of nothing that keeps its clock right."""


def machine(home: Path, ports: dict[str, tuple[str, int]], *, running: bool) -> Iterator[Finding]:
    """ports: option to address and number; running: whether this home's program has them."""
    yield good("Python %(version)s.", version=platform.python_version())
    if sys.platform != "linux":
        yield bad(
            "The system is %(system)s.",
            "Bedside's embedded engines are tried on Linux alone.",
            system=sys.platform,
        )
    yield disk(home)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    size = f"{memory / GB:.1f}"
    if memory < GB:
        yield note("The machine has %(size)s GB of memory.", "1 GB is the least to run well.", size=size)
    else:
        yield good("%(size)s GB of memory.", size=size)
    for find, name in ((binaries, "PostgreSQL"), (binary, "NATS")):
        try:
            find()
            yield good("%(name)s's program is there.", name=name)
        except BedsideError as error:
            yield failed(error)
    for option, (host, port) in ports.items():
        yield _port(option, host, port, running=running)
    yield clock()
    if shutil.which("turnserver"):
        yield good("coturn is installed: visits get through strict firewalls.")
    else:
        yield note("coturn is not installed: behind some firewalls a visit will not connect.", "apt install coturn")


def disk(home: Path) -> Finding:
    """How much is free where the home is."""
    place = next(parent for parent in (home, *home.absolute().parents) if parent.is_dir())
    free, needed = shutil.disk_usage(place).free, ROOM_AGAIN if home.is_dir() else ROOM_FIRST
    if free < needed:
        return bad(
            N_("%(free)s MB are free at %(place)s; %(needed)s MB are needed."),
            N_("Free some space."),
            free=free >> 20,
            needed=needed >> 20,
            place=str(place),
        )
    if free < 2 * GB:
        remedy = N_("A clinic's year of readings wants 2 GB.")
        return note(N_("%(free)s MB are free at %(place)s."), remedy, free=free >> 20, place=str(place))
    return good(N_("%(free)s GB are free at %(place)s."), free=free // GB, place=str(place))


def _port(option: str, host: str, port: int, *, running: bool) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            taken = False
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                return bad(
                    "%(host)s (%(option)s) is no address of this machine.",
                    "Name one that it has: ip -brief address lists them.",
                    host=host,
                    option=option.replace("port", "host"),
                )
            taken = error.errno != errno.EACCES or _answers(host, port)
            if not taken and not running:
                return note(
                    "Whether port %(port)s (%(option)s) is free cannot be tried by this user: below 1024 it is for"
                    " administrators.",
                    "The unit for systemd may be allowed it: CAP_NET_BIND_SERVICE (docs/production.md).",
                    port=port,
                    option=option,
                )
    if taken and running:
        return good("Port %(port)s (%(option)s) is Bedside's own.", port=port, option=option)
    if taken:
        return bad(
            "Port %(port)s (%(option)s) is taken by another program.",
            "Choose another: %(option)s.",
            port=port,
            option=option,
        )
    if running:
        return bad(
            "Port %(port)s (%(option)s) does not answer.",
            "Read the logs in the home's logs/.",
            port=port,
            option=option,
        )
    return good("Port %(port)s (%(option)s) is free.", port=port, option=option)


def _answers(host: str, port: int) -> bool:
    """Whether somebody listens there; every address of this machine is reached by its own."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - looked for, not listened on
    try:
        socket.create_connection((own, port), timeout=2).close()
    except OSError:
        return False
    return True


def clock() -> Finding:
    """Asks the kernel, which every time service tells that it keeps the clock."""
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    if state in {-1, CLOCK_UNSYNCHRONISED}:
        return note(
            N_(
                "Nothing keeps this machine's clock right: readings would be stamped and alarms timed by a wrong clock."
            ),
            N_("Install a time service, for example: apt install chrony."),
        )
    return good(N_("The clock is kept right by a time service."))
