"""Runs one command of the installation, shows how far it is, and keeps its whole output in a log.

Knows the shape of the lines that pip and ninja print, and nothing of why they are run.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PLAIN_INTERVAL_S = 10.0
TAIL_LINES = 40
PACKAGE = (
    r"(?:Collecting|Ignoring|Requirement already satisfied:|Processing (?:\S*/)?)\s*"
    r"([A-Za-z][\w.]*(?:-[A-Za-z][\w.]*)*)"
)
HINTS = (
    (
        r"CMAKE_CXX_COMPILER|No CMAKE_C_COMPILER|c\+\+: not found",
        "A C++ compiler is missing (Debian: apt install g++).",
    ),
    (r"Killed signal|fatal error: Killed", "Memory ran out. Try again with CMAKE_BUILD_PARALLEL_LEVEL=1."),
    (r"No space left", "The disk is full."),
    (
        r"CUDA ?Toolkit|nvcc",
        "CUDA was asked for, and its toolkit is not found (Debian: apt install nvidia-cuda-toolkit).",
    ),
    (r"DO NOT MATCH THE HASHES", "The package index serves another file than the one that is locked: do not use it."),
    (r"ensurepip|python3-venv", "This Python cannot make virtual environments (Debian: apt install python3-venv)."),
    (
        r"No matching distribution|Max retries|ConnectionError|Temporary failure|unreachable",
        "The package index cannot be reached, or has no package for this Python and machine. Is PIP_INDEX_URL right?",
    ),
)

Parser = Callable[[str], "str | None"]


class StepError(Exception):
    """A command of the installation failed; the message is all that there is to show."""


class CompileProgress:
    """What a line of `pip wheel -v` says about how far the compiler is."""

    def __call__(self, line: str) -> str | None:
        if step := re.match(r"\s*\[(\d+)/(\d+)\] (.*)", line):
            number, total, command = step.groups()
            source = re.search(r" -c (\S+)", command)
            doing = f"compiling {Path(source[1]).name}" if source else "linking"
            return f"[{number:>{len(total)}}/{total}] {doing}"
        if "Configuring CMake" in line:
            return "looking at the compiler"
        return "downloading the source" if line.strip().startswith("Downloading") else None


class PackagesProgress:
    """What a line of `pip install` says about how many of `total` pins it has dealt with."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._count = 0

    def __call__(self, line: str) -> str | None:
        if line.startswith("Installing collected packages"):
            return "unpacking"
        if seen := re.match(PACKAGE, line):
            self._count += 1
            return f"[{self._count:>{len(str(self._total))}}/{self._total}] {seen[1]}"
        return None


class Screen:
    """One line that changes, on a terminal; elsewhere a plain line now and then."""

    def __init__(self, stream: IO[str] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stdout
        self._clock = clock
        self._last_plain = clock()
        self.live = self._stream.isatty()

    def show(self, title: str, status: str, elapsed_s: float) -> None:
        text = f"  {title}: {status} ({minutes(elapsed_s)})" if status else f"  {title} ({minutes(elapsed_s)})"
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[2K{text[:width]}")
        elif self._clock() - self._last_plain >= PLAIN_INTERVAL_S:
            self._last_plain = self._clock()
            self._write(f"{text}\n")

    def done(self, title: str, elapsed_s: float) -> None:
        self._write(f"{self._clear()}  {title}: done ({minutes(elapsed_s)})\n")

    def say(self, text: str) -> None:
        self._write(f"{self._clear()}{text}\n")

    def _clear(self) -> str:
        return "\r\x1b[2K" if self.live else ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def minutes(elapsed_s: float) -> str:
    return f"{int(elapsed_s) // 60}:{int(elapsed_s) % 60:02d}"


def run(
    screen: Screen,
    title: str,
    command: Sequence[str],
    log: Path,
    parse: Parser = lambda _: None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run `command`, show `parse(line)` of its output; StepError with the last lines if it fails."""
    began = time.monotonic()
    status = ""
    screen.show(title, status, 0)
    with log.open("a", encoding="utf-8") as kept, start(command, env) as child:
        kept.write(f"$ {' '.join(command)}\n")
        lines = pump(child)
        while (line := next_line(lines)) is not None:
            kept.write(line)
            status = parse(line) or status
            screen.show(title, status, time.monotonic() - began)
    if child.returncode:
        raise StepError(failure(title, log))
    screen.done(title, time.monotonic() - began)


def start(command: Sequence[str], env: Mapping[str, str] | None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**(env or os.environ), "PYTHONUNBUFFERED": "1"},
    )


def pump(child: subprocess.Popen[str]) -> queue.Queue[str | None]:
    """The child's lines, and None when there are no more: a queue, so that the clock moves while it is silent."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert child.stdout
        for line in child.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def next_line(lines: queue.Queue[str | None]) -> str | None:
    """The next line; "" when a second passed without one."""
    try:
        return lines.get(timeout=1)
    except queue.Empty:
        return ""


def failure(title: str, log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    last = "\n".join(text.splitlines()[-TAIL_LINES:])
    step = text[text.rfind("\n$ ") + 1 :]
    hints = [hint for pattern, hint in HINTS if re.search(pattern, step)]
    return "\n".join([last, "", f"{title}: failed. All that was printed is in {log}", *hints])
