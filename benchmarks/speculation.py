"""CPU time of a token with and without drafts (`core/model/worker/speculation.py`), by kind of text and concurrency.

    .venv/bin/python -m benchmarks.speculation [--model FILE] [--random q8_0] [--own] [--only chat]
        [--at-once 1,4,16] [--rounds 3]

The texts are what a good model would answer: a passage of the prompt repeated word for word, JSON whose values stand in
the prompt, and prose that copies nothing. llama.cpp computes every step; only the choice of the tokens is scripted, so
that any file serves to measure costs. `--random`: a file of 1B parameters with random weights. `--own`:
the model's own greedy answers instead. Their texts with and without drafts are then compared, too: they may differ
where two tokens are nearly equally likely, because batches of another shape add in another order.

llama.cpp has one thread here, whose CPU time is divided by the tokens. With and without drafts take turns; medians of
the rounds' ratios. Targets: drafts win at copies of a single sequence, and lose nowhere by more than 2 %.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.measured_model import find_model
from benchmarks.serving.random_model import FORMATS, random_model
from core.configuration import settings
from core.contract import Sampling
from core.model.worker.inference import InferenceThread
from core.model.worker.llama.loading import RunnerConfig, load
from core.model.worker.llama.runner import LlamaRunner
from core.model.worker.metrics import ModelMetrics
from core.model.worker.prefix_cache import PrefixCache
from core.model.worker.prompt_tokenizer import PromptTokenizer
from core.model.worker.scheduler import Scheduler
from core.model.worker.sequence import FailedOutput, FinishedOutput, SequenceOutput, TokenSampler
from core.model.worker.sequence import Sequence as ModelSequence
from core.model.worker.speculation import Speculation
from core.openai.chat_protocol import Message

CELLS = 16_384
ANSWER_TOKENS = 120
TARGET_LOSS = 1.02

PASSAGE = """The Canada Labour Code sets the hours of work of employees in the federal jurisdiction. The standard \
hours of work are eight hours in a day and forty hours in a week. Overtime must be paid at one and a half times the \
regular rate of wages. An employee who works overtime may, with the agreement of the employer, take time off instead \
of pay. Every employee is entitled to at least one full day of rest in each week, and wherever practicable, Sunday \
shall be that day of rest. An employer may average the hours of work over two weeks or more, if the nature of the work \
makes an irregular distribution of the hours necessary."""
LETTER = """Dear colleagues, please send the form LV-2041 by 14 March 2025 to Marie Tremblay, Compensation Services, \
344 Slater Street, 9th floor, Ottawa, Ontario K1A 0H4, telephone 613-555-0142. She answers questions from Monday to \
Thursday. The form must be signed by your manager. Keep a copy of it. Thank you, Jean-Philippe Desrosiers-Lapointe."""
QUOTATION = "Here is the text, word for word:\n\n" + PASSAGE
DOCUMENT = """{"form": "LV-2041", "due": "14 March 2025", "name": "Marie Tremblay", "team": "Compensation Services", \
"address": "344 Slater Street, 9th floor, Ottawa, Ontario K1A 0H4", "telephone": "613-555-0142", \
"signed_by": "Jean-Philippe Desrosiers-Lapointe"}"""
PROSE = """A good reminder is short and friendly. Begin by naming the matter, because a busy reader decides within a \
few words whether to go on. Say next what you need, and by when; a date is clearer than "soon". If you can, make it \
easy: attach the file once more, or offer two times for a call. Avoid blame, since people forget for many reasons, \
and nobody likes to be told so in front of others. Close with thanks. When a week has passed without an answer, try \
another way, such as a visit or a call, before you involve a manager. Most delays end with a conversation of five \
minutes, and the next message will then be read sooner."""


@dataclass(frozen=True)
class Task:
    name: str
    prompt: str
    answer: str
    copies: bool


TASKS = (
    Task("quotation", f"{PASSAGE}\n\nRepeat this text word for word.", QUOTATION, copies=True),
    Task("toil", f"{LETTER}\n\nExtract form, date, name, team, address and telephone as JSON.", DOCUMENT, copies=True),
    Task("chat", "How do I write a polite reminder to a colleague?", PROSE, copies=False),
)


@dataclass(frozen=True)
class Run:
    """`drafted`, `accepted`: tokens for each token of the answers."""

    cpu_ms: float  # of a token
    tokens: list[list[int]]
    drafted: float
    accepted: float


class ScriptedSampler:
    """Costs what the model's own sampler costs, and returns the tokens of a script."""

    def __init__(self, sampler: TokenSampler, script: Sequence[int], end: int) -> None:
        self._sampler = sampler
        self._script = script
        self._end = end
        self._position = 0

    def pick(self, logits: NDArray[np.float32]) -> int:
        self._sampler.pick(logits)
        return self._script[self._position] if self._position < len(self._script) else self._end

    def accept(self, token: int) -> None:
        self._sampler.accept(token)
        self._position += 1

    def close(self) -> None:
        self._sampler.close()


class Bench:
    """A model with one inference thread at a time."""

    def __init__(self, path: Path, own: bool) -> None:
        config = RunnerConfig(window=2048, cache_tokens=CELLS, sequences=64, threads=1)
        self._runner: LlamaRunner = load(path, config)
        self._own = own
        self._prompts = PromptTokenizer(self._runner)
        self._sampler = self._runner.sampler
        self._speculation = Speculation()  # what it measures serves all runs, as in a process that lives for days

    def run(self, task: Task, at_once: int, drafts: bool) -> Run:
        """Answers a task so many times at once; the prompt is computed before."""
        prompt = self._prompts.chat([Message("user", task.prompt)]).tokens
        script = self._runner.tokenize(task.answer, special=False)[:ANSWER_TOKENS]
        if not self._own:
            end = next(iter(self._runner.vocabulary.end))
            self._runner.sampler = lambda sampling, seed: ScriptedSampler(self._sampler(sampling, seed), script, end)  # type: ignore
        done = threading.Semaphore(0)

        def take(output: SequenceOutput) -> None:
            if isinstance(output, FailedOutput):
                raise output.error
            if isinstance(output, FinishedOutput):
                done.release()

        sampling = Sampling(temperature=0.0)
        answers = [ModelSequence(prompt, ANSWER_TOKENS, sampling, take, user=str(n)) for n in range(at_once)]
        with self._inference(drafts) as (inference, metrics):
            wait_for(inference, [ModelSequence(prompt, 1, sampling, take)], done)
            started_s = inference.run(time.thread_time).result()
            wait_for(inference, answers, done)
            cpu_s = inference.run(time.thread_time).result() - started_s
        count = sum(len(each.generated) for each in answers)
        share = {kind: token_count(metrics, kind) / count for kind in ("drafted", "accepted")}
        return Run(1000 * cpu_s / count, [each.generated for each in answers], **share)

    @contextmanager
    def _inference(self, drafts: bool) -> Iterator[tuple[InferenceThread, ModelMetrics]]:
        self._runner.clear()
        cache = PrefixCache(
            self._runner, cells=CELLS, slots=self._runner.sequences, idle_cells=CELLS // 4, suspend_bytes=0
        )
        scheduler = Scheduler(slots=16, queue_limit=100)
        metrics = ModelMetrics(scheduler)
        inference = InferenceThread(
            self._runner,
            scheduler,
            cache,
            deliver,
            metrics,
            clock=time.thread_time,  # so that drafts are chosen by CPU time, too, on a machine that is busy otherwise
            speculation=self._speculation if drafts else None,
        )
        inference.start()
        try:
            yield inference, metrics
        finally:
            inference.stop()


def deliver(outputs: list[tuple[ModelSequence, SequenceOutput]]) -> None:
    for sequence, output in outputs:
        sequence.outputs(output)


def wait_for(inference: InferenceThread, sequences: list[ModelSequence], done: threading.Semaphore) -> None:
    for sequence in sequences:
        inference.submit(sequence)
    for _ in sequences:
        done.acquire()


def token_count(metrics: ModelMetrics, kind: str) -> float:
    return metrics.registry.get_sample_value("csps_model_tokens_total", {"kind": kind}) or 0.0


def compare(bench: Bench, task: Task, at_once: int, rounds: int) -> tuple[float, list[str]]:
    """Returns the median ratio of CPU time with and without drafts, and a row of the table."""
    bench.run(task, at_once, drafts=True)  # measures the costs of drafts once
    plain, drafted = [], []
    for _ in range(rounds):
        plain.append(bench.run(task, at_once, drafts=False))
        drafted.append(bench.run(task, at_once, drafts=True))
    ratios = [b.cpu_ms / a.cpu_ms for a, b in zip(plain, drafted, strict=True)]
    equal = sum(
        left == right
        for a, b in zip(plain, drafted, strict=True)
        for left, right in zip(a.tokens, b.tokens, strict=True)
    )
    times = [f"{statistics.median(run.cpu_ms for run in runs):.1f}" for runs in (plain, drafted)]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    shares = [f"{statistics.median(getattr(run, kind) for run in drafted):.2f}" for kind in ("drafted", "accepted")]
    return statistics.median(ratios), [
        task.name,
        str(at_once),
        *times,
        spread,
        *shares,
        f"{equal} of {at_once * rounds}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a GGUF file; without it, the starter")
    parser.add_argument("--random", choices=FORMATS, help="1B parameters with random weights, in this format")
    parser.add_argument("--own", action="store_true", help="the model's own answers, instead of a script")
    parser.add_argument("--only", default="", help="the names of texts, with commas between them")
    parser.add_argument("--at-once", default="1,4,16")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    path = options.model or find_model(settings.load()).path
    bench = Bench(random_model(path, options.random) if options.random else path, options.own)
    tasks = [task for task in TASKS if not options.only or task.name in options.only.split(",")]
    columns = "text", "at once", "CPU ms a token", "with drafts", "ratio", "drafted", "accepted", "equal texts"
    table = Table(*columns)
    reached = True
    for task, at_once in itertools.product(tasks, map(int, options.at_once.split(","))):
        ratio, row = compare(bench, task, at_once, options.rounds)
        print(", ".join(row), file=sys.stderr)
        table.add_row(*row)
        reached &= ratio < 1 if task.copies and at_once == 1 else ratio <= TARGET_LOSS
    Console(width=110).print(table)
    print("The targets were reached." if reached else "A target was missed.")
    sys.exit(0 if reached else 1)


if __name__ == "__main__":
    main()
