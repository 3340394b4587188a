"""Three local models, and memory for two: requests to all of them, swaps under load, and the cost of the host's hop.

The models are copies of the starter. Clients reach the model host as the service does, through its client.

1. Mixed requests from several clients: failures, and the loads beside those of a least-recently-used cache that gets
   the same requests one after the other.
2. A personality's model is changed again and again while the clients ask it: failures.
3. A model's file is replaced while streams run: answers that were cut, and the version that answers afterwards.
4. The same prompt through the host and directly to the worker, in turns: time to the first text, and for each token.

    .venv/bin/python -m benchmarks.model_swaps [--minutes 10] [--requests 300] [--clients 20] [--rounds 30]

A short run: `--minutes 1 --requests 60 --rounds 10`. It exits with 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from core.configuration import settings
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.contract import Sampling
from core.errors import CspsError
from core.model.client import ModelClient
from core.model.library.starter import STARTER_NAME
from core.openai.chat_protocol import Message, StreamFinished, TextDelta

NAMES = ("alpha", "beta", "gamma")
WINDOW_TOKENS = 1024
MODELS_IN_BUDGET = 2
MODEL_MEMORY_MB = 300  # of one copy of the starter with its KV cache
ANSWER_TOKENS = 24
STREAM_TOKENS = 100
CHANGES = 6
START_S = 120
PERSONALITY = """title = "{name}"
language = "en"
description.en = "A test."
description.fr = "Un essai."
system = "You are brief."
greeting = "Hello."
model = {{ repo = "local/{model}", file = "{model}.gguf" }}
"""


@dataclass
class Workbench:
    """A running host with its folders, and the lines of its log so far."""

    data: Path
    config: Path
    settings: Settings
    log: list[dict[str, object]] = field(default_factory=list)

    def model_file(self, name: str) -> Path:
        return self.data / "models" / f"local--{name}" / f"{name}.gguf"

    def write_personality(self, name: str, model: str) -> None:
        file = self.config / "personalities" / f"{name}.toml"
        part = file.with_suffix(".part")
        part.write_text(PERSONALITY.format(name=name, model=model), encoding="utf-8")
        part.replace(file)

    def count(self, event: str) -> int:
        return sum(line.get("event") == event for line in self.log)


def make_workbench(folder: Path, starter: Path) -> Workbench:
    data, config = folder / "var", folder / "config"
    (data / "models").mkdir(parents=True)
    (config / "personalities").mkdir(parents=True)
    (data / "models" / starter.name).symlink_to(starter)
    variables = {
        "CSPS_LLM_DATA": str(data),
        "CSPS_LLM_CONFIG": str(config),
        "LLM_HUGGINGFACE_REPO": "local/alpha",
        "LLM_HUGGINGFACE_FILE": "alpha.gguf",
        "LLM_CONTEXT_WINDOW": str(WINDOW_TOKENS),
        "LLM_MEMORY_MB": str(round((MODELS_IN_BUDGET + 0.5) * MODEL_MEMORY_MB)),
        "LLM_AUTO": "off",
        "HF_HUB_OFFLINE": "1",
        "LOG_FORMAT": "json",
    }
    bench = Workbench(data, config, settings.load(variables))
    for name in NAMES:
        bench.model_file(name).parent.mkdir()
        shutil.copyfile(starter, bench.model_file(name))
        bench.write_personality(name, name)
    os.environ.update(variables)
    return bench


@asynccontextmanager
async def running_host(bench: Workbench) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "core.model", stderr=asyncio.subprocess.PIPE, limit=2**20
    )
    assert process.stderr is not None
    reading = asyncio.create_task(read_log(process.stderr, bench))
    try:
        client = ModelClient.from_settings(bench.settings)
        await client.wait_ready(START_S)
        await client.close()
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await reading


async def read_log(stream: asyncio.StreamReader, bench: Workbench) -> None:
    async for line in stream:
        try:
            bench.log.append(json.loads(line))
        except ValueError:
            print(line.decode(errors="replace"), file=sys.stderr, end="")


@dataclass
class Outcomes:
    """The answers and failures of one part."""

    answers: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    first_text_s: list[float] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(self.failures.values())


async def ask(client: ModelClient, model: str | None, number: int, tokens: int, outcomes: Outcomes) -> str | None:
    """Streams one answer; returns the name of the model that gave it."""
    messages = (Message("system", "You are brief."), Message("user", f"Question {number}: tell me about snow."))
    started, first = time.perf_counter(), None
    try:
        async for event in client.stream(messages, Sampling(max_tokens=tokens, seed=number), model=model):
            if isinstance(event, TextDelta) and first is None:
                first = time.perf_counter() - started
            if isinstance(event, StreamFinished):
                outcomes.answers += 1
                outcomes.first_text_s.append(first or time.perf_counter() - started)
                return event.model
        outcomes.failures["no end"] += 1
    except CspsError as exc:
        outcomes.failures[f"{exc.code}: {exc.message}"] += 1
    return None


def lru_loads(order: Sequence[str], size: int) -> int:
    """The loads of a least-recently-used cache that gets the requests one after the other."""
    cache: OrderedDict[str, None] = OrderedDict()
    loads = 0
    for name in order:
        loads += name not in cache
        cache[name] = None
        cache.move_to_end(name)
        if len(cache) > size:
            cache.popitem(last=False)
    return loads


async def mixed_requests(bench: Workbench, requests: int, clients: int, duration_s: float) -> tuple[Outcomes, int, int]:
    """Returns the outcomes, the loads, and those of the cache."""
    chance, outcomes = random.Random(1), Outcomes()
    order = [chance.choice(NAMES) for _ in range(requests)]
    before = bench.count("model_load_started")
    started = time.monotonic()

    async def client_loop(number: int) -> None:
        client = ModelClient.from_settings(bench.settings)
        for index in range(number, requests, clients):
            await asyncio.sleep(max(0.0, started + index * duration_s / requests - time.monotonic()))
            await ask(client, f"local/{order[index]}/{order[index]}.gguf", index, ANSWER_TOKENS, outcomes)
        await client.close()

    await asyncio.gather(*(client_loop(number) for number in range(clients)))
    # The default model is loaded when the measured requests begin.
    return outcomes, bench.count("model_load_started") - before, lru_loads(["alpha", *order], MODELS_IN_BUDGET) - 1


async def changed_personality(bench: Workbench, clients: int, interval_s: float) -> tuple[Outcomes, set[str]]:
    """Returns the outcomes, and the models that answered."""
    outcomes, answered, stop = Outcomes(), set[str](), asyncio.Event()
    personalities = Personalities(bench.config / "personalities")
    personalities.load()
    watching = asyncio.create_task(personalities.watch())

    async def client_loop(number: int) -> None:
        client = ModelClient.from_settings(bench.settings)
        while not stop.is_set():
            model = personalities.get("beta").model_id
            answered.add(str(await ask(client, model, number, ANSWER_TOKENS, outcomes)))
        await client.close()

    loops = [asyncio.create_task(client_loop(number)) for number in range(clients)]
    for change in range(CHANGES):
        await asyncio.sleep(interval_s)
        bench.write_personality("beta", ("gamma", "alpha", "beta")[change % 3])
    await asyncio.sleep(interval_s)
    stop.set()
    await asyncio.gather(*loops)
    watching.cancel()
    bench.write_personality("beta", "beta")
    return outcomes, answered


async def replaced_file(bench: Workbench, clients: int) -> tuple[Outcomes, bool]:
    """Returns the outcomes of the streams, and whether another worker answered afterwards."""
    outcomes = Outcomes()
    async with AsyncExitStack() as stack:
        client = ModelClient.from_settings(bench.settings)
        stack.push_async_callback(client.close)
        await ask(client, None, 0, 1, Outcomes())
        loads = bench.count("model_ready")
        streams = [asyncio.create_task(ask(client, None, each, STREAM_TOKENS, outcomes)) for each in range(clients)]
        await asyncio.sleep(1.0)
        file = bench.model_file("alpha")
        part = file.with_suffix(".part")
        shutil.copyfile(file, part)
        part.replace(file)
        while not all(stream.done() for stream in streams) or bench.count("model_ready") == loads:
            await asyncio.sleep(0.5)
            await ask(client, None, 0, 1, outcomes)
            if all(stream.done() for stream in streams) and len(outcomes.first_text_s) > clients + START_S:
                return outcomes, False
    return outcomes, True


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one answer."""

    first_ms: float
    token_ms: float


async def time_answer(http: httpx.AsyncClient) -> Timing:
    body = {
        "messages": [{"role": "user", "content": "Count from one to a hundred."}],
        "max_tokens": 64,
        "temperature": 0,
        "stream": True,
    }
    started = time.perf_counter()
    async with http.stream("POST", "/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        times = [time.perf_counter() async for line in response.aiter_lines() if line.startswith("data: {")]
    return Timing(1000 * (times[1] - started), 1000 * (times[-1] - times[1]) / (len(times) - 2))


async def compare_hop(bench: Workbench, rounds: int) -> tuple[list[Timing], list[Timing]]:
    """Returns the timings through the host and directly, in pairs."""
    (direct_socket,) = bench.settings.model_socket.parent.glob("w*.sock")
    through: list[Timing] = []
    direct: list[Timing] = []
    async with connect(bench.settings.model_socket) as host, connect(direct_socket) as worker:
        await asyncio.gather(time_answer(host), time_answer(worker))  # the first answers fill the caches
        for turn in range(rounds):
            if turn % 2:
                through.append(await time_answer(host))
            direct.append(await time_answer(worker))
            if not turn % 2:
                through.append(await time_answer(host))
    return through, direct


def connect(socket: Path) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url="http://model", transport=httpx.AsyncHTTPTransport(uds=str(socket)), timeout=httpx.Timeout(120)
    )


def median_added(through: Sequence[Timing], direct: Sequence[Timing], name: str) -> tuple[float, float]:
    """Returns the median of the direct times, and of what each pair differs by."""
    times = [(getattr(a, name), getattr(b, name)) for a, b in zip(through, direct, strict=True)]
    return statistics.median(b for _, b in times), statistics.median(a - b for a, b in times)


def report(label: str, outcomes: Outcomes, note: str) -> None:
    first = sorted(outcomes.first_text_s)
    times = f"first text {statistics.median(first):.1f} s, at most {first[-1]:.1f} s" if first else ""
    print(f"{label}: {outcomes.answers} answers, {outcomes.failed} failures; {note}; {times}", flush=True)
    for problem, count in outcomes.failures.most_common(5):
        print(f"    {count}× {problem}")


async def run(options: argparse.Namespace, starter: Path) -> bool:
    """Returns whether every target was reached."""
    with tempfile.TemporaryDirectory(prefix="csps-llm-swaps-") as folder:
        bench = make_workbench(Path(folder), starter)
        async with running_host(bench):
            through, direct = await compare_hop(bench, options.rounds)
            for name, what in (("first_ms", "first text"), ("token_ms", "each token")):
                base, added = median_added(through, direct, name)
                print(f"hop: {what} {base:.1f} ms directly, {added:+.2f} ms through the host", flush=True)
            mixed, loads, optimum = await mixed_requests(bench, options.requests, options.clients, 60 * options.minutes)
            report("mixed requests", mixed, f"{loads} loads, {optimum} in an LRU cache")
            changed, answered = await changed_personality(bench, options.clients, 6 * options.minutes)
            report("changed personality", changed, f"{len(answered)} models answered")
            replaced, swapped = await replaced_file(bench, options.clients)
            report("replaced file", replaced, "the new version answers" if swapped else "the old version answers")
    reached = not (mixed.failed or changed.failed or replaced.failed) and loads <= optimum and swapped
    print("targets reached" if reached else "targets missed")
    return reached


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=30)
    starter = settings.load().data_folder / "models" / f"{STARTER_NAME}-Q8_0.gguf"
    if not starter.is_file():
        raise SystemExit(f"{starter} is not there; run `make install`")
    sys.exit(0 if asyncio.run(run(parser.parse_args(), starter.resolve())) else 1)


if __name__ == "__main__":
    main()
