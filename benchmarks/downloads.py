"""Downloads a file from a stand-in of the hub while processes are killed (-9), beside huggingface_hub's own downloader.

The stand-in redirects to a file server on another port, with LFS headers and addresses that expire. It is slow, cuts
connections, stalls, is busy, and sends wrong bytes. Four rounds, each with a new folder of models:

  kills    the process is killed at random moments (seeded) and started again, until the file is there
  wrong    the same with one wrong byte in some connections
  peer     `hf_hub_download` under the same faults and kills, but for wrong bytes
  speed    both once at full speed, with nothing in their way; the longest time for which our event loop computed

Bytes fetched twice are those that the kernel of the server took for sending, beyond the size of the file.

    .venv/bin/python -m benchmarks.downloads [--megabytes 300] [--seconds 30] [--kills 20] [--peer-kills 5] [--seed 0]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.model.library.download.fetching import fetch
from core.model.library.specs import HubFile
from tests.support.fake_hub import REPO, FakeHub, Fault

NAME = "model-Q4_K_M.gguf"
MEGABYTE = 1_000_000
TARGET_TWICE = 0.02
KILL_SPREAD = 1.2  # times the mean, so that the kills cover the transfer of one that loses nothing
RUNS_LIMIT = 400


@dataclass
class Round:
    name: str
    size: int
    kills: int = 0
    seconds: float = 0.0
    sent: int = 0
    orphans: int = 0  # files beside the model at the end
    orphan_bytes: int = 0
    wrong_models: int = 0  # checks that found a file with another sha256 among the models
    whole: bool = False

    @property
    def twice(self) -> float:
        """The share of bytes that were fetched again."""
        return max(0, self.sent - self.size) / self.size


def make_model(size: int, seed: int) -> bytes:
    """Bytes that no part of repeats: a shifted block is noticed."""
    source = random.Random(seed)
    return b"GGUF" + b"".join(source.randbytes(min(MEGABYTE, size - 4 - at)) for at in range(0, size - 4, MEGABYTE))


def faults(seed: int, wrong: int) -> Iterator[Fault]:
    """Yields what happens to each request for bytes."""
    source = random.Random(seed)
    while True:
        kind = source.random()
        after = source.randrange(2 * MEGABYTE)
        if wrong:
            wrong -= 1
            yield Fault(after_bytes=after, flip=True)
        elif kind < 0.15:
            yield Fault(after_bytes=after)
        elif kind < 0.18:
            yield Fault(status=source.choice([429, 500, 503]), headers={"Retry-After": "0"})
        else:
            yield Fault(after_bytes=1 << 60)


class SlowHub(FakeHub):
    """`wrong`: the number of connections that send a wrong byte. `seconds`: for the whole file; None: no faults."""

    def __init__(self, data: bytes, seed: int, wrong: int = 0, seconds: float | None = None) -> None:
        super().__init__({NAME: data})
        self.url_uses = 40
        self.bytes_per_s = len(data) / seconds if seconds else None
        self._script = faults(seed, wrong) if seconds else None

    def next_fault(self) -> Fault | None:
        with self._lock:
            return next(self._script) if self._script else None


def start(hub: FakeHub, models: Path, client: str) -> subprocess.Popen[str]:
    variables = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "benchmarks.downloads", "--client", client, "--models", str(models)]
    return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@contextmanager
def watched(models: Path, sha256: str, found: Round) -> Iterator[None]:
    """Checks, all the time, that no other file than the right one is among the models."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            path = models / REPO.replace("/", "--") / NAME
            found.wrong_models += path.exists() and digest(path) != sha256

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def run_round(name: str, data: bytes, options: argparse.Namespace, *, client: str, kills: int, wrong: int = 0) -> Round:
    """Starts the client again after each kill, until it ends by itself with the file."""
    source, found = random.Random(options.seed), Round(name, len(data))
    sha256 = hashlib.sha256(data).hexdigest()
    longest_s = KILL_SPREAD * options.seconds / max(kills, 1)  # from the first byte of a process to its kill
    with tempfile.TemporaryDirectory() as folder, SlowHub(data, options.seed, wrong, options.seconds) as hub:
        models, started = Path(folder), time.monotonic()
        with watched(models, sha256, found):
            for _ in range(RUNS_LIMIT):
                process = start(hub, models, client)
                wait_for_bytes(hub, process)
                try:
                    if process.wait(source.uniform(0, longest_s) if found.kills < kills else None) == 0:
                        break
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    found.kills += 1
        found.seconds = time.monotonic() - started
        found.sent = hub.sent_bytes
        count_files(models, sha256, found)
    return found


def wait_for_bytes(hub: FakeHub, process: subprocess.Popen[str]) -> None:
    """Returns at the first byte that this process is sent, or at its end."""
    before = len(hub.sent)
    while len(hub.sent) == before and process.poll() is None:
        time.sleep(0.002)


def count_files(models: Path, sha256: str, found: Round) -> None:
    for path in models.rglob("*"):
        if path.is_file() and path.suffix == ".gguf" and path.parent.parent == models:
            found.whole = digest(path) == sha256
            found.wrong_models += not found.whole
        elif path.is_file():
            found.orphans += 1
            found.orphan_bytes += path.stat().st_blocks * 512


# --- clients, each in a process of its own ---------------------------------------------------------------------------


async def fetch_measured(models: Path) -> float:
    """Returns the longest time in milliseconds for which the event loop computed without a pause.

    This is the CPU time of its thread: other programs of the machine do not count.
    """
    longest = 0.0

    async def measure() -> None:
        nonlocal longest
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            longest, before = max(longest, time.thread_time() - before), time.thread_time()

    measuring = asyncio.create_task(measure())
    await fetch(HubFile(REPO, NAME), models)
    measuring.cancel()
    return longest * 1000


def run_client(client: str, models: Path) -> None:
    if client == "ours":
        print(asyncio.run(fetch_measured(models)))
        return
    from huggingface_hub import hf_hub_download

    hf_hub_download(REPO, NAME, local_dir=models / REPO.replace("/", "--"))


def measure_speed(data: bytes, client: str) -> tuple[float, str]:
    """Returns megabytes a second, and the output of the client."""
    with tempfile.TemporaryDirectory() as folder, SlowHub(data, 0) as hub:
        process = start(hub, Path(folder), client)
        while not hub.sent:
            time.sleep(0.005)
        started = time.monotonic()
        output, _ = process.communicate()
        return len(data) / MEGABYTE / (time.monotonic() - started), output


# --- the report ------------------------------------------------------------------------------------------------------


def report(rounds: list[Round], console: Console) -> None:
    table = Table("", "kills", "seconds", "fetched twice", "orphans", "MB in orphans", "wrong among models", "whole")
    for found in rounds:
        table.add_row(
            found.name,
            str(found.kills),
            f"{found.seconds:.0f}",
            f"{found.twice:.2%}",
            str(found.orphans),
            f"{found.orphan_bytes / MEGABYTE:.0f}",
            str(found.wrong_models),
            "yes" if found.whole else "NO",
        )
    console.print(table)


def verdicts(kills: Round, wrong: Round) -> dict[str, bool]:
    return {
        f"bytes fetched twice ≤{TARGET_TWICE:.0%} ({kills.twice:.2%})": kills.twice <= TARGET_TWICE,
        "no orphans": kills.orphans == wrong.orphans == 0,
        "no wrong file among the models": kills.wrong_models == wrong.wrong_models == 0,
        "the file is whole": kills.whole and wrong.whole,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=30.0, help="the slowness of the server, for the whole file")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--peer-kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--client", choices=("ours", "peer"), help=argparse.SUPPRESS)
    parser.add_argument("--models", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        run_client(options.client, options.models)
        return
    data, console = make_model(options.megabytes * MEGABYTE, options.seed), Console()
    kills = run_round("kills", data, options, client="ours", kills=options.kills)
    wrong = run_round("wrong bytes", data, options, client="ours", kills=options.kills // 4, wrong=1)
    peer = run_round("hf_hub_download", data, options, client="peer", kills=options.peer_kills)
    report([kills, wrong, peer], console)
    (ours, lag), (theirs, _) = measure_speed(data, "ours"), measure_speed(data, "peer")
    console.print(f"at full speed: {ours:.0f} MB/s, hf_hub_download {theirs:.0f} MB/s")
    console.print(f"the event loop computed for {float(lag.split()[-1]):.0f} ms at most before it served others")
    results = verdicts(kills, wrong)
    for target, reached in results.items():
        console.print(f"{'reached' if reached else 'MISSED'}: {target}")
    sys.exit(not all(results.values()))


if __name__ == "__main__":
    main()
