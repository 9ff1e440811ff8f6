"""Whose process PostgreSQL is: it refuses to run as root, so root hands it to an ordinary user without a login."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
from dataclasses import dataclass
from pathlib import Path

from baton.refusal import Refusal

_ORDINARY = "nobody"


@dataclass(frozen=True, slots=True)
class Owner:
    """A user to run as. `drop_to` is the name to change to, `-` for none; `prefix` a program that does it instead."""

    uid: int
    gid: int
    drop_to: str = "-"
    prefix: tuple[str, ...] = ()

    def wrap(self, command: list[str], ends_with: signal.Signals) -> list[str]:
        """The command line that runs `command` as this owner; `ends_with` as in `spawn`."""
        if not self.prefix:
            return command
        return [*self.prefix, "--pdeathsig", ends_with.name.removeprefix("SIG"), *command]

    def own(self, path: Path) -> None:
        """Make `path` theirs, if it may be given away."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def owner_for(data: Path, programs: Path) -> Owner:
    """Who runs the server on `data`; the folder is made theirs.

    Where root's folders are closed to others (`/root`), the ordinary user keeps one right of root's, to pass through
    them: so no mode of a folder that is not ours is changed.
    """
    if os.geteuid() != 0:
        return Owner(os.getuid(), os.getgid())
    entry = pwd.getpwnam(_ORDINARY)
    owner = Owner(entry.pw_uid, entry.pw_gid, drop_to=_ORDINARY)
    if not (_open_to_others(data.parent) and _open_to_others(programs)):
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise Refusal(
                f"PostgreSQL cannot run as root, and other users cannot enter {data.parent}",
                "Run baton as an ordinary user, or set BATON_DATA_DIR to a folder that others may enter",
            )
        ids = (f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
        right = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
        owner = Owner(entry.pw_uid, entry.pw_gid, prefix=(setpriv, *ids, *right))
    owner.own(data)
    return owner


def _open_to_others(path: Path) -> bool:
    """Whether every user may enter `path`."""
    path = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))
