"""Become another program that ends with its parent: `python -I -S launch.py SIGNAL PARENT_PID OWN PROGRAM ARGUMENT…`

SIGNAL: the number the kernel sends to the program when the thread that started it ends (prctl PR_SET_PDEATHSIG).
OWN: `-`, or, for a program that refuses to be root or nameless (PostgreSQL), the directory that it must own. It then
becomes an unprivileged user of an own user namespace, in which the files of its starter are its own files; where root
may make no namespace (many containers), an unprivileged user of the machine, to whom that directory is given. No user
is added and nothing outside the directory is touched.
A script of its own and not a preexec_fn: between fork and exec of a program with threads, Python may not run.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
CLONE_NEWUSER = 0x10000000


def lower(libc: ctypes.CDLL, own: Path) -> None:
    """Leave root. own: see OWN in the module's text."""
    user, group = os.geteuid(), os.getegid()
    given_away = own.stat().st_uid != user
    if given_away or libc.unshare(CLONE_NEWUSER) != 0:
        if user != 0:
            sys.exit(f"error: PostgreSQL needs a user with a name; give user {user} one in /etc/passwd")
        become(libc, somebody(), own)
        return
    # initdb looks its user up by name: any that the machine knows will do, but root.
    inside = somebody()
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside.pw_uid} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{inside.pw_gid} {group} 1")


def somebody() -> pwd.struct_passwd:
    """`nobody`, or whom the machine knows instead."""
    known = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    return next((entry for entry in known if entry.pw_name == "nobody"), known[0])


def become(libc: ctypes.CDLL, user: pwd.struct_passwd, own: Path) -> None:
    """Be that user, who owns the directory and, by one capability, passes through root's folders above it."""
    for place, folders, files in os.walk(own):
        for name in (".", *folders, *files):
            os.chown(Path(place) / name, user.pw_uid, user.pw_gid, follow_symlinks=False)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    bit = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; then bits 32 and up
    if libc.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def main() -> None:
    """See the module."""
    signal, parent, own, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if own != "-":
        lower(libc, Path(own))
    # After the change of user: the kernel clears the setting when credentials change.
    if libc.prctl(PR_SET_PDEATHSIG, int(signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != int(parent):  # it ended before the setting stood
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
