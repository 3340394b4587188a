"""Measures how often toil is right, not only valid: everyday tasks with their right values, in English and French.

Each task is drawn three times from the same prompt and model: by toil in full (`ours`), by llama-server's own
`json_schema` grammar (`llama-server`), and freely, with the JSON parsed from the text (`free`). With --url, an engine
with OpenAI's API replaces both the model process and llama-server.

    .venv/bin/python -m benchmarks.toil_quality [--models starter,gemma] [--kinds copy,dates] [--languages en,fr]
        [--drawings ours,llama-server,free] [--sample 60] [--failures] [--url URL --model NAME]

The table shows, for each kind, the mean share of right fields of each drawing and the share of valid values. The last
columns compare ours with the better of the other two: the mean difference over the tasks, and its 95 % interval
(bootstrap). Without --temperatures, the most likely token is drawn. Gemma's weights are fetched once
(benchmarks/gemma.py) and never shipped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table

from benchmarks.gemma import gemma_file
from benchmarks.measured_model import find_model
from benchmarks.toil_quality_drawings import DRAWINGS, Drawing, Drawn, RequestBuilder, ToilCase, build_drawing
from benchmarks.toil_quality_engines import Engines, open_engines
from benchmarks.toil_quality_forms import FORMS
from benchmarks.toil_quality_scoring import MISSING, FieldScores, score_value
from core.configuration import settings
from core.contract import Sampling

LANGUAGES = ("en", "fr")
OURS = "ours"
TOKENS = 200
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Result:
    """One task by one drawing."""

    case: ToilCase
    drawn: Drawn
    fields: FieldScores

    @property
    def score(self) -> float:
        return statistics.mean(self.fields.values())


Results = dict[str, list[Result]]  # by drawing, in the order of the cases


def read_cases(languages: Sequence[str]) -> Iterator[ToilCase]:
    for language in languages:
        path = Path(__file__).with_name(f"toil_quality_{language}.toml")
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        for number, task in enumerate(tables["task"], 1):
            yield ToilCase(
                id=f"{language}-{number}",
                language="fr" if language == "fr" else "en",
                kind=task["kind"],
                schema=json.loads(tables["schemas"][task["schema"]]),
                prompt=task["prompt"],
                text=task.get("text", ""),
                right=task["right"],
            )


async def measure(drawings: dict[str, Drawing], cases: Sequence[ToilCase], at_once: int) -> Results:
    limit = asyncio.Semaphore(at_once)

    async def draw(case: ToilCase) -> dict[str, Result]:
        results = {}
        async with limit:
            for name, drawing in drawings.items():
                drawn = await drawing.draw(case)
                value = drawn.value if drawn.parsed else MISSING
                results[name] = Result(case, drawn, score_value(case.right, value, case.schema))
        print(".", end="", flush=True, file=sys.stderr)
        return results

    # Cases with one schema follow one another, because their prompts share a prefix.
    order = sorted(cases, key=lambda case: (case.language, json.dumps(case.schema)))
    rows = await asyncio.gather(*map(draw, order))
    print(file=sys.stderr)
    return {name: [row[name] for row in rows] for name in drawings}


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean, by bootstrap."""
    drawn = random.Random(0)
    means = sorted(statistics.mean(drawn.choices(differences, k=len(differences))) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours against the better of the other drawings, over the same tasks."""

    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        if self.difference >= 0:
            return "as good"
        return "worse" if self.high < 0 else "open"


def compare(results: Results) -> Comparison | None:
    others = [name for name in results if name != OURS]
    if OURS not in results or not others:
        return None
    better = max(others, key=lambda name: mean_score(results[name]))
    pairs = zip(results[OURS], results[better], strict=True)
    differences = [ours.score - theirs.score for ours, theirs in pairs]
    return Comparison(statistics.mean(differences), *interval(differences))


def mean_score(results: Sequence[Result]) -> float:
    return statistics.mean(result.score for result in results)


def only(results: Results, kind: str | None = None, language: str | None = None) -> Results:
    def selected(result: Result) -> bool:
        return kind in (None, result.case.kind) and language in (None, result.case.language)

    return {name: [each for each in rows if selected(each)] for name, rows in results.items()}


def show(title: str, results: Results) -> None:
    names = list(results)
    columns = [f"{name}: right" for name in names] + [f"{name}: valid" for name in names]
    table = Table("kind", "tasks", *columns, "ours − better", "95 %", "verdict", title=title)
    cases = [result.case for result in results[names[0]]]
    kinds = list(dict.fromkeys(case.kind for case in cases))
    verdicts = []
    parts = [(kind, only(results, kind=kind)) for kind in kinds]
    parts += [(language, only(results, language=language)) for language in LANGUAGES]
    for label, part in [*parts, ("all", results)]:
        if not part[names[0]]:
            continue
        right = [f"{mean_score(part[name]):.0%}" for name in names]
        valid = [f"{statistics.mean(each.drawn.valid for each in part[name]):.0%}" for name in names]
        compared = compare(part)
        last = ["", "", ""]
        if compared:
            last = [f"{compared.difference:+.1%}", f"{compared.low:+.0%} … {compared.high:+.0%}", compared.verdict]
            verdicts += [compared.verdict] if label in kinds else []
        table.add_row(label, str(len(part[names[0]])), *right, *valid, *last, end_section=label == kinds[-1])
    Console(width=160).print(table)
    if verdicts:
        counts = {verdict: verdicts.count(verdict) for verdict in ("as good", "open", "worse")}
        print(
            f"{title}: ours is at least as good as the better of the others on {counts['as good']} of {len(verdicts)} "
            f"kinds; worse beyond doubt on {counts['worse']}. Tokens written: {count_tokens(results)}"
        )


def count_tokens(results: Results) -> str:
    return ", ".join(f"{name} {sum(each.drawn.tokens for each in rows)}" for name, rows in results.items())


def show_failures(results: Results) -> None:
    for name, rows in results.items():
        for result in rows:
            wrong = [path or "/" for path, score in result.fields.items() if score < 1]
            if wrong:
                print(f"{name} {result.case.id} {result.case.kind} {' '.join(wrong)}: {result.drawn.text}")


def build_drawings(engines: Engines, options: argparse.Namespace) -> dict[str, Drawing]:
    """The drawings under each form and temperature; their names tell these where there are several."""
    forms, temperatures = options.forms.split(","), options.temperatures.split(",")
    drawings = {}
    for form, temperature in product(forms, temperatures):
        sampling = Sampling(temperature=float(temperature), seed=options.seed, max_tokens=TOKENS)
        requests = RequestBuilder(engines.personalities, sampling, FORMS[form])
        shown = [form] * (len(forms) > 1) + [temperature] * (len(temperatures) > 1)
        for name in (each for each in DRAWINGS if each in options.drawings.split(",")):
            drawings[", ".join([name, *shown])] = build_drawing(name, engines, requests)
    return drawings


async def run(title: str, model: Path | None, cases: list[ToilCase], options: argparse.Namespace) -> None:
    async with open_engines(model, options) as engines:
        results = await measure(build_drawings(engines, options), cases, options.at_once)
    show(title, results)
    if options.failures:
        show_failures(results)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="starter")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--drawings", default=",".join(DRAWINGS))
    parser.add_argument("--forms", default="now", help=f"ways to tell the schema: {', '.join(FORMS)}")
    parser.add_argument("--sample", type=int, default=0, help="so many tasks, drawn by chance")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--temperatures", default="0")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", default="", help="an engine with OpenAI's API, instead of --models")
    parser.add_argument("--model", default="", help="the model's name at --url")
    parser.add_argument("--failures", action="store_true", help="also print the answers with a wrong field")
    return parser.parse_args()


def main() -> None:
    options = read_options()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    cases = list(read_cases(options.languages.split(",")))
    if options.kinds:
        cases = [case for case in cases if case.kind in options.kinds.split(",")]
    if options.sample:
        cases = random.Random(0).sample(cases, min(options.sample, len(cases)))
    if options.url:
        asyncio.run(run(options.model or options.url, None, cases, options))
        return
    for name in options.models.split(","):
        model = gemma_file() if name == "gemma" else find_model(settings.load()).path
        asyncio.run(run(name, model, cases, options))


if __name__ == "__main__":
    main()
