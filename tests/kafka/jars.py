"""The jars of Apache Kafka, fetched once by Maven and kept in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"


class Unavailable(Exception):
    """A server cannot be had on this machine; the message says why."""


def cache() -> Path:
    """Where the jars of this POM are kept: `BATON_TEST_KAFKA_JARS`, else a directory in the user's cache."""
    given = os.environ.get("BATON_TEST_KAFKA_JARS")
    if given:
        return Path(given)
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "baton-tests" / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"


def obstacle() -> str | None:
    """Why this machine cannot run Kafka itself; None where it can."""
    if not shutil.which("java"):
        return "Java is not installed"
    if not cache().exists() and not shutil.which("mvn"):
        return "Maven is not installed, and the jars are not in the cache"
    return None


def classpath() -> str:
    """The class path of a Kafka node. Fetches the jars (about 54 MB) where they are missing.

    Raises `Unavailable`.
    """
    home = cache()
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with home.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not home.exists():
                _fetch(home)
    return f"{home}/*"


def _fetch(home: Path) -> None:
    """Fetch beside the final place and rename: a fetch that was cut off leaves nothing that looks complete."""
    reason = obstacle()
    if reason:
        raise Unavailable(reason)
    unfinished = home.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = ["mvn", "-q", "-B", "-f", str(POM), COPY, f"-DoutputDirectory={unfinished}", "-DincludeScope=runtime"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"Maven could not fetch Kafka: {(error.stdout + error.stderr)[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable("Maven could not fetch Kafka within ten minutes") from error
    unfinished.rename(home)
