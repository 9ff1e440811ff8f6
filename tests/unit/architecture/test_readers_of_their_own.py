"""Who audits shares no code with what is audited: none of its imports, nor of theirs, leads into the product."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PRODUCT = {"schemas", "rules", "streaming", "services", "baton"}
BY_NAME = {"importlib", "runpy", "pkgutil", "__import__"}
"""What imports by a name that is not written down."""
JUDGES = ("verdict", "path_verdict", "changelogs", "closed_form", "people")
READERS = sorted(
    [
        *(f"tests.audit.{path.stem}" for path in (ROOT / "tests/audit").glob("*.py")),
        *(f"tests.faults.{name}" for name in JUDGES),
    ]
)


def file_of(module: str) -> Path | None:
    """Of a module of the project; None for a folder, or for what is elsewhere."""
    path = ROOT.joinpath(*module.split("."))
    return next((found for found in (path.with_suffix(".py"), path / "__init__.py") if found.is_file()), None)


def imported(module: str) -> Iterator[str]:
    """Names that a module imports, wherever in it, and what may be a module of theirs."""
    path = file_of(module)
    assert path is not None
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Name) and node.id in BY_NAME:
            yield node.id


def reached(module: str) -> dict[str, str]:
    """Everything that a module imports, through modules of the project, too: by name who imports it."""
    found: dict[str, str] = {}
    left = [module]
    while left:
        one = left.pop()
        for name in imported(one):
            if name not in found:
                found[name] = one
                if file_of(name) is not None:
                    left.append(name)
    return found


def into_the_product(module: str) -> list[str]:
    return [
        f"{by} imports {name}"
        for name, by in sorted(reached(module).items())
        if name.split(".")[0] in PRODUCT | BY_NAME
    ]


@pytest.mark.parametrize("module", READERS)
def test_a_reader_shares_no_code_with_the_pipeline(module: str) -> None:
    assert file_of(module) is not None
    assert into_the_product(module) == []


def test_the_worker_that_is_judged_does_not_take_its_sums_from_the_judge() -> None:
    assert [name for name in reached("tests.faults.program") if name.startswith(("tests.faults", "tests.audit"))] == []


def test_an_import_at_second_hand_would_be_seen() -> None:
    assert "tests.faults.database imports baton.embedded.database" in into_the_product("tests.faults.site")
    assert "tests.faults.database imports services.routing.ledger" in into_the_product("tests.faults.strike")
