"""The embedded broker: `noida-db`, a Kafka-compatible server in one file.

It is for looking around and for functional tests. Killed with -9 it loses acknowledged records that are seconds old;
its state is one file, rewritten whole. So it is stopped with SIGTERM and waited for.
"""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import time
from pathlib import Path

from baton.embedded.child import end, end_leftover, first_line_number, spawn, tail
from baton.embedded.ports import answers, free_port, is_free
from baton.refusal import NO, Refusal

_MEND = "Bring your own Kafka: BATON_KAFKA=host:port"
_STOPS_WITHIN = 60.0  # seconds; it writes all it holds, 38 s for a million records of 500 bytes
_STARTS_WITHIN = 20.0


def binary() -> Path:
    """Where the broker's program is installed. Raises `Refusal` where it is not, or cannot run here."""
    spec = importlib.util.find_spec("noida_db")
    if spec is None or spec.origin is None:
        raise Refusal("the embedded broker is not installed", f"pip install 'baton[embedded]'. Or: {_MEND}")
    path = Path(spec.origin).with_name("noida-db")
    try:
        probe = subprocess.run([str(path), "version"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refusal(f"the embedded broker cannot run on this machine ({error})", _MEND) from error
    if probe.returncode != 0:
        reason = probe.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {probe.returncode}"]
        raise Refusal(f"the embedded broker cannot run on this machine ({reason[0]})", _MEND)
    return path


class EmbeddedBroker:
    """A broker on loopback; its data, and the port that it keeps, in `directory`."""

    def __init__(self, directory: Path, log: Path) -> None:
        self._directory, self._log = directory.absolute(), log
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def bootstrap(self) -> str:
        """Bootstrap servers, for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process else None

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it takes connections. Raises `Refusal` with its last words where it does not."""
        program = binary()
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory.chmod(0o700)
        pid_file, port_file = self._directory / "baton.pid", self._directory / "baton.port"
        end_leftover(first_line_number(pid_file), str(self._directory), first=signal.SIGTERM, seconds=_STOPS_WITHIN)
        port = self.port or first_line_number(port_file)
        self.port = port if port and is_free(port) else free_port()
        port_file.write_text(f"{self.port}\n")
        command = [str(program), "start", "--only", "kafka", "--host", "127.0.0.1", "--kafka-port", str(self.port)]
        self._process = spawn([*command, "--data-dir", str(self._directory)], log=self._log)
        pid_file.write_text(f"{self._process.pid}\n")
        deadline = time.monotonic() + _STARTS_WITHIN
        while not answers(self.port):
            if not self.alive() or time.monotonic() > deadline:
                self.stop()
                raise Refusal(f"the embedded broker did not start; its last words:\n{tail(self._log)}\n", _MEND, NO)
            time.sleep(0.05)

    def stop(self) -> None:
        """SIGTERM, and wait until all is written."""
        if self._process is not None:
            end(self._process, first=signal.SIGTERM, seconds=_STOPS_WITHIN)
            self._process = None
            (self._directory / "baton.pid").unlink(missing_ok=True)
