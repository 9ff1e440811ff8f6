from __future__ import annotations

import json
from typing import Any

from services.ingest.source import Source, Sources
from services.ingest.stage import make_stage
from streaming.memory import MemoryRunner


def test_a_topic_of_good_and_bad_records_ends_in_leads_and_failed_records(event: Any) -> None:
    runner = MemoryRunner([make_stage(Sources((Source("website", "form"),)), "eu.")], now=1_790_239_330.0)
    raw = [json.dumps(event(event_id="1")).encode(), b"\xff{", None, json.dumps(event(event_id="2")).encode()]
    for value in raw:
        runner.send("eu.marketing.events", None, value)

    runner.run()

    leads, failed = runner.records("eu.leads.events"), runner.records("eu.ingest.failed")
    assert ["1", "2"] == sorted(json.loads(lead.value() or b"")["event"]["event_id"] for lead in leads)
    assert {b"\xff{", None} == {record.value() for record in failed}
    reasons = {dict(record.headers() or ())["baton_reason"] for record in failed}
    assert {b"invalid_json", b"tombstone"} == reasons
    assert all("baton_ingested_at" in dict(lead.headers() or ()) for lead in leads)
