from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from streaming.breaker_door import answer, same_machine
from streaming.probes import Probes, Readiness


class Asked:
    """A stage that stands still, and what it was told."""

    def __init__(self) -> None:
        self.words: list[int] = []

    def close(self, allowance: int) -> dict[str, str]:
        self.words.append(allowance)
        return {"scoring": "100 records in a row failed"}


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def url(asked: Asked) -> Iterator[str]:
    with Probes(Readiness(), close_breakers=asked.close) as probes:
        yield f"{probes.url}/breaker/close"


def test_an_operators_word_reaches_the_stage_and_is_answered_with_why_it_stood_still(url: str, asked: Asked) -> None:
    reply = httpx.post(url, json={"allowance": 500})

    assert (reply.status_code, asked.words) == (200, [500])
    assert reply.json() == {"stages": {"scoring": "100 records in a row failed"}, "allowance": 500}


def test_without_a_number_no_failure_is_let_pass(url: str, asked: Asked) -> None:
    assert httpx.post(url, json={}).status_code == 200
    assert httpx.post(url, content=b"", headers={"content-type": "application/json"}).status_code == 200
    assert asked.words == [0, 0]


@pytest.mark.parametrize("number", ["-1", '"5"', "1.5", "true", "null", "1000000001"])
def test_an_allowance_that_is_no_number_of_records_is_refused(number: str, url: str, asked: Asked) -> None:
    body = b'{"allowance": %s}' % number.encode()
    reply = httpx.post(url, content=body, headers={"content-type": "application/json"})

    assert (reply.status_code, asked.words) == (400, [])
    assert reply.json()["error"].startswith("allowance: ")


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b"\xff", b"[" * 900])
def test_a_word_that_makes_no_sense_is_refused_and_changes_nothing(body: bytes, url: str, asked: Asked) -> None:
    reply = httpx.post(url, content=body, headers={"content-type": "application/json"})

    assert (reply.status_code, asked.words) == (400, [])


def test_a_page_in_a_browser_cannot_send_it(url: str, asked: Asked) -> None:
    """Forms of other sites can be sent unasked as these types, and as no other."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert httpx.post(url, content=b"{}", headers={"content-type": kind}).status_code == 415
    assert httpx.options(url).status_code == 501
    assert asked.words == []


def test_a_body_of_no_said_length_or_a_large_one_is_refused(url: str, asked: Asked) -> None:
    large = httpx.post(url, content=b" " * 1_001, headers={"content-type": "application/json"})
    endless = httpx.post(url, content=iter([b"{}"]), headers={"content-type": "application/json"})

    assert (large.status_code, endless.status_code, asked.words) == (413, 413, [])


def test_a_process_without_a_breaker_takes_no_word() -> None:
    with Probes(Readiness()) as probes:
        assert httpx.post(f"{probes.url}/breaker/close", json={}).status_code == 404


def test_other_paths_take_nothing(url: str, asked: Asked) -> None:
    assert httpx.post(url.replace("/breaker/close", "/readyz"), json={}).status_code == 404
    assert asked.words == []


@pytest.mark.parametrize(
    ("peer", "here", "same"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.53", "127.0.0.1", True),
        ("::1", "::1", True),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("::ffff:10.1.2.3", "10.1.2.3", True),
        ("fe80::1%eth0", "fe80::1", True),
        ("10.1.2.4", "10.1.2.3", False),
        ("::ffff:10.1.2.4", "10.1.2.3", False),
        ("2001:db8::1", "2001:db8::2", False),
        ("", "127.0.0.1", False),
    ],
)
def test_only_the_same_machine_is_heard(peer: str, here: str, same: bool, asked: Asked) -> None:
    status, _ = answer(asked.close, peer, here, "application/json", b"{}")

    assert same_machine(peer, here) is same
    assert (status, asked.words) == ((200, [0]) if same else (403, []))
