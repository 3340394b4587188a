"""Merges the metrics of several processes or models into one text: a label says whose each sample is. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})?(?P<rest> .*)")
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def merge_metrics(texts: Mapping[str, str], label: str) -> str:
    """`texts`: metrics in Prometheus' text format, by the value of the label. Comments of a metric appear once."""
    families: dict[str, dict[str, None]] = {}
    for value, text in texts.items():
        family = ""
        for line in text.splitlines():
            if line.startswith("# "):
                family = line.split(" ", 3)[2]
                families.setdefault(family, {})[line] = None
            elif sample := SAMPLE.fullmatch(line):
                families.setdefault(family, {})[label_sample(sample, label, value)] = None
    return "".join(f"{line}\n" for lines in families.values() for line in in_order(lines))


def in_order(lines: Mapping[str, None]) -> list[str]:
    """Prometheus wants the comments of a metric before its samples."""
    return sorted(lines, key=lambda line: not line.startswith("# "))


def label_sample(sample: re.Match[str], label: str, value: str) -> str:
    labels = ",".join(filter(None, [sample["labels"], f'{label}="{value.translate(ESCAPES)}"']))
    return f"{sample['name']}{{{labels}}}{sample['rest']}"
