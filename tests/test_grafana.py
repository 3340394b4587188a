"""The dashboard for Grafana asks only for metrics that the processes have."""

from __future__ import annotations

import json
import re

from core import PROJECT_ROOT

DASHBOARD = PROJECT_ROOT / "config" / "grafana" / "csps-llm.json"
METRIC = re.compile(r"\bcsps_[a-z_]+")
SUFFIXES = ("_total", "_bucket", "_count", "_sum")


def declared_metrics() -> set[str]:
    """The names of metrics in the code."""
    files = [file for package in ("core", "bindings", "web") for file in (PROJECT_ROOT / package).rglob("*.py")]
    return {name for file in files for name in METRIC.findall(file.read_text(encoding="utf-8"))}


def test_every_metric_of_the_dashboard_exists() -> None:
    queries = [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]]
    asked = {name for query in queries for name in METRIC.findall(query)}
    known = declared_metrics()

    assert len(asked) > 10
    missing = {
        name for name in asked if name not in known and not any(name.removesuffix(each) in known for each in SUFFIXES)
    }
    assert missing == set()
