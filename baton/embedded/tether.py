"""Become another program that ends with its parent: `tether.py SIGNAL PARENT USER PROGRAM ARGUMENT…`.

Run as a script, before the program takes its place: SIGNAL is sent to it when the process PARENT dies (Linux; elsewhere
a leftover is found at the next start). USER is a name to change to, or `-`. Only the standard library is needed.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>


def main(signal: str, parent: str, user: str, *command: str) -> None:
    """Change the user, tie the process to its parent, become `command`."""
    if user != "-":
        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal))  # after setuid, which clears it
    if os.getppid() != int(parent):  # it died before the tie held
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 the very purpose


if __name__ == "__main__":
    main(*sys.argv[1:])
