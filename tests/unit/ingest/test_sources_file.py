from __future__ import annotations

import re
from pathlib import Path

import pytest

from rules.faults import FaultyConfiguration
from services.ingest import sources

ENV = {"KEY": "k1", "NEXT": "k2", "SECRET": "s", "VERIFY": "v", "ACCESS": "a"}
SHIPPED = Path(__file__).parents[3] / "config" / "sources.yaml"

GOOD = """
sources:
  - {id: website, kind: form, origins: ["https://www.example.com"], region: US, expect_every: 6h}
  - {id: ads, kind: google, secrets: [env:KEY, env:NEXT]}
  - {id: meta, kind: meta, secrets: [env:SECRET], verify_token: env:VERIFY, access_token: env:ACCESS}
  - {id: shop, kind: events, secrets: [env:KEY], aliases: ["https://shop.example/"]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sources.yaml"


def test_sources_are_read_with_their_secrets_from_the_environment(file: Path) -> None:
    file.write_text(GOOD)
    found = sources.load(file, ENV)
    ads, meta = found.get("ads"), found.get("meta")

    assert ads is not None
    assert meta is not None
    assert ads.secrets == ("k1", "k2")
    assert (meta.verify_token, meta.access_token, meta.graph_url) == ("v", "a", "https://graph.facebook.com")
    assert [source.expect_every for source in found] == [21_600.0, None, None, None]
    assert found.get("https://shop.example/") is found.get("shop")
    assert found.get("nowhere") is None
    assert found.notices == ()


def test_no_text_of_a_source_shows_a_secret(file: Path) -> None:
    file.write_text(GOOD)

    assert not [secret for secret in ("k1", "k2") if secret in repr(sources.load(file, ENV))]


def test_a_source_whose_variables_are_not_set_is_closed_and_said_so(file: Path) -> None:
    file.write_text(GOOD)
    found = sources.load(file, {"NEXT": "k2", "SECRET": "s"})

    assert {source.id: source.closed for source in found} == {
        "website": False,
        "ads": False,
        "meta": True,
        "shop": True,
    }
    assert [4, 5, 6] == [notice.line for notice in found.notices]
    assert "VERIFY, ACCESS are not set in the environment" in found.notices[1].message
    assert "KEY is not set in the environment" in found.notices[2].message
    assert [notice.mend.split(" ")[1].strip(",") for notice in found.notices] == ["it", "them", "it"]


def test_the_file_that_ships_loads_with_no_variable_set() -> None:
    found = sources.load(SHIPPED, {})

    assert {source.id: source.closed for source in found} == {
        "website": False,
        "events": False,
        "google-ads": True,
        "meta": True,
        "typeform": True,
    }
    assert len(found.notices) == 3


def test_the_source_that_ships_behind_a_comment_loads_once_it_is_taken_away(file: Path) -> None:
    file.write_text(re.sub(r"^  # (- id: linkedin|  [a-z_]+: )", r"  \1", SHIPPED.read_text(), flags=re.MULTILINE))
    linkedin = sources.load(file, {"LINKEDIN_CLIENT_SECRET": "s", "LINKEDIN_ACCESS_TOKEN": "a"}).get("linkedin")

    assert linkedin is not None
    assert (linkedin.closed, linkedin.unsigned, linkedin.linkedin_version) == (False, False, "202610")
    assert linkedin.linkedin_url == "https://api.linkedin.com/rest"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{id: a, kind: fax}", "`fax` is no kind of source"),
        ("{id: a, kind: google}", "needs `secrets`"),
        ("{id: a, kind: meta, secrets: [env:S]}", "needs `verify_token`"),
        ("{id: a, kind: linkedin, secrets: [env:S]}", "needs `access_token`"),
        (
            "{id: a, kind: linkedin, secrets: [env:S], access_token: env:T, linkedin_version: 2026-10}",
            "linkedin_version",
        ),
        ("{id: a, kind: google, secrets: [env:S], unsigned: true}", "must be verified"),
        ("{id: a, kind: google, secrets: [plain-text-secret]}", "never written in this file"),
        ("{id: a, kind: form, region: Germany}", "region"),
        ("{id: a, kind: form, origins: [www.example.com/path]}", "origin"),
        ("{id: a, kind: form, expect_every: soon}", "expect_every"),
        ("{id: a b, kind: form}", "id"),
        ("{kind: form}", ".id` is missing"),
        ("{id: website, kind: form}", "two sources are called `website`"),
        ("{id: a, kind: form, orgins: [x]}", "unknown key `orgins`"),
    ],
)
def test_each_fault_is_told_with_its_line_and_mend(file: Path, entry: str, said: str) -> None:
    file.write_text(f"sources:\n  - {{id: website, kind: form}}\n  - {entry}\n")

    with pytest.raises(FaultyConfiguration) as caught:
        sources.load(file, {})

    faults = caught.value.faults
    assert said in " ".join(str(fault) for fault in faults)
    assert {3} == {fault.line for fault in faults}
    assert all(fault.mend for fault in faults)


@pytest.mark.parametrize("written", ["[hunter2]", "hunter2", "[4242]", "4242", "{x: hunter2}"])
def test_a_secret_that_was_written_into_the_file_is_not_repeated(file: Path, written: str) -> None:
    file.write_text(f"sources:\n  - {{id: a, kind: google, secrets: {written}}}\n")

    with pytest.raises(FaultyConfiguration) as caught:
        sources.load(file, {})

    assert "hunter2" not in str(caught.value)
    assert "4242" not in str(caught.value)
