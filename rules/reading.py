"""YAML to plain values, with the line of each: the part of YAML 1.2 that holds no surprises.

`NO`, `on`, `09:00` and `2026-01-01` stay text, and so do numbers that begin with a zero or a plus (`01067`, `+49`):
they are postcodes and dialling codes. Only `true` and `false` are booleans. Source: YAML 1.2.2, 10.3 (core schema).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from rules.faults import Fault, FaultyConfiguration

Path = tuple[str | int, ...]

MAX_BYTES = 2_000_000
MAX_DEPTH = 60
MAX_VALUES = 200_000

_TAG = "tag:yaml.org,2002:"
_UNTAGGED = "untagged"
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
_DECIMAL = re.compile(r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGER_LIKE = re.compile(r"-?[0-9]+", re.ASCII)
_CONSTANTS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{word: float("inf") for word in (".inf", ".Inf", ".INF")},
    **{word: float("-inf") for word in ("-.inf", "-.Inf", "-.INF")},
    **{word: float("nan") for word in (".nan", ".NaN", ".NAN")},
}


def scalar(text: str) -> Any:
    """What a plain (unquoted) scalar stands for."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if len(text) <= 40 and _INTEGER_LIKE.fullmatch(text) is None and _DECIMAL.fullmatch(text):
        return float(text)
    return text


def read(content: bytes, file: str) -> tuple[Any, dict[Path, int]]:
    """The one document in `content`, and the line of each value by its path (of a mapping's, the line of its key).

    Raises `FaultyConfiguration` with every fault that does not hide the rest.
    """
    if len(content) > MAX_BYTES:
        raise _faulty(file, 0, f"the file is larger than {MAX_BYTES:,} bytes", "Split it, or take out what is data.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _faulty(file, line, "this is not UTF-8", "Save the file as UTF-8.") from None
    try:
        _check_depth(text, file)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise FaultyConfiguration([_syntax_fault(error, file)]) from None
    except (ValueError, OverflowError):  # PyYAML's answer to escapes such as "\UFFFFFFFF"
        raise _faulty(file, 0, "an escape in quotes stands for no character", "Write the character itself.") from None
    if root is None:
        raise _faulty(file, 0, "the file is empty", "Write its content, or take the example as a start.")
    builder = _Builder(file)
    data = builder.value(root, ())
    if builder.faults:
        raise FaultyConfiguration(builder.faults)
    return data, builder.lines


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without its implicit types: every plain scalar arrives as text."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag of a node that has none written."""
        return _UNTAGGED if kind is yaml.ScalarNode else super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]


def _faulty(file: str, line: int, message: str, mend: str) -> FaultyConfiguration:
    return FaultyConfiguration([Fault(file, line, message, mend)])


def _check_depth(text: str, file: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 0
                raise _faulty(file, line, f"values are nested deeper than {MAX_DEPTH} levels", "Flatten them.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax_fault(error: yaml.YAMLError, file: str) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    line = 0 if mark is None else mark.line + 1
    if "'\\t'" in problem:
        return Fault(file, line, "a tab stands where YAML wants spaces", "Indent with spaces only.")
    if "single document" in problem or "but found another document" in problem:
        return Fault(file, line, "a second document begins here", "Keep one document a file: take out the `---`.")
    if "undefined alias" in problem:
        return Fault(file, line, problem, "Define the anchor (`&name`) above its first use.")
    context = getattr(error, "context", None)
    where = f" ({context})" if context else ""
    return Fault(file, line, f"this is not YAML: {problem}{where}", "Mend the indentation, quotes or brackets here.")


@dataclass(slots=True)
class _Builder:
    """Walks the nodes once; aliases are copied, and the number of values is bounded."""

    file: str
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    count: int = 0
    open_nodes: set[int] = field(default_factory=set)

    def value(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.count += 1
        if self.count > MAX_VALUES:
            mend = "Use fewer anchors inside of anchors."
            raise _faulty(self.file, line, f"the file unfolds to more than {MAX_VALUES:,} values", mend)
        if id(node) in self.open_nodes:
            raise _faulty(self.file, line, "an alias contains itself", "Write out what is meant.")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line)
        self.open_nodes.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                self._tag(node, "seq", line)
                return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
            self._tag(node, "map", line)
            return self._mapping(node, path) if isinstance(node, yaml.MappingNode) else {}
        finally:
            self.open_nodes.discard(id(node))

    def _tag(self, node: yaml.Node, expected: str, line: int) -> None:
        if node.tag not in (_TAG + expected, _UNTAGGED):
            name = node.tag.replace(_TAG, "!!")
            self.faults.append(Fault(self.file, line, f"the tag `{name}` is not taken here", "Take it out."))

    def _scalar(self, node: yaml.ScalarNode, line: int) -> Any:
        self._tag(node, "str", line)
        if _SURROGATE.search(node.value):
            mend = "Write the character itself."
            self.faults.append(Fault(self.file, line, "an escape in quotes stands for no character", mend))
        plain = node.style is None and node.tag == _UNTAGGED
        return scalar(node.value) if plain else node.value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str | int, Any]:
        found: dict[str | int, Any] = {}
        merged: dict[str | int, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if isinstance(key_node, yaml.ScalarNode) and key_node.value == "<<" and key_node.style is None:
                for name, value in self._merged(value_node, path):
                    merged.setdefault(name, value)
                continue
            key = self._key(key_node, line)
            if key is None:
                continue
            if key in found:
                first = self.lines[(*path, key)]
                mend = f"Keep one of the two (the first is on line {first})."
                self.faults.append(Fault(self.file, line, f"the key `{key}` stands here twice", mend))
                continue
            self._forget((*path, key))
            self.lines[(*path, key)] = line
            found[key] = self.value(value_node, (*path, key))
        return found | {name: value for name, value in merged.items() if name not in found}

    def _forget(self, path: Path) -> None:
        if path in self.lines:  # came from a merge and is overwritten
            for known in [known for known in self.lines if known[: len(path)] == path]:
                del self.lines[known]

    def _merged(self, node: yaml.Node, path: Path) -> Iterator[tuple[str | int, Any]]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for part in parts:
            value = self.value(part, path)
            if isinstance(value, dict):
                yield from value.items()
            else:
                line = part.start_mark.line + 1
                self.faults.append(Fault(self.file, line, "`<<` takes mappings only", "Refer to an anchored mapping."))

    def _key(self, node: yaml.Node, line: int) -> str | int | None:
        if isinstance(node, yaml.ScalarNode):
            key = self._scalar(node, line)
            if isinstance(key, str | int) and not isinstance(key, bool):
                return key
            if key is not None:
                return str(node.value)
        self.faults.append(Fault(self.file, line, "this cannot be a key", "Write a plain word before the colon."))
        return None
