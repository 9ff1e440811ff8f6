"""What the sales API is told."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from schemas.record import Instant
from services.routing.api.problems import Problem

B = TypeVar("B", bound=BaseModel)

MOST_BYTES = 64_000


class Answer(BaseModel):
    """A rep's word on an offer."""

    model_config = ConfigDict(extra="forbid")

    rep: str = Field(min_length=1, max_length=100)
    reason: str = Field(default="", max_length=1_000, pattern=r"^[^\x00]*$")


class Availability(BaseModel):
    """Whether a rep takes leads, and where not, until when and why."""

    model_config = ConfigDict(extra="forbid", strict=False)

    available: bool
    until: Instant | None = None
    reason: str = Field(default="", max_length=200, pattern=r"^[^\x00]*$")


async def body_of(request: Request) -> bytes:
    """The body. Raises Problem where it is too large."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > MOST_BYTES:
            raise Problem(413, f"the body has more than {MOST_BYTES} bytes", "Send one answer a request.")
    return bytes(found)


async def parsed(request: Request, model: type[B]) -> B:
    """The body as a `model`. Raises Problem that names the field and the mend."""
    body = await body_of(request)
    try:
        return model.model_validate_json(body)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Problem(400, "the body is not JSON", f"Send one JSON object in UTF-8: {first['msg']}.") from None
        field = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        known = ", ".join(model.model_fields)
        raise Problem(422, f"{field or 'the body'}: {message}", f"Send an object with {known}.", field) from None
