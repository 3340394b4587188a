"""Writes YAML as people write it: keys in the given order, blocks, comments above."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml


class BlockDumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes texts of several lines as blocks, and no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


BlockDumper.add_representer(str, represent_text)


def write_yaml(documents: Iterable[Any], comment: str = "") -> str:
    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    texts = [
        yaml.dump(document, Dumper=BlockDumper, sort_keys=False, allow_unicode=True, width=120)
        for document in documents
    ]
    return lines + "---\n".join(texts)
