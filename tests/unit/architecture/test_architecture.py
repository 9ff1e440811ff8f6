"""The house keeps its form: who may import whom, how long a file is, what it is called, where links lead."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CODE = ("schemas", "rules", "streaming", "services", "baton", "tests", "bench", "config", "docs")
NOT_OURS = {"__pycache__", "build", "dist", "target", "node_modules"}
LONGEST = 300
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "shared"}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
LOCAL = re.compile(r"(?<![\w.$}/-])/(?:home|root|work|Users|mnt)/[\w.-]+")


def tree(*suffixes: str) -> Iterator[Path]:
    """Files of the project with one of the suffixes; what tools leave behind is not the project."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not _left_by_tools(name))
        yield from (Path(folder, name) for name in sorted(files) if Path(name).suffix in suffixes)


def _left_by_tools(folder: str) -> bool:
    return folder in NOT_OURS or folder.endswith(".egg-info") or (folder.startswith(".") and folder != ".ci")


def modules() -> list[Path]:
    return [path for path in tree(".py") if path.relative_to(ROOT).parts[0] in CODE]


def test_rooms_import_only_from_the_floors_below_them() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    assert shutil.which(linter), "import-linter is not installed"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    long = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in modules()}

    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_no_producer_has_a_second_request_under_way() -> None:
    """`IN_FLIGHT` says what is lost otherwise."""
    ours = [
        path.read_text() for path in modules() if path.relative_to(ROOT).parts[0] in ("streaming", "services", "baton")
    ]
    makers = [text for text in ours if re.search(r"\bProducer\($|\bProducer\([^)]", text, re.MULTILINE)]

    assert len(makers) >= 5
    assert [text.split("\n")[0] for text in makers if not re.search(r"max.in.flight\W{1,3}IN_FLIGHT", text)] == []


def test_whoever_begins_transactions_asks_whether_the_last_one_ended_twice() -> None:
    """`Doubt` says what is lost otherwise."""
    ours = [path for path in modules() if path.relative_to(ROOT).parts[0] in ("streaming", "services", "baton")]
    beginners = {path.stem: path.read_text() for path in ours if ".init_transactions" in path.read_text()}

    steps = (".begins(", ".ends(", ".justified")
    assert {name for name, text in beginners.items() if not all(step in text for step in steps)} == set()
    assert set(beginners) == {"producer", "outgoing", "transactions"}


def test_every_module_is_named_for_what_it_does() -> None:
    nameless = [path for path in modules() if {path.stem, path.parent.name} & NAMELESS]

    assert nameless == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+\s+(.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", text)).strip().lower().replace(" ", "-") for text in headings}


def broken_links(page: Path) -> list[str]:
    """Links of a page that lead to no file of the project, or to no heading of it."""
    broken = []
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for link in (first or second for first, second in LINK.findall(text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", list(tree(".md")), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_nothing_names_a_place_on_somebodys_machine() -> None:
    named = {
        path.relative_to(ROOT).as_posix(): LOCAL.findall(path.read_text(errors="replace"))
        for path in tree(".py", ".md", ".yaml", ".yml", ".toml", ".json", ".sh", ".html", ".svg", "")
        if path.name != Path(__file__).name and LOCAL.search(path.read_text(errors="replace"))
    }

    assert named == {}


def test_a_broken_link_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One two\n[here](#one-two) [away](https://example.com) [gone](gone.md) [not](#three)\n")

    assert broken_links(page) == ["gone.md", "#three"]
