"""The child process that measures a model for `csps-llm tune`. It is started again if llama.cpp ended it."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from core.errors import ConfigError
from core.model.hardware.tuning_space import Part, Timing, Trial

START_DEADLINE_S = 120.0  # a large file is read from a slow disk
ANSWER_DEADLINE_S = 90.0
COMMAND = (sys.executable, "-m", "core.model.worker.measure")


class MeasuringProcess:
    """Measures trials of one model file, inside a `with` block. `facts` describes the model."""

    def __init__(self, path: Path, command: Sequence[str] = COMMAND) -> None:
        self._command = [*command, str(path)]
        self._child: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> MeasuringProcess:
        self.facts = self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def measure(self, trial: Trial, parts: Sequence[Part]) -> Timing | None:
        """Returns None if the engine refuses the trial, ends or hangs. Raises ConfigError if nothing can be loaded."""
        if self._child is None:
            self._start()
        assert self._child
        assert self._child.stdin
        try:
            self._child.stdin.write(json.dumps({"trial": trial.to_dict(), "parts": list(parts)}) + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            self._stop()
            return None
        answer = self._read(ANSWER_DEADLINE_S)
        if answer is None:
            self._stop()
            return None
        return None if answer.get("refused") else Timing(**answer)

    def _start(self) -> dict[str, Any]:
        self._lines = queue.Queue()
        self._child = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        threading.Thread(target=pass_lines, args=(self._child, self._lines), daemon=True).start()
        facts = self._read(START_DEADLINE_S)
        if facts is None:
            self._stop()
            raise ConfigError(f"the engine does not start; to see why, run: {' '.join(self._command)}")
        return facts

    def _read(self, deadline_s: float) -> dict[str, Any] | None:
        """Returns the next answer; None if the process ended or is silent. Raises ConfigError for its error."""
        try:
            line = self._lines.get(timeout=deadline_s)
        except queue.Empty:
            return None
        if line is None:
            return None
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ConfigError(answer["error"])
        return answer

    def _stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe:
                    pipe.close()
            self._child = None


def pass_lines(child: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """Queues the lines of a process, then None."""
    assert child.stdout
    try:
        for line in child.stdout:
            lines.put(line)
    except ValueError:
        pass  # the pipe was closed because the process is no longer needed
    lines.put(None)
