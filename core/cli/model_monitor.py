"""Reports in the log of `up` which model was chosen and why, how its download goes, and when it answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.cli.model_host import ServedModel, fetch_served
from core.cli.model_survey import survey_models
from core.cli.model_texts import describe_progress, draw_bar, explain_choice
from core.configuration.settings import Settings
from core.contract import Language
from core.errors import CspsError
from core.model.library.download.progress import DownloadProgress
from core.texts import text

INTERVAL_S = 1.0
DOWNLOADING = ("downloading", "waiting", "checking")
REPORT_S = 30.0  # between two lines on a download, where there is no bar


class StatusLog(Protocol):
    """`core.cli.merged_log.MergedLog`, as far as this module needs it."""

    @property
    def has_status_line(self) -> bool: ...

    def show_status(self, line: str | None) -> None: ...

    def write_event(self, event: str, message: str, **values: object) -> None: ...


@dataclass(frozen=True, slots=True)
class ChoiceReport:
    """The default model, why it is the default, and the lines about it for people."""

    model_id: str
    reason: str
    lines: tuple[str, ...]


class ModelMonitor:
    """`explain` blocks and may take seconds. `fetch` asks the model host; None: it does not answer."""

    def __init__(
        self,
        explain: Callable[[], ChoiceReport],
        fetch: Callable[[], Awaitable[Sequence[ServedModel] | None]],
        log: StatusLog,
        language: Language,
        interval_s: float = INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._explain = explain
        self._fetch = fetch
        self._log = log
        self._language = language
        self._interval_s = interval_s
        self._clock = clock
        self._states: dict[str, str] = {}
        self._awaited: set[str] = set()  # the models that were seen while they came
        self._next_report_s = 0.0

    async def run(self) -> None:
        """Runs until cancelled. It polls: the host announces nothing to other processes."""
        await self._report_choice()
        try:
            while True:
                self.observe(await self._fetch() or ())
                await asyncio.sleep(self._interval_s)
        finally:
            self._log.show_status(None)

    async def _report_choice(self) -> None:
        try:
            report = await asyncio.to_thread(self._explain)
        except CspsError as exc:  # the model's own process says more
            self._log.write_event("model_unknown", exc.message, level="warning")
            return
        message = "\n".join(report.lines)
        self._log.write_event("model_chosen", message, model=report.model_id, reason=report.reason)

    def observe(self, served: Sequence[ServedModel]) -> None:
        """Reports what changed since the last time."""
        for model in served:
            state = model.progress.state if model.progress else model.state
            if state in DOWNLOADING:
                self._awaited.add(model.id)
            elif model.id in self._awaited and state in ("loaded", "available"):
                self._awaited.remove(model.id)
                message = text(f"cli-up-model-{state}", self._language, title=model.title)
                self._log.write_event("model_downloaded", message, model=model.id)
            if state != self._states.get(model.id) and model.progress:
                self._next_report_s = 0.0
                if state == "failed":
                    self._write_progress(model, model.progress, "warning")
            self._states[model.id] = state
        self._show(next((each for each in served if self._states[each.id] in DOWNLOADING), None))

    def _show(self, model: ServedModel | None) -> None:
        """Shows the running download: on the status line, or in a line now and then."""
        if model is None or model.progress is None:
            self._log.show_status(None)
        elif self._log.has_status_line:
            line = describe_progress(model.title, model.progress, self._language)
            self._log.show_status(f"{draw_bar(model.progress)} {line}")
        elif self._clock() >= self._next_report_s:
            self._next_report_s = self._clock() + REPORT_S
            self._write_progress(model, model.progress, "info")

    def _write_progress(self, model: ServedModel, progress: DownloadProgress, level: str) -> None:
        values = {
            key: getattr(progress, key)
            for key in ("state", "done_bytes", "total_bytes", "expected_s", "problem", "fault")
        }
        message = describe_progress(model.title, progress, self._language)
        self._log.write_event("model_download", message, level=level, model=model.id, **values)


async def monitor_models(settings: Settings, log: StatusLog, language: Language) -> None:
    """Runs until cancelled."""

    async def fetch() -> Sequence[ServedModel] | None:
        return await fetch_served(settings)

    await ModelMonitor(lambda: explain_default(settings, language), fetch, log, language).run()


def explain_default(settings: Settings, language: Language) -> ChoiceReport:
    """Blocks. Raises ConfigError."""
    survey = survey_models(settings)
    here, offline = survey.default_is_here, survey.resources.offline
    lines = explain_choice(survey.choice, survey.catalogue, language, is_here=here, offline=offline)
    return ChoiceReport(survey.choice.id, survey.choice.reason, tuple(lines))
