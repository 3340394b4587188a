"""How far a batch is: a bar in a terminal, now and then a line elsewhere. Knows nothing of rows but their number."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.cli.words import Table, Words
from core.toil.batch.journal import BatchProgress

LINE_INTERVAL_S = 5.0

WORDS: Table = {
    "rows": ("rows", "lignes"),
    "rate": ("{rate:.1f} rows/s", "{rate:.1f} lignes/s"),
    "failures": ("{failures} failed", "{failures} en échec"),
    "line": (
        "{done} of {total} rows, {rate:.1f} rows/s, {left} left, {failures} failed",
        "{done} lignes sur {total}, {rate:.1f} lignes/s, encore {left}, {failures} en échec",
    ),
    "line_endless": (
        "{done} rows, {rate:.1f} rows/s, {failures} failed",
        "{done} lignes, {rate:.1f} lignes/s, {failures} en échec",
    ),
}


class Bar:
    """In a terminal."""

    def __init__(self, tally: BatchProgress, console: Console, language_words: Words) -> None:
        self._tally = tally
        self._words = Words(WORDS, language_words.language)
        self._progress = Progress(
            TextColumn(self._words("rows")),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failures]}"),
            console=console,
        )
        self._task = self._progress.add_task("", total=tally.total, rate="", failures="")
        self.show()
        self._progress.start()

    def show(self) -> None:
        rate = self._words("rate", rate=self._tally.rate)
        failures = self._words("failures", failures=self._tally.failed)
        self._progress.update(self._task, completed=self._tally.done, rate=rate, failures=failures)

    def end(self) -> None:
        self._progress.stop()


class Lines:
    """In a log or a pipe."""

    def __init__(
        self, tally: BatchProgress, console: Console, language_words: Words, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tally = tally
        self._console = console
        self._words = Words(WORDS, language_words.language)
        self._clock = clock
        self._shown_s = clock()

    def show(self) -> None:
        if self._clock() - self._shown_s >= LINE_INTERVAL_S:
            self._shown_s = self._clock()
            self._console.print(self.line(), highlight=False, soft_wrap=True)

    def end(self) -> None:
        """The summary says the rest."""

    def line(self) -> str:
        tally = self._tally
        values = {"done": tally.done, "total": tally.total, "rate": tally.rate, "failures": tally.failed}
        if tally.left_s is None:
            return self._words("line_endless", **values)
        minutes, seconds = divmod(round(tally.left_s), 60)
        return self._words("line", left=f"{minutes}:{seconds:02}", **values)


def progress(tally: BatchProgress, console: Console, words: Words) -> Bar | Lines:
    return Bar(tally, console, words) if console.is_terminal else Lines(tally, console, words)
