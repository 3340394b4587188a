"""Whether a value conforms to a schema, asked of a child process that the kernel ends when it takes too long.

A schema comes from a stranger, and some take exponential time on a small value; no validator that we tried is proof
against all. In a child that costs two seconds of one core and nobody's event loop. `core.checker` is the child.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass

from core.contract import Json
from core.settings import ROOT

COMMAND = (sys.executable, "-m", "core.checker")
WALL_LIMIT_S = 20  # a machine may be busy; the child's own limit of CPU time is what ends a bomb
AT_ONCE = 4  # children; more would take the cores from the model


@dataclass(frozen=True, slots=True)
class Verdict:
    """`refused`: why the schema is none that can be held. `problems`: where the value fails, and by which keyword."""

    refused: str | None = None
    problems: tuple[str, ...] = ()


class Judge:
    """One per process: it limits how many children run at once."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def judge(self, schema: Json, value: Json = None) -> Verdict:
        """The verdict of a child. If it had to be ended, that is a refusal of the schema."""
        question = json.dumps({"schema": schema, "value": value}).encode()
        async with self._turn:
            child = await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=ROOT)
            try:
                async with asyncio.timeout(WALL_LIMIT_S):
                    answer, _ = await child.communicate(question)
            except TimeoutError:
                answer = b""
            finally:
                await end(child)
        if child.returncode != 0 or not answer:
            return Verdict("checking against it takes too long, or too much memory")
        said = json.loads(answer)
        return Verdict(said["refused"], tuple(said["problems"]))


async def end(child: Process) -> None:
    if child.returncode is None:
        child.kill()
        await child.wait()
