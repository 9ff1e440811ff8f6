"""LinkedIn lead forms: the webhook only says that there is a lead; it is read by the Lead Sync API, and so is its form.

Source: learn.microsoft.com/en-us/linkedin, Lead Sync and webhook validation, as published profiles quote them; not
tried against LinkedIn itself. `X-LI-Signature` is the hex HMAC-SHA256, keyed by the client secret, over `hmacsha256=`
and the body. LinkedIn asks for the challenge anew every two hours and blocks an address that misses it three times.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from schemas import MarketingEvent
from services.ingest import spellings, strict_json
from services.ingest.fields import event_data
from services.ingest.platforms.platform import Answer, Delivery, Notice, Parsed, check_signature
from services.ingest.reading import event_of
from services.ingest.refusal import refused
from services.ingest.source import Source

_RESPONSE = re.compile(r"(?:urn:li:leadGenFormResponse:)?([A-Za-z0-9_-]{1,128})")
_LONGEST_CHALLENGE = 200
_KNOWN = spellings.SUBJECT.keys() | spellings.ATTRIBUTES.keys() | spellings.CAMPAIGN.keys()


class Linkedin:
    """Kind `linkedin`."""

    needs = ("secrets", "access_token")

    def challenge(self, delivery: Delivery, source: Source) -> Answer:
        """Sign `challengeCode` with the client secret, the first where several are named."""
        code = delivery.query.get("challengeCode", "")
        if not 0 < len(code) <= _LONGEST_CHALLENGE:
            raise refused("bad_request", "challengeCode", "is missing or too long", "See LinkedIn's docs")
        if not source.secrets:
            raise refused("forbidden", "challengeCode", "cannot be signed", "Set the secret that sources.yaml names")
        signed = hmac.digest(source.secrets[0].encode(), code.encode(), hashlib.sha256).hex()
        return Answer(orjson.dumps({"challengeCode": code, "challengeResponse": signed}), "application/json")

    def verify(self, delivery: Delivery, source: Source) -> None:
        """Check `X-LI-Signature`; where the source may be unsigned, only a signature that is there."""
        given = delivery.headers.get("x-li-signature")
        if source.unsigned and given is None:
            return

        def sign(secret: bytes) -> str:
            return hmac.digest(secret, b"hmacsha256=" + delivery.body, hashlib.sha256).hex()

        check_signature(given, "X-LI-Signature", source, sign)

    def parse(self, delivery: Delivery, source: Source) -> Parsed:
        """A notice of the lead. One that a person took back makes no lead: it is kept for somebody to act on."""
        said = strict_json.loads(delivery.body)
        if not isinstance(said, dict) or not isinstance(said.get("type"), str):
            raise refused("schema_violation", "type", "is missing", "Send LinkedIn's webhook as it is")
        if said["type"] != "LEAD_ACTION":
            return Parsed()
        urn = said.get("leadGenFormResponse")
        found = _RESPONSE.fullmatch(urn) if isinstance(urn, str) else None
        if found is None:
            raise refused("schema_violation", "leadGenFormResponse", "is no URN", "Send LinkedIn's webhook as it is")
        notice = Notice(found[1], said)
        if said.get("leadAction") == "CREATED":
            return Parsed(notices=[notice])
        if said.get("leadAction") != "DELETED":
            raise refused("schema_violation", "leadAction", "is neither CREATED nor DELETED", "Update Baton")
        why = refused(
            "lead_deleted",
            "leadAction",
            "LinkedIn says that this lead was deleted there; what is known of the person here still stands",
            f"Delete the person behind the event {source.id}:{found[1]} here and in the sales systems, too",
        )
        return Parsed(kept=[(notice, why)])


def event_of_lead(
    lead: Mapping[str, Any], form: Mapping[str, Any], notice: Notice, source: Source, received_at: datetime
) -> MarketingEvent:
    """The event that a form's response is, its answers named by the questions of the form. Raises `Refused`."""
    response = _object(lead, "formResponse")
    questions = {one.get("questionId"): one for one in _objects(_object(form, "content"), "questions") if _has_id(one)}
    answers = [
        _answered(one, questions.get(one.get("questionId"), {}))
        for one in _objects(response, "answers")
        if _has_id(one)
    ]
    answers.sort(key=lambda one: not one[0].startswith("WORK_"))  # the address at work counts before the private one
    hidden = [(str(one["name"]), one.get("value")) for one in _objects(form, "hiddenFields") if one.get("name")]
    words = [
        # The form's own words, to which LinkedIn gives no meaning: rules say what they are good for.
        (f"consent_linkedin_{one['consentId']}", one["accepted"])
        for one in _objects(response, "consentResponses")
        if isinstance(one.get("consentId"), int) and isinstance(one.get("accepted"), bool)
    ]
    raw = notice.raw
    kind = lead.get("leadType") or raw.get("leadType")
    campaign = _object(_object(lead, "leadMetadata"), "sponsoredLeadMetadata").get("campaign")
    creative = next(
        filter(None, (_object(of, "associatedEntity").get("associatedCreative") for of in (lead, raw))), None
    )
    return event_of(
        event_data(
            [*answers, *hidden, *words],
            event_id=f"{source.id}:{notice.lead}",
            type="ad_lead_submitted",
            occurred_at=lead.get("submittedAt") or raw.get("occurredAt") or received_at,
            source=source.id,
            properties={
                "form_id": form.get("id"),
                "form_name": form.get("name"),
                "lead_type": kind,
                "campaign_id": campaign,
                "creative_id": creative,
            },
            campaign={
                "source": "linkedin",
                "medium": "paid_social" if kind == "SPONSORED" else "organic",
                "name": campaign,
                "content": creative,
            },
            is_test=lead.get("testLead") is True,
        ),
        received_at,
    )


def _answered(answer: Mapping[str, Any], question: Mapping[str, Any]) -> tuple[str, Any]:
    """The name of what was asked, and what was answered."""
    label = next(_localized(question.get("question")), "")
    field = question.get("predefinedField")
    if isinstance(field, str) and field:
        name = field
    elif spellings.plain(label) in _KNOWN:
        name = label
    else:
        name = str(question.get("name") or label or f"question_{answer['questionId']}")
    details = _object(answer, "answerDetails")
    text = _object(details, "textQuestionAnswer").get("answer")
    if text is not None:
        return name, text
    chosen = _object(details, "multipleChoiceAnswer").get("options")
    options = _objects(_object(_object(question, "questionDetails"), "multipleChoiceQuestionDetails"), "options")
    labels = {one.get("id"): next(_localized(one.get("text")), None) for one in options if _has_id(one, "id")}
    return name, [
        labels.get(one) or one for one in (chosen if isinstance(chosen, list) else []) if isinstance(one, int)
    ]


def _localized(text: Any) -> Iterator[str]:
    """The text in each of its languages."""
    spoken = _object(text, "localized") if isinstance(text, dict) else {}
    return (one for one in spoken.values() if isinstance(one, str))


def _has_id(of: Mapping[str, Any], name: str = "questionId") -> bool:
    return isinstance(of.get(name), int)


def _object(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _objects(of: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = of.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
