"""Asking a platform's API for what a notice only announced: once more at once for what passes, and not for long."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple, TypeVar

import httpx
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from services.ingest.platforms.platform import Unreachable

T = TypeVar("T")


class Passing(Unreachable):
    """Worth another try at once."""


class Said(NamedTuple):
    """An API's answer; `body` is None where it is no JSON."""

    status: int
    body: Any


def api_client() -> httpx.AsyncClient:
    """A client that follows no redirect: a token goes to the address in the settings and to no other."""
    return httpx.AsyncClient(timeout=httpx.Timeout(3.0), follow_redirects=False)


async def ask(
    client: httpx.AsyncClient,
    whom: str,
    address: str,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None = None,
) -> Said:
    """GET it. Raises `Passing` where nothing comes back; `whom` names the API in its text."""
    try:
        response = await client.get(address, params=params, headers=headers)
    except httpx.HTTPError as error:
        raise Passing(f"{whom} does not answer: {type(error).__name__}") from None
    try:
        return Said(response.status_code, orjson.loads(response.content))
    except orjson.JSONDecodeError:
        return Said(response.status_code, None)


async def patiently(asked: Callable[[], Coroutine[Any, Any, T]], *, deadline: float, longest_wait: float) -> T:
    """What `asked` gives, tried again where it raises `Passing`, for about `deadline` seconds with all tries.

    `asked` is an `async def` or a `partial` of one; tenacity does not see that a lambda is to be awaited.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(Passing),
        wait=wait_random_exponential(multiplier=0.1, max=longest_wait),
        stop=stop_after_delay(deadline),
        reraise=True,
    )
    return await retrying(asked)
