"""`baton resume`: an operator's word to the workers of a stage that its breaker stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from baton.refusal import NO, Refusal
from baton.send import address
from baton.settings import Settings
from baton.up import state
from streaming import breaker_door, hosts

STAGES = ("ingest", "scoring", "routing")
LOOK_SECONDS = 2.0
"""So long after the word we look what became of it: a round that opens the breaker again takes less."""


@dataclass(frozen=True, slots=True)
class Told:
    """A worker that was told. `stood_still`: why it did; empty where it did not. `still`: why it does again."""

    worker: str
    stood_still: str
    still: str = ""


def resume(
    settings: Settings,
    stage: str,
    allowance: int = 0,
    urls: Sequence[str] = (),
    pause: Callable[[float], None] = time.sleep,
) -> list[Told]:
    """Close the breaker of each worker of `stage`, let `allowance` failures pass, and see what becomes of it.

    Raises `Refusal` where there is no such stage, an address that is none, or a worker that does not answer or refuses.
    """
    if stage not in STAGES:
        raise Refusal(f"there is no stage `{stage}`", f"Name one of {', '.join(STAGES)}")
    for url in urls:
        address(url, "a worker")
    if allowance > breaker_door.MOST:
        raise Refusal(f"{allowance:,} records are more than may be let fail", f"Give at most {breaker_door.MOST:,}")
    running = None if urls else state.find(settings.data_dir)
    workers = {url: url for url in urls} or _workers(settings, stage, running)
    with httpx.Client(timeout=5.0) as client:
        try:
            told = [(url, Told(name, _tell(client, name, url, stage, allowance))) for name, url in workers.items()]
        except Refusal as refusal:
            if running is None and not urls and isinstance(refusal.__cause__, httpx.ConnectError):
                mend = "Start it with `baton up`, set BATON_DATA_DIR, or give a worker's address: --url"
                raise Refusal(f"nothing is up on {settings.data_dir}", mend, NO) from refusal
            raise
        if any(one.stood_still for _, one in told):
            pause(LOOK_SECONDS)
        return [
            Told(one.worker, one.stood_still, _still(client, url, stage) if one.stood_still else "")
            for url, one in told
        ]


def _workers(settings: Settings, stage: str, running: state.Running | None) -> dict[str, str]:
    """Addresses of the stage's workers, by name: those of `baton up`, else the one that this environment is for."""
    if running is not None:
        return {name: url for name, url in running.probes.items() if name.rpartition("-")[0] == stage}
    return {stage: hosts.url(settings.host, settings.metrics_port)}


def _tell(client: httpx.Client, name: str, url: str, stage: str, allowance: int) -> str:
    try:
        answer = client.post(url.rstrip("/") + breaker_door.PATH, json={"allowance": allowance})
    except (httpx.TransportError, httpx.InvalidURL) as error:
        mend = "See `baton status`, or give the address of its /readyz and /metrics: --url"
        raise Refusal(f"{name} does not answer ({type(error).__name__})", mend, NO) from error
    if answer.status_code == httpx.codes.FORBIDDEN:
        raise Refusal(f"{name} takes this from its own machine alone", "Run the command there", NO)
    try:
        stages = answer.raise_for_status().json()["stages"]
        return str(stages[stage])
    except (httpx.HTTPStatusError, ValueError, KeyError, TypeError) as error:
        raise Refusal(f"no worker of {stage} answers at {url}", "Give its address: --url", NO) from error


def _still(client: httpx.Client, url: str, stage: str) -> str:
    """Why it stands still now; empty where it does not. One that does not answer any more is no breaker's matter."""
    try:
        breaker = client.get(url.rstrip("/") + "/readyz").json()["conditions"][f"{stage}.breaker"]
        return "" if breaker["ok"] else str(breaker["why"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return "it does not answer any more"
