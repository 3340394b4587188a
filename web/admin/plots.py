"""Charts as SVG, without scripts and without styles of their own: classes only. Pure.

A chart is a picture with a name; the numbers stand in a table beside it, for everybody who does not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from core.contract import Language
from core.texts.formats import format_number

WIDTH, HEIGHT = 640, 160  # of the view box
LEFT, BOTTOM, TOP = 48, 22, 10  # room for the labels
GRID_LINES = 4  # above 0, at most
ROUND = (1, 2, 2.5, 5, 10)  # the steps between grid lines, times a power of ten
LABELS = 6  # below the chart, at most


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one kind. None: there is no value there. `style`: a class of admin.css."""

    title: str
    style: str
    values: Sequence[float | None]


def bar_chart(name: str, language: Language, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Draws stacked bars, the first series lowest."""
    sums = [sum(each.values[at] or 0 for each in series) for at in range(len(labels))]
    scale = Scale.to(max(sums, default=0))
    width = (WIDTH - LEFT) / max(len(labels), 1)
    bars = []
    for at in range(len(labels)):
        below = 0.0
        for each in series:
            value = each.values[at] or 0
            if value:
                x, y = LEFT + at * width + width * 0.1, scale.y(below + value)
                height = scale.y(below) - y
                place = f'x="{x:.1f}" y="{y:.1f}" width="{width * 0.8:.1f}" height="{height:.1f}"'
                bars.append(f'<rect class="{each.style}" {place}/>')
            below += value
    return picture(name, language, scale, labels, "".join(bars))


def line_chart(name: str, language: Language, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Draws a line for each series, broken where a value is missing; a value without neighbours is a dot."""
    scale = Scale.to(max((value for each in series for value in each.values if value is not None), default=0))
    width = (WIDTH - LEFT) / max(len(labels), 1)
    lines = []
    for each in series:
        for piece in pieces(each.values):
            points = [(LEFT + (at + 0.5) * width, scale.y(value)) for at, value in piece]
            if len(points) == 1:
                lines.append(
                    f'<circle class="dot {each.style}" cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3"/>'
                )
            else:
                path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
                lines.append(f'<polyline class="line {each.style}" points="{path}"/>')
    return picture(name, language, scale, labels, "".join(lines))


def pieces(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The runs of values without a gap, each value with its place."""
    runs: list[list[tuple[int, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


@dataclass(frozen=True, slots=True)
class Scale:
    """The vertical axis: `lines` grid lines above 0, at multiples of a round number."""

    step: float
    lines: int

    @classmethod
    def to(cls, largest: float) -> Scale:
        if largest <= 0:
            return cls(1.0, GRID_LINES)
        least = largest / GRID_LINES
        power = 10.0 ** floor(log10(least))
        step = next(factor * power for factor in ROUND if factor * power >= least * (1 - 1e-9))
        return cls(step, max(ceil(largest / step - 1e-9), 1))

    @property
    def top(self) -> float:
        return self.step * self.lines

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top)

    def ticks(self) -> list[float]:
        return [self.step * number for number in range(self.lines + 1)]


def picture(name: str, language: Language, scale: Scale, labels: Sequence[str], content: str) -> str:
    grid = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{scale.y(tick):.1f}" y2="{scale.y(tick):.1f}"/>'
        f'<text class="tick" x="{LEFT - 6}" y="{scale.y(tick) + 4:.1f}">{format_number(tick, language)}</text>'
        for tick in scale.ticks()
    )
    every = max(ceil(len(labels) / LABELS), 1)
    width = (WIDTH - LEFT) / max(len(labels), 1)
    words = "".join(
        f'<text class="label" x="{LEFT + (at + 0.5) * width:.1f}" y="{HEIGHT - 6}">{escape(label)}</text>'
        for at, label in enumerate(labels)
        if at % every == 0
    )
    title = escape(name)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{grid}{content}{words}</svg>'
