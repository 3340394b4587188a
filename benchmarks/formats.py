"""Compares formats of a model's weights: speed, loss and memory, and says which is the fastest within the loss limit.

    .venv/bin/python -m benchmarks.formats [--models starter gemma] [--formats Q8_0 IQ4_NL] [--rounds 5] [--tokens 256]

The loss is the mean Kullback-Leibler divergence, in nats for a token, from the same file with weights of 32 bits. The
text is that of the tasks of benchmarks.toil_quality with their right answers, in English and French. The limit holds
for each language: decision 0053 has its reason.

Speeds are tokens for a second of CPU time of one thread, medians of rounds in which the formats take turns, so other
programs hardly change them. A request is weighed as `csps-llm tune` does. Memory is what loading adds: anonymous (KV
cache, buffers, weights that llama.cpp repacked) and mapped from the file. The system takes mapped pages back when
memory is short, those of repacked weights at no cost.

Gemma's weights are fetched once (benchmarks/gemma.py) and never shipped.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import llama_cpp.llama_cpp as llama
import numpy as np
import structlog
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.gemma import gemma_file
from core.model.hardware.processor import choose_threads
from core.model.hardware.tuning_space import SHARED_SEQUENCES, Timing
from core.model.library.starter import bundled_starter
from core.model.worker.llama.loading import RunnerConfig, load, transcode
from core.model.worker.llama.runner import BatchRow, LlamaRunner

FILE_TYPES = {
    "F32": llama.LLAMA_FTYPE_ALL_F32,
    "BF16": llama.LLAMA_FTYPE_MOSTLY_BF16,
    "Q8_0": llama.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q4_K_M": llama.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "IQ4_NL": llama.LLAMA_FTYPE_MOSTLY_IQ4_NL,
    "Q4_0": llama.LLAMA_FTYPE_MOSTLY_Q4_0,
}
REFERENCE, TODAY, SHIPPED = "F32", "Q8_0", "as shipped"
FORMATS = (SHIPPED, *FILE_TYPES)
LANGUAGES = ("en", "fr")
LOSS_LIMIT = 0.02  # nats for a token, in each language
SMALLEST_GAIN = 0.03
PROMPT_TOKENS, CONTEXT_TOKENS = 512, 64
STEPS = 8
AT_ONCE = (1, SHARED_SEQUENCES, 16)
CONFIG = RunnerConfig(window=1024, cache_tokens=2048, sequences=max(AT_ONCE) + 1, threads=1, gpu_layers=0)
MIB = 1 << 20


@dataclass(slots=True)
class Measured:
    """One format. Speeds in tokens a second, a sample for each round; `at_once`: by the number of sequences."""

    file_bytes: int
    anonymous_bytes: int
    mapped_bytes: int
    prefill: list[float] = field(default_factory=list)
    at_once: dict[int, list[float]] = field(default_factory=lambda: {count: [] for count in AT_ONCE})
    loss: dict[str, float] = field(default_factory=dict)  # by language
    perplexity: dict[str, float] = field(default_factory=dict)

    @property
    def request_s(self) -> float:
        """The CPU seconds of a typical request."""
        alone, shared = (statistics.median(self.at_once[count]) for count in (1, SHARED_SEQUENCES))
        return Timing(1 / statistics.median(self.prefill), 1 / alone, SHARED_SEQUENCES / shared).cost_s

    @property
    def worst_loss(self) -> float:
        return max(self.loss.values())


def choose_format(formats: dict[str, Measured], limit: float = LOSS_LIMIT) -> str:
    """Returns the fastest format within the loss limit; today's, unless another gains more than the noise."""
    within = {name: each for name, each in formats.items() if each.worst_loss <= limit}
    best = min(within, key=lambda name: within[name].request_s, default=TODAY)
    if best == TODAY or gain(formats, best) > 1 + SMALLEST_GAIN:
        return best
    return TODAY


def gain(formats: dict[str, Measured], name: str) -> float:
    """The time of a request in today's format, divided by that in this one."""
    return formats[TODAY].request_s / formats[name].request_s


# ---------------------------------------------------------------- speed and memory


def load_measured(path: Path) -> tuple[LlamaRunner, Measured]:
    before = resident_bytes()
    runner = load(path, CONFIG)
    anonymous, mapped = (after - earlier for after, earlier in zip(resident_bytes(), before, strict=True))
    return runner, Measured(path.stat().st_size, anonymous, mapped)


def resident_bytes() -> tuple[int, int]:
    """Returns the anonymous and the mapped memory of this process."""
    lines = (line.split() for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    values = {words[0]: int(words[1]) * 1024 for words in lines if words[0] in ("RssAnon:", "RssFile:")}
    return values["RssAnon:"], values["RssFile:"]


def measure_speed(runner: LlamaRunner, measured: Measured) -> None:
    tokens = [100 + number % 400 for number in range(PROMPT_TOKENS)]
    runner.clear()
    measured.prefill.append(PROMPT_TOKENS / decode_s(runner, [[BatchRow(0, 0, tokens, True)]]))
    for count in AT_ONCE:
        runner.clear()
        runner.decode([BatchRow(0, 0, tokens[:CONTEXT_TOKENS], True)])
        for sequence in range(1, count):
            runner.fork(0, sequence, CONTEXT_TOKENS)
        steps = [
            [BatchRow(sequence, CONTEXT_TOKENS + step, [tokens[step]], True) for sequence in range(count)]
            for step in range(STEPS)
        ]
        measured.at_once[count].append(count * STEPS / decode_s(runner, steps))


def decode_s(runner: LlamaRunner, batches: Iterable[Sequence[BatchRow]]) -> float:
    """Returns CPU seconds: the only thread of llama.cpp is this one."""
    started = time.thread_time()
    for rows in batches:
        runner.decode(rows)
    return time.thread_time() - started


# ---------------------------------------------------------------- loss


def read_text(language: str) -> str:
    path = Path(__file__).with_name(f"toil_quality_{language}.toml")
    tasks = tomllib.loads(path.read_text(encoding="utf-8"))["task"]
    answers = (json.dumps(task["right"], ensure_ascii=False) for task in tasks)
    return "\n\n".join(
        f"{task['prompt']}\n{task.get('text', '')}\n{answer}" for task, answer in zip(tasks, answers, strict=True)
    )


def log_probabilities(runner: LlamaRunner, tokens: Sequence[int]) -> Iterator[NDArray[np.float32]]:
    """Yields a row, of the whole vocabulary, after each token."""
    runner.clear()
    last = runner.decode([BatchRow(0, 0, tokens, True, every=True)])[0]
    for index in range(last - len(tokens) + 1, last + 1):
        logits = runner.logits(index)
        shifted = logits - logits.max()
        yield shifted - np.log(np.exp(shifted).sum())


def measure_loss(runners: dict[str, LlamaRunner], formats: dict[str, Measured], language: str, count: int) -> None:
    reference = runners[REFERENCE]
    tokens = reference.tokenize(read_text(language), special=False)[:count]
    expected = list(log_probabilities(reference, tokens))
    for name, runner in runners.items():
        divergences, likelihoods = [], []
        rows = zip(expected, log_probabilities(runner, tokens), tokens[1:], strict=False)
        for ours, theirs, following in rows:
            divergences.append(float((np.exp(ours) * (ours - theirs)).sum()))
            likelihoods.append(float(theirs[following]))
        formats[name].loss[language] = max(statistics.mean(divergences), 0.0)
        formats[name].perplexity[language] = math.exp(-statistics.mean(likelihoods))


# ---------------------------------------------------------------- running and printing


def compare(source: Path, names: Sequence[str], rounds: int, tokens: int) -> dict[str, Measured]:
    """Measures the formats of one file."""
    runners: dict[str, LlamaRunner] = {}
    formats: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for name in names:
            path = source if name == SHIPPED else Path(folder) / f"{name}.gguf"
            if name != SHIPPED:
                transcode(source, path, choose_threads(), FILE_TYPES[name])
            runners[name], formats[name] = load_measured(path)
            stack.enter_context(closing(runners[name]))
        for number in range(rounds):
            for name in names if number % 2 else reversed(names):
                measure_speed(runners[name], formats[name])
        for language in LANGUAGES:
            measure_loss(runners, formats, language, tokens)
    return formats


def show(title: str, formats: dict[str, Measured]) -> None:
    at_once = [f"decode at {count}" for count in AT_ONCE]
    losses = [f"{column} {language}" for column in ("loss", "perplexity") for language in LANGUAGES]
    table = Table("format", "prefill", *at_once, "request", *losses, "MB: file", "anonymous", "mapped", title=title)
    for name, each in formats.items():
        speeds = [each.prefill, *each.at_once.values()]
        sizes = (each.file_bytes, each.anonymous_bytes, each.mapped_bytes)
        table.add_row(
            name,
            *(f"{statistics.median(samples):.0f}" for samples in speeds),
            f"{gain(formats, name):.2f}×",
            *(f"{each.loss[language]:.4f}" for language in LANGUAGES),
            *(f"{each.perplexity[language]:.1f}" for language in LANGUAGES),
            *(f"{size / MIB:.0f}" for size in sizes),
        )
    Console(width=160).print(table)
    print(explain_choice(formats))


def explain_choice(formats: dict[str, Measured]) -> str:
    chosen = choose_format(formats)
    fastest = min(formats, key=lambda name: formats[name].request_s)
    if chosen != TODAY:
        return (
            f"{chosen} is {gain(formats, chosen):.2f} times as fast as {TODAY}, within the limit of {LOSS_LIMIT} nats"
        )
    if formats[fastest].worst_loss <= LOSS_LIMIT:
        return f"{TODAY} stays: nothing within the limit of {LOSS_LIMIT} nats gains more than {SMALLEST_GAIN:.0%}"
    loss = formats[fastest].worst_loss
    return f"{TODAY} stays: {fastest} gains {gain(formats, fastest):.2f}×, but loses {loss:.3f} nats of {LOSS_LIMIT}"


def find_source(model: str) -> Path:
    match model:
        case "starter":
            return bundled_starter()
        case "gemma":
            return gemma_file()
        case path:
            return Path(path)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["starter", "gemma"], help="starter, gemma, or a GGUF file")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=256, help="of the text, in each language, at most 512")
    return parser.parse_args()


def main() -> None:
    options = read_options()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    names = list(dict.fromkeys((REFERENCE, TODAY, *options.formats)))
    for model in options.models:
        show(model, compare(find_source(model), names, options.rounds, min(options.tokens, PROMPT_TOKENS)))


if __name__ == "__main__":
    main()
