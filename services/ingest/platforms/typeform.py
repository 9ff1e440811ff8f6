"""Typeform responses.

Source: typeform.com/developers/webhooks: example payload, and securing webhooks: `Typeform-Signature` is `sha256=` and
the base64 of HMAC-SHA256 over the body. There is no timestamp in it; a repeat is dropped by the response's token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from services.ingest import spellings, strict_json
from services.ingest.fields import event_data
from services.ingest.platforms.platform import Answer, Delivery, Parsed, check_signature, no_challenge
from services.ingest.reading import event_of
from services.ingest.refusal import refused
from services.ingest.source import Source

_KNOWN = spellings.SUBJECT.keys() | spellings.ATTRIBUTES.keys() | spellings.CONSENT.keys()
_BY_TYPE = {"email": "email", "phone_number": "phone"}


class Typeform:
    """Kind `typeform`."""

    needs = ("secrets",)

    def challenge(self, delivery: Delivery, source: Source) -> Answer:  # noqa: ARG002 the protocol's
        """Typeform sends none."""
        raise no_challenge()

    def verify(self, delivery: Delivery, source: Source) -> None:
        """Check `Typeform-Signature`."""

        def sign(secret: bytes) -> str:
            return "sha256=" + base64.b64encode(hmac.digest(secret, delivery.body, hashlib.sha256)).decode()

        check_signature(delivery.headers.get("typeform-signature"), "Typeform-Signature", source, sign)

    def parse(self, delivery: Delivery, source: Source) -> Parsed:
        """One response a delivery."""
        envelope = strict_json.loads(delivery.body)
        response = envelope.get("form_response") if isinstance(envelope, dict) else None
        if not isinstance(response, dict) or not isinstance(response.get("token"), str):
            raise refused(
                "schema_violation", "form_response", "is missing or has no token", "Send Typeform's webhook as it is"
            )
        definition = response.get("definition")
        score = response.get("calculated")
        properties = {
            "form_id": response.get("form_id"),
            "title": definition.get("title") if isinstance(definition, dict) else None,
            "form_score": score.get("score") if isinstance(score, dict) else None,
            "landed_at": response.get("landed_at"),
        }
        data = event_data(
            _answers(response),
            event_id=f"{source.id}:{response['token']}",
            type="form_submitted",
            occurred_at=response.get("submitted_at") or delivery.received_at,
            source=source.id,
            properties=properties,
        )
        return Parsed(events=[event_of(data, delivery.received_at)])


def _answers(response: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    titles = _titles(response.get("definition"))
    for answer in _objects(response.get("answers")):
        field, kind = answer.get("field"), answer.get("type")
        if isinstance(field, dict) and isinstance(kind, str):
            yield _name(field, kind, titles), _value(answer.get(kind))
    hidden = response.get("hidden")
    if isinstance(hidden, dict):
        yield from hidden.items()


def _name(field: Mapping[str, Any], kind: str, titles: Mapping[str, str]) -> str:
    """By the reference that the form's maker gave; where that says nothing, by the question."""
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    ref, title = str(field.get("ref") or ""), titles.get(str(field.get("id")), "")
    if spellings.plain(title) in _KNOWN and spellings.plain(ref) not in _KNOWN:
        return title
    return ref or title or str(field.get("id"))


def _value(given: Any) -> Any:
    """The answer itself: choices come wrapped with their labels."""
    if not isinstance(given, dict):
        return given
    return given.get("label") or given.get("labels") or given.get("other") or given


def _titles(definition: Any) -> dict[str, str]:
    fields = definition.get("fields") if isinstance(definition, dict) else None
    return {str(one.get("id")): str(one.get("title") or "") for one in _objects(fields)}


def _objects(given: Any) -> list[dict[str, Any]]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
