"""Whether Docker is there for tests."""

from __future__ import annotations

from functools import cache


@cache
def docker_obstacle() -> str | None:
    """Why containers cannot be started here; None where a daemon answers within two seconds."""
    import docker
    import requests

    try:
        docker.from_env(timeout=2).ping()
    except (docker.errors.DockerException, requests.RequestException):
        return "no Docker daemon answers"
    return None
