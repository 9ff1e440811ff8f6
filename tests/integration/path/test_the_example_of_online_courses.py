"""Old leads of a file become events, and the rules beside them qualify those who stayed long or were recommended."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.path import WholePath

EXAMPLES = Path(__file__).parents[3] / "config" / "examples"
HEADER = (
    "Prospect ID,Lead Number,Lead Origin,Lead Source,Do Not Email,Do Not Call,TotalVisits,Total Time Spent on Website,"
    "Page Views Per Visit,Last Activity,Country,Specialization"
)
ROWS = [
    "long,1,Landing Page Submission,Google,No,No,4,1300,2,Email Opened,India,Marketing",  # 15 + 35 + 20 and more: mql
    "short,2,Landing Page Submission,Google,No,No,1,90,2,,India,Marketing",
    "no-mail,3,Landing Page Submission,Google,Yes,No,4,1300,2,,India,Marketing",  # wants no mail
    "known,4,Lead Add Form,Reference,No,No,,,,,United States,",  # recommended: 60 of fit
    "silent,5,Lead Add Form,Reference,No,Yes,,,,,India,",  # recommended, but wants no calls
]


@pytest.mark.postgres
def test_old_leads_are_scored_and_those_who_stayed_or_were_recommended_are_assigned(
    tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "leads.csv").write_text("\n".join([HEADER, *ROWS]) + "\n")
    program, leads = str(EXAMPLES / "leads_csv.py"), str(tmp_path / "leads.csv")
    command = [sys.executable, program, leads, "--until", "2026-03-31T00:00:00Z"]
    events = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    with WholePath(EXAMPLES / "online-courses", database_url, datetime(2026, 4, 1, tzinfo=UTC)) as path:
        path.send(map(json.loads, events))
        seen, report, suppressed = path.seen(), path.audit(), path.suppressed()

    assert report.violations == ()
    assert [(lead.value or {})["person"]["external_id"] for lead in seen["sales.queue.india"]] == ["long"]
    assert [(lead.value or {})["person"]["external_id"] for lead in seen["sales.queue.recommended"]] == ["known"]
    assert list(suppressed.values()) == ["wants no calls"]
    assert report.lines["leads scored"] == "5"
