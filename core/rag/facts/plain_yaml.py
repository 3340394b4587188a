"""Reads YAML from strangers as texts, lists and tables. Pure.

Works on PyYAML's events: its composer recurses in C, where deep nesting ends the process. There are no tags, no merge
keys and no types, so every value is a text. An alias is the same object as its anchor: whoever walks through the
result must bound the walk.
"""

from __future__ import annotations

from typing import Any

import yaml

from core.errors import UnreadableDocument

DEPTH_LIMIT = 64  # also keeps the time linear: libyaml's grows with the square of the depth
EVENTS_LIMIT = 3_000_000  # about half a minute
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # wheels have libyaml; a build of one's own may lack it


def parse_yaml(source: str) -> Any:
    """Returns the first document. Raises UnreadableDocument."""
    builder = YamlBuilder()
    try:
        for number, event in enumerate(yaml.parse(source, Loader=LOADER)):
            if number >= EVENTS_LIMIT:
                raise UnreadableDocument("this YAML has too many values", "large")
            if isinstance(event, yaml.DocumentEndEvent):
                break
            builder.add(event)
    except (yaml.YAMLError, ValueError) as exc:
        problem = getattr(exc, "problem", None) or "a character is not allowed"
        raise UnreadableDocument(f"this is no valid YAML: {problem}", "damaged") from exc
    return builder.result


class YamlBuilder:
    """Builds the value of a stream of events, without recursion."""

    def __init__(self) -> None:
        self.result: Any = None
        self._open: list[Any] = []  # lists, and `PendingTable`s
        self._anchors: dict[str, Any] = {}

    def add(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._put(event.anchor, event.value)
        elif isinstance(event, yaml.AliasEvent):
            self._put(None, self._anchors.get(event.anchor))
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._open.pop()

    def _begin(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        if len(self._open) >= DEPTH_LIMIT:
            raise UnreadableDocument(f"this YAML is nested more than {DEPTH_LIMIT} levels deep", "damaged")
        value: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        self._put(event.anchor, value)
        self._open.append(value if isinstance(value, list) else PendingTable(value))

    def _put(self, anchor: str | None, value: Any) -> None:
        if anchor is not None:
            self._anchors[anchor] = value
        if not self._open:
            self.result = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        else:
            self._open[-1].put(value)


class PendingTable:
    """A table whose keys and values come in turn. Keys that are lists or tables are dropped with their values."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._table = table
        self._key: Any = None
        self._has_key = False

    def put(self, value: Any) -> None:
        self._has_key = not self._has_key
        if self._has_key:
            self._key = value
        elif isinstance(self._key, str):
            self._table[self._key] = value
