"""What the peers need: virtual environments from lock files with hashes, and the Java peer's jar."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
VENVS = Path(__file__).parent / ".venvs"
KSTREAMS = PEERS / "kstreams"
KSTREAMS_JAR = KSTREAMS / "target" / "kstreams.jar"


def make_venv(name: str) -> None:
    """The virtual environment of a peer, made anew where its lock file has changed."""
    lock, home = PEERS / name / "requirements.lock", VENVS / name
    wanted, stamp = sha256(lock.read_bytes()).hexdigest(), home / ".lock"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True)
    stamp.write_text(wanted)


def build_kstreams() -> None:
    """The Java peer and all it needs in one jar's class path, by Maven, where its source is newer."""
    sources = [KSTREAMS / "pom.xml", *KSTREAMS.glob("src/**/*.java")]
    if KSTREAMS_JAR.exists() and KSTREAMS_JAR.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return
    subprocess.run(["mvn", "-q", "-B", "-f", str(KSTREAMS / "pom.xml"), "package"], check=True)


def version_in(name: str, package: str) -> str:
    """The version of `package` that a peer's lock file has."""
    for line in (PEERS / name / "requirements.lock").read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line.split("==")[1].split()[0]
    raise LookupError(f"{package} is not in the lock file of {name}")
