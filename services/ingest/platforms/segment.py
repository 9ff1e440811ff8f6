"""Events in the words of Segment's specification, which RudderStack and others speak too.

Source: twilio.com/docs/segment/connections/spec/common, and the HTTP tracking API: the write key is the user of HTTP
basic authentication. `x-signature` (hex HMAC-SHA1) covers a single event only, never a batch.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from schemas import MarketingEvent
from services.ingest import strict_json
from services.ingest.fields import event_data
from services.ingest.platforms.platform import Answer, Delivery, Parsed, check_signature, no_challenge
from services.ingest.reading import event_of
from services.ingest.refusal import Refused, refused
from services.ingest.source import Source

_TYPES = {
    "page": "page_viewed",
    "screen": "screen_viewed",
    "identify": "identified",
    "group": "grouped",
    "alias": "aliased",
}
_CAMPAIGN = ("source", "medium", "name", "term", "content")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


class Segment:
    """Kind `segment`; the secrets are write keys, or shared secrets of webhooks."""

    needs = ("secrets",)

    def challenge(self, delivery: Delivery, source: Source) -> Answer:  # noqa: ARG002 the protocol's
        """Segment sends none."""
        raise no_challenge()

    def verify(self, delivery: Delivery, source: Source) -> None:
        """Check the write key; without one, the signature of a single event."""
        authorization = delivery.headers.get("authorization")
        if authorization:
            check_signature(_user(authorization), "Authorization", source, bytes.decode)
            return

        def sign(secret: bytes) -> str:
            return hmac.digest(secret, delivery.body, hashlib.sha1).hex()

        check_signature(delivery.headers.get("x-signature"), "x-signature", source, sign)
        if isinstance(_object(delivery).get("batch"), list):
            mend = "Send the write key as the user of HTTP basic authentication"
            raise refused("bad_signature", "x-signature", "does not cover a batch", mend)

    def parse(self, delivery: Delivery, source: Source) -> Parsed:
        """An event for each call, of a batch or alone."""
        body = _object(delivery)
        calls = body["batch"] if isinstance(body.get("batch"), list) else [body]
        parsed = Parsed()
        for index, call in enumerate(calls):
            try:
                parsed.events.append(_event(call, source, delivery.received_at))
            except Refused as why:
                parsed.refused.append((index, why))
        return parsed


def _user(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0] if scheme.lower() == "basic" else value
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _object(delivery: Delivery) -> Mapping[str, Any]:
    body = strict_json.loads(delivery.body)
    if not isinstance(body, dict):
        raise refused("schema_violation", "", "is not an object", "Send one call, or {batch: […]}")
    return body


def _event(call: Any, source: Source, received_at: datetime) -> MarketingEvent:
    kind = call.get("type") if isinstance(call, Mapping) else None
    if not isinstance(call, Mapping) or not isinstance(call.get("messageId"), str) or not isinstance(kind, str):
        raise refused("schema_violation", "messageId", "or type is missing", "Send it as Segment's libraries do")
    context = _mapping(call.get("context"))
    properties = {**_mapping(call.get("properties")), "user_agent": context.get("userAgent")}
    if kind == "page" and isinstance(call.get("name"), str):
        properties.setdefault("title", call["name"])
    campaign = _mapping(context.get("campaign"))
    data = event_data(
        list(_answers(call, context)),
        event_id=f"{source.id}:{call['messageId']}",
        type=_type(kind, call.get("event")),
        occurred_at=call.get("timestamp") or call.get("originalTimestamp") or received_at,
        source=source.id,
        properties=properties,
        campaign={name: campaign.get(name) for name in _CAMPAIGN},
    )
    return event_of(data, received_at)


def _type(kind: str, event: Any) -> str:
    if kind == "track" and isinstance(event, str):
        return _NOT_WORD.sub("_", event.lower()).strip("_") or event
    return _TYPES.get(kind, kind)


def _answers(call: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Who it is; an alias says that the previous id is the same person."""
    yield "external_id", call.get("userId")
    yield "anonymous_id", call.get("anonymousId") or (call.get("previousId") if call.get("type") == "alias" else None)
    for traits in (_mapping(call.get("traits")), _mapping(context.get("traits"))):
        for name, value in traits.items():
            if name == "company" and isinstance(value, Mapping):
                yield from ((f"company {part}", one) for part, one in value.items() if part != "name")
                yield "company", value.get("name")
            elif name == "company" or not isinstance(value, Mapping):
                yield name, value
            else:
                yield from value.items()


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
