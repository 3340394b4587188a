"""Measures how likely the right values of everyday tasks are to a model, by how the prompt shows the schema.

The tasks are those of benchmarks/toil_quality.py. Nothing is drawn: the right JSON is computed after the prompt, and
the log probabilities of its values' tokens are summed. Each task is compared with itself under the first form, so that
far fewer tasks tell forms apart than with drawn answers.

    .venv/bin/python -m benchmarks.toil_likelihood [--models starter,gemma] [--forms now,nothing] [--every 4]

Prints, for each form, the mean sum in nats, the difference to the first form with its 95 % interval, and the share of
values all of whose tokens were the likeliest.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gemma import gemma_file
from benchmarks.measured_model import find_model
from benchmarks.toil_quality import LANGUAGES, interval, read_cases
from benchmarks.toil_quality_drawings import RequestBuilder, ToilCase
from benchmarks.toil_quality_forms import FORMS
from benchmarks.toil_quality_scoring import is_rule
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.contract import Sampling
from core.model.worker.constrained.value_choice import log_probabilities
from core.model.worker.llama.loading import RunnerConfig, load
from core.model.worker.llama.runner import BatchRow, LlamaRunner
from core.model.worker.prompt_tokenizer import PromptTokenizer

WINDOW = 4096
OMITTED = object()


class Unscored(str):
    """A text that stands for many right ones, such as a reason: it is written, and its likelihood means nothing."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """One task's. `nats`: the sum over the tokens of its values. `likeliest`: the share of values drawn by greed."""

    nats: float
    likeliest: float


def right_value(right: Any, schema: Mapping[str, Any], case: ToilCase) -> Any:
    """A right value of the task, its properties in the order of the schema."""
    if isinstance(right, dict) and not is_rule(right):
        return right_object(right, schema, case)
    if not isinstance(right, dict):
        return right
    ((rule, operand),) = right.items()
    match rule:
        case "absent":
            return OMITTED
        case "one_of":
            return operand[0]
        case "contains":
            return " ".join(operand)
        case "distinct":
            return operand[:3]
        case "digits":
            written = re.search(r"[\s().\-]*".join(operand), case.text)
            return written[0] if written else operand
        case "topics":
            return Unscored(f"{' '.join(group[0] for group in operand)}.")
    return Unscored(operand[0])


def right_object(right: Mapping[str, Any], schema: Mapping[str, Any], case: ToilCase) -> dict[str, Any]:
    value = {}
    for name, declared in schema["properties"].items():
        inner = case.schema["$defs"][declared["$ref"].rsplit("/", 1)[1]] if "$ref" in declared else declared
        if name not in right:
            continue
        found = right_value(right[name], inner, case)
        if found is not OMITTED:
            value[name] = found
        elif name in schema.get("required", ()) or "anyOf" in inner:
            value[name] = None
    return value


def write_parts(value: Any) -> Iterator[tuple[str, bool]]:
    """The JSON of a value in parts, as our engine writes it, and whether each one is a value that counts."""
    if isinstance(value, dict):
        for number, (name, inner) in enumerate(value.items()):
            yield f"{', ' if number else '{'}{json.dumps(name, ensure_ascii=False)}: ", False
            yield from write_parts(inner)
        yield "}" if value else "{}", False
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield ", " if number else "[", False
            yield from write_parts(inner)
        yield "]" if value else "[]", False
    else:
        yield json.dumps(value, ensure_ascii=False), not isinstance(value, Unscored)


class LikelihoodModel:
    """A model that computes right answers. `personalities`: of the prompts."""

    def __init__(self, runner: LlamaRunner, personalities: Personalities) -> None:
        self._runner = runner
        self._personalities = personalities
        self._prompts = PromptTokenizer(runner)

    def measure(self, case: ToilCase, form: str) -> Likelihood:
        requests = RequestBuilder(self._personalities, Sampling(temperature=0.0), FORMS[form])
        prompt = self._prompts.tokenize(requests.messages(case)[0]).tokens.tolist()
        parts = list(write_parts(right_value(case.right, case.schema, case)))
        answer = self._runner.tokenize("".join(text for text, _counts in parts), special=False)
        scores = self._score(prompt, answer)
        values: dict[int, list[tuple[float, bool]]] = {}
        for (nats, likeliest), part in zip(scores, self._parts_of(answer, parts), strict=True):
            if part is not None:
                values.setdefault(part, []).append((nats, likeliest))
        whole = [all(likeliest for _nats, likeliest in tokens) for tokens in values.values()]
        nats = sum(each for tokens in values.values() for each, _likeliest in tokens)
        return Likelihood(nats, statistics.mean(whole) if whole else 0.0)

    def _score(self, prompt: Sequence[int], answer: Sequence[int]) -> Iterator[tuple[float, bool]]:
        """The log probability of each token of the answer, and whether it is the likeliest."""
        self._runner.drop(0)
        tokens = [*prompt, *answer]
        first = len(prompt) - 1  # its logits are those of the answer's first token
        for start in range(0, first, self._runner.batch_tokens):
            part = tokens[start : min(start + self._runner.batch_tokens, first)]
            self._runner.decode([BatchRow(0, start, part, logits=False)])
        [last] = self._runner.decode([BatchRow(0, first, tokens[first:-1], logits=True, every=True)])
        for token, index in zip(answer, range(last - len(answer) + 1, last + 1), strict=True):
            logits = self._runner.logits(index)
            yield float(log_probabilities(logits, [token])[0]), int(np.argmax(logits)) == token

    def _parts_of(self, answer: Sequence[int], parts: Sequence[tuple[str, bool]]) -> Iterator[int | None]:
        """The first part that each token touches and that counts."""
        ends = np.cumsum([len(text.encode()) for text, _counts in parts])
        at = 0
        for token in answer:
            end = at + len(self._runner.vocabulary.pieces[token])
            touched = range(int(np.searchsorted(ends, at, "right")), int(np.searchsorted(ends, end)) + 1)
            yield next((part for part in touched if parts[part][1]), None)
            at = end


def compare(name: str, path: Path, forms: Sequence[str], cases: Sequence[ToilCase]) -> None:
    personalities = Personalities(settings.load().config / "personalities")
    personalities.load()
    runner = load(path, RunnerConfig(window=WINDOW, cache_tokens=WINDOW, sequences=2, threads=1))
    model = LikelihoodModel(runner, personalities)
    base: list[Likelihood] = []
    for form in forms:
        rows = [model.measure(case, form) for case in cases]
        base = base or rows
        differences = [row.nats - first.nats for row, first in zip(rows, base, strict=True)]
        low, high = interval(differences)
        print(
            f"{name}, {form}: {statistics.mean(row.nats for row in rows):.2f} nats a task, "
            f"{statistics.mean(differences):+.2f} ({low:+.2f} … {high:+.2f}) to {forms[0]}; "
            f"{statistics.mean(row.likeliest for row in rows):.0%} of the values are the likeliest; {len(cases)} tasks",
            flush=True,
        )
    runner.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="starter")
    parser.add_argument("--forms", default=",".join(FORMS), help="the first one is compared with the others")
    parser.add_argument("--every", type=int, default=4, help="one of so many tasks")
    options = parser.parse_args()
    cases = [case for case in read_cases(LANGUAGES) if case.kind != "summary"][:: options.every]
    for name in options.models.split(","):
        path = gemma_file() if name == "gemma" else find_model(settings.load()).path
        compare(name, path, options.forms.split(","), cases)


if __name__ == "__main__":
    main()
