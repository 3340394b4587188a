"""Runs one command of the installation, shows its progress, and keeps its whole output in a log.

Parses the lines that pip and ninja print. The installer's texts are in its code, in both languages: the catalogue needs
a library that is not installed yet.
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
HINTS = (  # a pattern of the output, then the hint in English and French
    (
        r"CMAKE_CXX_COMPILER|No CMAKE_C_COMPILER|c\+\+: not found",
        "A C++ compiler is missing (Debian: apt install g++).",
        "Il manque un compilateur C++ (Debian\u00a0: apt install g++).",
    ),
    (
        r"Killed signal|fatal error: Killed",
        "There was not enough memory. Try again with CMAKE_BUILD_PARALLEL_LEVEL=1.",
        "La mémoire était insuffisante. Réessayez avec CMAKE_BUILD_PARALLEL_LEVEL=1.",
    ),
    (r"No space left", "The disk is full.", "Le disque est plein."),
    (
        r"CUDA ?Toolkit|nvcc",
        "The CUDA toolkit was not found (Debian: apt install nvidia-cuda-toolkit).",
        "La trousse CUDA est introuvable (Debian\u00a0: apt install nvidia-cuda-toolkit).",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "The package index serves a file that differs from the locked one: do not use it.",
        "Le fichier de l’index de paquets diffère du fichier verrouillé\u00a0: ne l’utilisez pas.",
    ),
    (
        r"ensurepip|python3-venv",
        "This Python cannot create virtual environments (Debian: apt install python3-venv).",
        "Cette version de Python ne peut pas créer d’environnement virtuel (Debian\u00a0: apt install python3-venv).",
    ),
    (
        r"No matching distribution|Max retries|ConnectionError|Temporary failure|unreachable",
        "The package index cannot be reached, or has no package for this Python and machine. Check PIP_INDEX_URL.",
        "L’index de paquets est inaccessible, ou n’a aucun paquet pour cette machine. Vérifiez PIP_INDEX_URL.",
    ),
)

Parser = Callable[[str], "str | None"]


def localized(english: str, french: str) -> str:
    """Chooses by the locale, as `core.cli.localization` does."""
    variables = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return french if next(filter(None, variables), "").startswith("fr") else english


class StepError(Exception):
    """A command of the installation failed. The message is for people."""


class CompileProgress:
    """Parses a line of `pip wheel -v` into the progress of the compiler."""

    def __call__(self, line: str) -> str | None:
        if step := re.match(r"\s*\[(\d+)/(\d+)\] (.*)", line):
            number, total, command = step.groups()
            source = re.search(r" -c (\S+)", command)
            verb = localized("compiling", "compilation de")
            doing = f"{verb} {Path(source[1]).name}" if source else localized("linking", "édition de liens")
            return f"[{number:>{len(total)}}/{total}] {doing}"
        if "Configuring CMake" in line:
            return localized("checking the compiler", "vérification du compilateur")
        if line.strip().startswith("Downloading"):
            return localized("downloading the source", "téléchargement du code source")
        return None


class PackagesProgress:
    """Parses a line of `pip install` into the number of pins, of `total`, that pip has handled."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._count = 0

    def __call__(self, line: str) -> str | None:
        if line.startswith("Installing collected packages"):
            return localized("unpacking", "décompression")
        if seen := re.match(PACKAGE, line):
            self._count += 1
            return f"[{self._count:>{len(str(self._total))}}/{self._total}] {seen[1]}"
        return None


class Screen:
    """Shows one changing line on a terminal; elsewhere, a line every 10 s."""

    def __init__(self, stream: IO[str] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stdout
        self._clock = clock
        self._last_plain = clock()
        self.live = self._stream.isatty()

    def show(self, title: str, status: str, elapsed_s: float) -> None:
        separator = localized(": ", "\u00a0: ") if status else ""
        text = f"  {title}{separator}{status} ({format_elapsed(elapsed_s)})"
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[2K{text[:width]}")
        elif self._clock() - self._last_plain >= PLAIN_INTERVAL_S:
            self._last_plain = self._clock()
            self._write(f"{text}\n")

    def done(self, title: str, elapsed_s: float) -> None:
        done = localized(f"{title}: done", f"{title}\u00a0: terminé")
        self._write(f"{self._clear()}  {done} ({format_elapsed(elapsed_s)})\n")

    def say(self, text: str) -> None:
        self._write(f"{self._clear()}{text}\n")

    def _clear(self) -> str:
        return "\r\x1b[2K" if self.live else ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def format_elapsed(elapsed_s: float) -> str:
    """Formats a duration: "0:25", "1:01:40"."""
    minutes, seconds = divmod(int(elapsed_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def run(
    screen: Screen,
    title: str,
    command: Sequence[str],
    log: Path,
    parse: Parser = lambda _: None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Runs `command` and shows `parse(line)` of its output. Raises StepError with the last lines if it fails."""
    started_at = time.monotonic()
    status = ""
    screen.show(title, status, 0)
    with log.open("a", encoding="utf-8") as log_file, start_process(command, env) as child:
        log_file.write(f"$ {' '.join(command)}\n")
        lines = read_in_thread(child)
        while (line := next_line(lines)) is not None:
            log_file.write(line)
            status = parse(line) or status
            screen.show(title, status, time.monotonic() - started_at)
    if child.returncode:
        raise StepError(describe_failure(title, log))
    screen.done(title, time.monotonic() - started_at)


def start_process(command: Sequence[str], env: Mapping[str, str] | None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**(env or os.environ), "PYTHONUNBUFFERED": "1"},
    )


def read_in_thread(child: subprocess.Popen[str]) -> queue.Queue[str | None]:
    """Queues the child's lines, then None. With a queue the clock moves while the child is silent."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert child.stdout
        for line in child.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def next_line(lines: queue.Queue[str | None]) -> str | None:
    """Returns the next line; "" after a second without one."""
    try:
        return lines.get(timeout=1)
    except queue.Empty:
        return ""


def describe_failure(title: str, log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    last = "\n".join(text.splitlines()[-TAIL_LINES:])
    step = text[text.rfind("\n$ ") + 1 :]
    hints = [localized(*hint) for pattern, *hint in HINTS if re.search(pattern, step)]
    failed = localized(
        f"{title}: failed. The whole output is in {log}", f"{title}\u00a0: échec. Toute la sortie est dans {log}"
    )
    return "\n".join([last, "", failed, *hints])
