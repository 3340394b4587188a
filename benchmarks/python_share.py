"""Measures Python's share of a step: the CPU time of a worker's inference thread outside of `llama_decode`.

A worker's server runs in this process on the starter (or LLM_MODEL_FILE), on one core by default, so that the CPU time
of the inference thread is that of the step. Clients in another process read streamed answers, 1, 8 and 16 at a time,
whose prompts of about 320 tokens are computed already: only decoding steps are measured. Figures are microseconds of
CPU time for each token of an answer, and their shares of the inference thread. They say something on a busy machine.
The event loop's thread works while the inference thread computes; its time is in a table of its own.

    .venv/bin/python -m benchmarks.python_share [--sequences 1,8,16] [--tokens 64] [--threads 1] [--stop]
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import llama_cpp.llama_cpp as llama
from aiohttp import web
from rich.console import Console
from rich.table import Table

from benchmarks.measured_model import find_model
from benchmarks.stage_timers import Stage, StageTimers
from core.configuration import settings
from core.model.worker import server
from core.model.worker.admission import Admission
from core.model.worker.answer_writer import AnswerWriter
from core.model.worker.inference import InferenceThread
from core.model.worker.llama.runner import DecodeBatch, LlamaRunner
from core.model.worker.llama.sampler import SamplerChain
from core.model.worker.loaded_model import LoadedModel
from core.model.worker.metrics import ModelMetrics
from core.model.worker.options import WorkerOptions
from core.model.worker.prefix_cache import PrefixCache
from core.model.worker.runner_config import load_runner
from core.model.worker.scheduler import Scheduler
from core.model.worker.sequence import Detokenizer, Sequence
from core.model.worker.suspended.disk_tier import DiskTier
from core.runtime.http_server import serve_app

TARGETS = {1: 0.05, 16: 0.10}  # Python's share at these numbers of sequences, at most
PROMPT_WORDS = 62  # of five tokens each: with the template about 320; an answer's middle is then at a depth of 350
CACHE_TOKENS = 32_768
SLOTS_FOR_EACH = 3  # so that the prompts of all rounds stay in the KV cache: moving one out is no part of a step
DECODE, LLAMA_SAMPLING, OTHER = "llama_decode", "sampling, inside llama.cpp", "the rest of the step"
ENCODING, LOOP = "JSON and events", "dispatch, tasks, sockets"
LLAMA_STAGES: list[Stage] = [
    (llama, "llama_decode", DECODE),
    (llama, "llama_sampler_apply", LLAMA_SAMPLING),
    (llama, "llama_sampler_accept", LLAMA_SAMPLING),
]
INFERENCE_STAGES: list[Stage] = [
    *LLAMA_STAGES,
    (SamplerChain, "pick", "sampling, in Python"),
    (SamplerChain, "accept", "sampling, in Python"),
    (LlamaRunner, "logits", "sampling, in Python"),
    (DecodeBatch, "fill", "filling the batch"),
    (LlamaRunner, "decode", "filling the batch"),
    (Sequence, "tokens", "filling the batch"),
    (Scheduler, "plan", "scheduling"),
    (Admission, "admit", "scheduling"),
    (Admission, "report_queue", "scheduling"),
    (PrefixCache, "extend", "cache accounting"),
    (Detokenizer, "feed", "detokenizing"),
    (InferenceThread, "_flush", "delivery to the event loop"),
    (AnswerWriter, "write", "writing answers"),
    (DiskTier, "copy_next", "states to disk"),
    (InferenceThread, "_run_commands", "commands"),
    (InferenceThread, "_compute", "computing a batch"),
    (ModelMetrics, "count_step", "metrics"),
]
LOOP_STAGES: list[Stage] = [(server, "encode_output", ENCODING)]
Body = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Measured:
    """CPU seconds by stage, for `tokens` tokens."""

    inference_s: dict[str, float]
    loop_s: dict[str, float]
    tokens: int

    @property
    def python_share(self) -> float:
        return 1 - self.inference_s[DECODE] / sum(self.inference_s.values())

    @property
    def share_without_sampling(self) -> float:
        """The share that is neither `llama_decode` nor sampling inside llama.cpp."""
        return self.python_share - self.inference_s[LLAMA_SAMPLING] / sum(self.inference_s.values())


def make_bodies(count: int, tokens: int, *, stop: bool) -> list[Body]:
    """Returns requests for `tokens` tokens each; prompts differ from their first words on."""
    return [
        {
            "messages": [{"role": "user", "content": " ".join(f"{number} apples" for _ in range(PROMPT_WORDS))}],
            "max_tokens": tokens,
            "temperature": 0.8,
            "seed": number,
            "stream": True,
            **({"stop": ["\n\n\n\n", "<|never|>"]} if stop else {}),
        }
        for number in range(100, 100 + count)
    ]


def read_streams(socket: str, bodies: list[Body]) -> None:
    """Reads all answers at once; runs in the process of the clients."""

    async def read() -> None:
        limits = httpx.Limits(max_connections=len(bodies))
        transport = httpx.AsyncHTTPTransport(uds=socket, limits=limits)
        async with httpx.AsyncClient(base_url="http://model", transport=transport, timeout=600) as http:
            await asyncio.gather(*(read_stream(http, body) for body in bodies))

    asyncio.run(read())


async def read_stream(http: httpx.AsyncClient, body: Body) -> None:
    async with http.stream("POST", "/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        async for _chunk in response.aiter_raw():
            pass


async def measure(
    model: LoadedModel, socket: str, clients: ProcessPoolExecutor, bodies: list[Body], stages: list[Stage]
) -> Measured:
    """Measures the answers to prompts that are computed already. `stages`: of the functions that are timed."""
    loop = asyncio.get_running_loop()
    timers = StageTimers()
    inference = model._inference
    began_s = await asyncio.wrap_future(inference.run(time.thread_time))
    loop_began_s = time.thread_time()
    with timers.wrapping(stages):
        await loop.run_in_executor(clients, read_streams, socket, bodies)
    loop_s = time.thread_time() - loop_began_s
    total_s = await asyncio.wrap_future(inference.run(time.thread_time)) - began_s
    encoding_s = timers.seconds.pop(ENCODING, 0.0)
    return Measured(
        {**timers.seconds, OTHER: total_s - sum(timers.seconds.values())},
        {ENCODING: encoding_s, LOOP: loop_s - encoding_s},
        sum(body["max_tokens"] for body in bodies),
    )


async def run(counts: list[int], tokens: int, threads: int, *, stop: bool) -> dict[int, tuple[Measured, Measured]]:
    """Returns each number's figures with llama.cpp alone timed, and those by stage, which more timers raise."""
    chosen = settings.load()
    results = {}
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=spawn) as clients:
        socket = str(Path(folder) / "worker.sock")
        options = dataclasses.replace(
            WorkerOptions.from_settings(chosen, find_model(chosen)),
            data_folder=folder,
            threads=threads,
            slots=SLOTS_FOR_EACH * max(counts),
            cache_tokens=CACHE_TOKENS,
        )
        runner = await asyncio.to_thread(load_runner, options)
        # An answer that ends early would leave steps with fewer sequences.
        runner.vocabulary = dataclasses.replace(runner.vocabulary, end=frozenset())
        model = LoadedModel(runner, options)
        app = server.create_app(server.ModelService(model))
        async with serve_app(app, lambda app_runner: web.UnixSite(app_runner, socket), lambda exc: exc):
            for count in counts:
                bodies = make_bodies(count, tokens, stop=stop)
                await asyncio.to_thread(
                    clients.submit(read_streams, socket, [b | {"max_tokens": 1} for b in bodies]).result
                )
                results[count] = (
                    await measure(model, socket, clients, bodies, LLAMA_STAGES),
                    await measure(model, socket, clients, bodies, [*INFERENCE_STAGES, *LOOP_STAGES]),
                )
        model.close()
    return results


def show(results: dict[int, tuple[Measured, Measured]]) -> bool:
    """Prints the tables and the verdict; True if the targets are reached."""
    show_stages("inference thread", {count: (fine, fine.inference_s) for count, (_, fine) in results.items()})
    show_stages("event loop's thread", {count: (fine, fine.loop_s) for count, (_, fine) in results.items()})
    reached = True
    for count, (measured, _) in results.items():
        target = TARGETS.get(count)
        below = target is None or measured.python_share <= target
        reached = reached and below
        verdict = "" if target is None else f"; target {target:.0%}: {'reached' if below else 'missed'}"
        total_s = sum(measured.inference_s.values())
        print(
            f"{count} at a time: {1e6 * total_s / measured.tokens:,.0f} µs/token on the inference thread; "
            f"{measured.python_share:.2%} of it outside of llama_decode, "
            f"{measured.share_without_sampling:.2%} without sampling inside llama.cpp{verdict}; "
            f"{1e6 * sum(measured.loop_s.values()) / measured.tokens:,.0f} µs/token on the event loop's thread"
        )
    return reached


def show_stages(title: str, columns: dict[int, tuple[Measured, dict[str, float]]]) -> None:
    """Prints microseconds for each token, and the share of the inference thread's time."""
    table = Table(title, *(f"{count} at a time: µs/token" for count in columns))
    _, last = list(columns.values())[-1]
    for stage in sorted(last, key=lambda each: -last[each]):
        cells = []
        for measured, stages in columns.values():
            took_s = stages.get(stage, 0.0)
            cells.append(f"{1e6 * took_s / measured.tokens:,.1f} ({took_s / sum(measured.inference_s.values()):.2%})")
        table.add_row(stage, *cells)
    Console(width=120).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", default="1,8,16")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stop", action="store_true", help="with stop strings")
    options = parser.parse_args()
    counts = [int(part) for part in options.sequences.split(",")]
    return 0 if show(asyncio.run(run(counts, options.tokens, options.threads, stop=options.stop))) else 1


if __name__ == "__main__":
    sys.exit(main())
