"""Draws tokens per second and the wait for the first words against the number of clients, from results alone.

    .venv/bin/python -m benchmarks.serving.plots [--results benchmarks/results] [--images docs/images]

Prints a line of Markdown for each image, with its alternative text.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving.measures import FIRST_WORDS_S, TOKENS_PER_S, Measurement
from benchmarks.serving.report import RESULTS, read_samples
from benchmarks.serving.servers import BEFORE, LOCKED, OURS, SAME_SOURCE, THEIRS
from core import PROJECT_ROOT

IMAGES = PROJECT_ROOT / "docs" / "images"
WORKLOADS = ("chat", "memory-bound")
TITLES = {
    "chat": "Questions to one personality of 250 tokens, 64 tokens each",
    "memory-bound": "A model of 1B with random weights, 32 tokens each",
}
PANELS = ((TOKENS_PER_S, "tokens per second"), (FIRST_WORDS_S, "median time to the first words (s)"))
# Okabe and Ito's colours, which people with colour blindness tell apart; each has a marker and a line of its own.
STYLES = {
    OURS: ("#0072B2", "o", "-"),
    BEFORE: ("#56B4E9", "v", ":"),
    THEIRS: ("#D55E00", "s", "--"),
    SAME_SOURCE: ("#E69F00", "D", "-."),
    LOCKED: ("#444444", "^", ":"),
}
INCHES, DOTS_PER_INCH = (9.0, 3.8), 100
COLOURS = 64  # of the image's palette, which keeps the file small


@dataclass(frozen=True)
class Line:
    """The medians of one server by clients, with the lowest and the highest round."""

    server: str
    clients: Sequence[int]
    medians: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]


def lines_of(measurement: Measurement, metric: str) -> list[Line]:
    lines = []
    for server in measurement.servers:
        cases = sorted(measurement.cases, key=int)
        values = {int(case): list(measurement.by_round(server, case, metric).values()) for case in cases}
        found = {clients: rounds for clients, rounds in values.items() if rounds}
        medians = [measurement.median(server, str(clients), metric) or 0.0 for clients in found]
        lines.append(
            Line(server, list(found), medians, [min(r) for r in found.values()], list(map(max, found.values())))
        )
    return lines


def alternative_text(workload: str, measurement: Measurement) -> str:
    """Says in words what the plot shows: each server at the largest number of clients."""
    most = max(measurement.cases, key=int)
    figures = [
        f"{server} {rate:.0f} tokens/s and {wait:.2g} s"
        for server in measurement.servers
        if (rate := measurement.median(server, most, TOKENS_PER_S)) is not None
        and (wait := measurement.median(server, most, FIRST_WORDS_S)) is not None
    ]
    return (
        f"{TITLES[workload]}: tokens per second and time to the first words by number of clients. "
        f"At {most}: {'; '.join(figures)}"
    )


def draw(workload: str, content: Mapping[str, Any], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    measurement = read_samples(content)
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=INCHES, layout="constrained")
    for panel, (metric, label) in zip(axes, PANELS, strict=True):
        for line in lines_of(measurement, metric):
            draw_line(panel, line)
        panel.set_xscale("log", base=2)
        panel.set_xticks(sorted(map(int, measurement.cases)), labels=sorted(measurement.cases, key=int))
        panel.set_xlabel("clients at the same time")
        panel.set_ylabel(label)
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
    axes[0].legend(fontsize="small")
    figure.suptitle(f"{TITLES[workload]} ({machine_words(content)})", fontsize="medium")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DOTS_PER_INCH)
    pyplot.close(figure)
    shrink(path)


def draw_line(panel: Any, line: Line) -> None:
    colour, marker, style = STYLES[line.server]
    below = [median - low for median, low in zip(line.medians, line.lows, strict=True)]
    above = [high - median for median, high in zip(line.medians, line.highs, strict=True)]
    panel.errorbar(
        line.clients,
        line.medians,
        yerr=[below, above],
        color=colour,
        marker=marker,
        linestyle=style,
        capsize=3,
        label=line.server,
    )


def machine_words(content: Mapping[str, Any]) -> str:
    machine = content["machine"]
    return f"{machine['cores']} cores, {machine['processor']}"


def shrink(path: Path) -> None:
    """Rewrites the image with a palette."""
    from PIL import Image

    with Image.open(path) as image:
        reduced = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--images", type=Path, default=IMAGES)
    options = parser.parse_args()
    for workload in WORKLOADS:
        source, target = options.results / f"{workload}.json", options.images / f"serving-{workload}.png"
        if not source.exists():
            print(f"{source} is missing: no {target.name}")
            continue
        content = json.loads(source.read_text(encoding="utf-8"))
        draw(workload, content, target)
        print(f"![{alternative_text(workload, read_samples(content))}](docs/images/{target.name})")


if __name__ == "__main__":
    main()
