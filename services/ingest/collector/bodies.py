"""Takes a request's body, bounded in size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from services.ingest.refusal import Refused, refused


async def read(request: Request, *, most: int, seconds: float) -> bytes:
    """The body. Raises `Refused` for more than `most` bytes, for one that takes longer, and for a compressed one."""
    if request.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise refused(
            "unsupported_media_type", "Content-Encoding", "is not taken here", "Send the body without compression"
        )
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length[:18]) > most:
        raise _too_large(most)
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise _too_large(most)
                parts.append(part)
    except TimeoutError:
        raise refused("request_timeout", "", f"took longer than {seconds:g} seconds", "Send it in one go") from None
    except ClientDisconnect:
        raise refused("bad_request", "", "the connection ended within the body", "Send it again") from None
    return b"".join(parts)


def media_type(request: Request) -> str:
    """The content type without its parameters, in lower case; empty where there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _too_large(most: int) -> Refused:
    return refused("too_large", "", f"the body has more than {most} bytes", "Send it in smaller parts")
