"""Become another program that ends with its parent: `python -I -S launch.py SIGNAL PARENT_PID MODE PROGRAM ARGUMENT…`

SIGNAL: the number the kernel sends to the program when the thread that started it ends (prctl PR_SET_PDEATHSIG).
MODE: `plain`, or `lowered`: as root, become an unprivileged user of an own user namespace, in which the files of root
are its own files (PostgreSQL refuses to run as root, and adding a system user would touch the machine).
A script of its own and not a preexec_fn: between fork and exec of a program with threads, Python may not run.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def lower(libc: ctypes.CDLL) -> None:
    """Leave root for a user namespace in which only this user exists."""
    user, group = os.geteuid(), os.getegid()
    # initdb looks its user up by name: any that the machine knows will do, but root. A fresh machine has no user 1000.
    inside = next(known for known in pwd.getpwall() if known.pw_uid != 0)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace may be made here")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside.pw_uid} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{inside.pw_gid} {group} 1")


def main() -> None:
    """See the module."""
    signal, parent, mode, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if mode == "lowered":
        lower(libc)
    # After the change of user: the kernel clears the setting when credentials change.
    if libc.prctl(PR_SET_PDEATHSIG, int(signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != int(parent):  # it ended before the setting stood
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
