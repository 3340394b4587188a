"""The adapter's process under test: its start, its log, its metrics and its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bindings.incoming import PlatformName
from bindings.selftest.changes import Changes
from core import PROJECT_ROOT
from core.errors import ConfigError, CspsError
from core.runtime.process import OPERATOR_MUST_ACT, error_prefix

START_S = 120.0
END_S = 40.0
LOG_LINES = 200
POLL_S = 0.02
FAILED_OUTCOMES = ("failed", "refused")


class BotEnded(CspsError):
    """The bot's process ended although it should serve."""


@dataclass(frozen=True, slots=True)
class BotCounts:
    """Numbers of the bot's metrics page."""

    taken: int  # events, repeats included
    unfinished: int
    rated: int
    failed: int  # answers that the bot gave up


class StartedBot(Changes):
    """A running `python -m bindings.<platform>`."""

    def __init__(
        self, platform: PlatformName, process: asyncio.subprocess.Process, http: aiohttp.ClientSession
    ) -> None:
        super().__init__()
        self.platform = platform
        self.url = ""
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.problems: list[dict[str, Any]] = []  # log entries above the level "info"
        self._process = process
        self._http = http
        self._serves = False

    async def read_log(self) -> None:
        """Reads the log until the process ends."""
        assert self._process.stderr is not None
        async for raw in self._process.stderr:
            line = raw.decode(errors="replace").rstrip()
            self.log.append(line)
            self._note(parse_entry(line))
            self.notify()

    def _note(self, entry: dict[str, Any]) -> None:
        event = entry.get("event")
        if event == "bot_connecting":
            self.url = str(entry.get("url"))
        self._serves = self._serves or event == "bot_serving"
        if entry.get("level") in ("warning", "error", "critical"):
            self.problems.append(entry)

    async def until_serving(self) -> None:
        """Raises ConfigError if only the operator can help, BotEnded if it ended otherwise or does not start."""
        serving = asyncio.ensure_future(self.until(lambda: self._serves, START_S))
        ended = asyncio.ensure_future(self._process.wait())
        await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (serving, ended):
            task.cancel()
        if not self._serves:
            raise await self._explain_end()

    async def _explain_end(self) -> CspsError:
        if self._process.returncode is None:
            return BotEnded(f"the bot did not start within {START_S:.0f} s\n" + "\n".join([*self.log][-10:]))
        await asyncio.sleep(POLL_S)  # its last lines
        lines, prefix = list(self.log), error_prefix(self.platform)
        first = next((number for number, line in enumerate(lines) if line.startswith(prefix)), max(0, len(lines) - 10))
        message = "\n".join(lines[first:]).removeprefix(prefix)
        return ConfigError(message) if self._process.returncode == OPERATOR_MUST_ACT else BotEnded(message)

    async def counts(self) -> BotCounts:
        """Raises BotEnded."""
        try:
            async with self._http.get(f"{self.url}metrics") as response:
                page = await response.text()
        except aiohttp.ClientError as exc:
            raise await self._explain_end() from exc
        return read_counts(page)

    async def until_counts(self, condition: Callable[[BotCounts], bool], within_s: float) -> BotCounts:
        """Asks for the metrics until the condition holds. Raises TimeoutError, BotEnded."""
        async with asyncio.timeout(within_s):
            while True:
                counts = await self.counts()
                if condition(counts):
                    return counts
                await asyncio.sleep(POLL_S)

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), END_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def run_bot(platform: PlatformName, environ: Mapping[str, str]) -> AsyncIterator[StartedBot]:
    """Runs the bot while the block runs. Raises ConfigError, BotEnded."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "core.runtime.die_with_parent", str(os.getpid())),
        *(sys.executable, "-m", f"bindings.{platform}"),
        cwd=PROJECT_ROOT,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        bot = StartedBot(platform, process, http)
        reading = asyncio.create_task(bot.read_log())
        try:
            await bot.until_serving()
            yield bot
        finally:
            await bot.stop()
            reading.cancel()
            await asyncio.wait({reading})


def read_counts(page: str) -> BotCounts:
    sums: Counter[str] = Counter()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            failed = sample.labels.get("outcome") in FAILED_OUTCOMES
            sums[f"{sample.name}:failed" if failed else sample.name] += round(sample.value)
    return BotCounts(
        taken=sums["csps_bot_events_total"] + sums["csps_bot_repeats_total"],
        unfinished=sums["csps_bot_answers_running"] + sums["csps_bot_answers_waiting"],
        rated=sums["csps_bot_feedback_total"],
        failed=sums["csps_bot_answers_total:failed"],
    )


def parse_entry(line: str) -> dict[str, Any]:
    """Returns a line of the log, or {} if it is no JSON object."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
