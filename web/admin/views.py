"""The figures of the service as words, rows and charts in one language. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from markupsafe import Markup

from core.administration.desk import ServiceState
from core.contract import Language
from core.feedback.entries import FeedbackEntry
from core.rag.facts.status import CollectionStatus
from core.records.accesses import AccessLog
from core.records.holding import Hold
from core.statistics.figures import Figures, Group
from core.statistics.reading import Period
from core.texts import text
from core.texts.formats import format_date, format_duration, format_moment, format_number
from web.admin.plots import Series, bar_chart, line_chart

UNKNOWN = "–"
SHOWN_CHARS = 300  # of a question or an answer
ACCESSES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption. The first cell of a row is its header."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    svg: Markup
    legend: Sequence[Series]
    table: Table


class Words:
    """Words of the page in one language."""

    def __init__(self, language: Language, zone: tzinfo | None, currency: str) -> None:
        self.language = language
        self._zone = zone
        self._currency = currency

    def text(self, key: str, **values: object) -> str:
        return text(key, self.language, **values)

    def number(self, value: float | None, decimals: int = 0) -> str:
        return UNKNOWN if value is None else format_number(value, self.language, decimals)

    def seconds(self, value: float | None) -> str:
        return UNKNOWN if value is None else self.text("admin-seconds", seconds=format_number(value, self.language, 2))

    def share(self, value: float | None) -> str:
        return (
            UNKNOWN
            if value is None
            else self.text("admin-percent", percent=format_number(100 * value, self.language, 0))
        )

    def money(self, value: float) -> str:
        return self.text("admin-money", amount=format_number(value, self.language, 2), currency=self._currency)

    def moment(self, seconds: float | None) -> str:
        """Seconds since 1970 as a day and time."""
        return UNKNOWN if seconds is None else format_moment(self._local(seconds), self.language)

    def part(self, seconds: float, period: Period) -> str:
        """The name of a part of the period: a day of a month, else a time."""
        local = self._local(seconds)
        return format_date(local.date(), self.language) if period == "month" else f"{local:%H:%M}"

    def duration(self, seconds: float) -> str:
        return format_duration(seconds, self.language)

    def _local(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC).astimezone(self._zone)


def summary(words: Words, figures: Figures) -> list[tuple[str, str]]:
    """The figures that stand first: name and value."""
    sums = figures.sums
    first = figures.first_text_s
    return [
        (words.text("admin-requests"), words.number(sums.requests)),
        (words.text("admin-answers"), words.number(sums.answers)),
        (words.text("admin-failures"), words.number(sums.failures)),
        (words.text("admin-stopped"), words.number(sums.stopped)),
        (words.text("admin-people"), words.number(figures.people)),
        (words.text("admin-first-text"), words.seconds(first.get("median"))),
        (words.text("admin-first-text-p95"), words.seconds(first.get("p95"))),
        (words.text("admin-tokens-per-s"), words.number(sums.tokens_per_s, 1)),
        (words.text("admin-cached"), words.share(sums.cached_share)),
        (words.text("admin-cost"), words.money(figures.cost)),
    ]


def groups(words: Words, figures: Figures) -> list[Table]:
    """The same figures by channel, personality and model."""
    named = (
        ("admin-channels", figures.channels),
        ("admin-personalities", figures.personalities),
        ("admin-models", figures.models),
    )
    return [group_table(words, words.text(key), found) for key, found in named if found]


def group_table(words: Words, caption: str, found: Sequence[Group]) -> Table:
    columns = (
        "admin-name",
        "admin-requests",
        "admin-failures",
        "admin-prompt-tokens",
        "admin-answer-tokens",
        "admin-tokens-per-s",
        "admin-cached",
        "admin-cost",
    )
    rows = [
        (
            group.name,
            words.number(group.sums.requests),
            words.number(group.sums.failures),
            words.number(group.sums.prompt_tokens),
            words.number(group.sums.answer_tokens),
            words.number(group.sums.tokens_per_s, 1),
            words.share(group.sums.cached_share),
            words.money(group.cost),
        )
        for group in found
    ]
    return Table(caption, [words.text(key) for key in columns], rows)


def errors(words: Words, figures: Figures) -> Table:
    rows = [(code, words.number(count)) for code, count in figures.errors.items()]
    return Table(words.text("admin-errors"), (words.text("admin-error-code"), words.text("admin-count")), rows)


def charts(words: Words, figures: Figures, period: Period) -> list[Chart]:
    labels = [words.part(point.began_at, period) for point in figures.points]
    sums = [point.sums for point in figures.points]
    requests = [
        Series(words.text("admin-answers"), "first", [float(each.answers) for each in sums]),
        Series(words.text("admin-stopped"), "second", [float(each.stopped) for each in sums]),
        Series(words.text("admin-failures"), "third", [float(each.failures) for each in sums]),
    ]
    waits = [Series(words.text("admin-first-text"), "first", [point.first_text_s for point in figures.points])]
    pace = [Series(words.text("admin-tokens-per-s"), "first", [each.tokens_per_s for each in sums])]
    return [
        build_chart(words, words.text("admin-chart-requests"), labels, requests, bars=True),
        build_chart(words, words.text("admin-chart-first-text"), labels, waits),
        build_chart(words, words.text("admin-chart-pace"), labels, pace),
    ]


def build_chart(
    words: Words, title: str, labels: Sequence[str], series: Sequence[Series], *, bars: bool = False
) -> Chart:
    draw = bar_chart if bars else line_chart
    rows = [(label, *(words.number(each.values[at], 2) for each in series)) for at, label in enumerate(labels)]
    table = Table(title, (words.text("admin-time"), *(each.title for each in series)), rows)
    svg = Markup(draw(title, words.language, labels, series))  # noqa: S704 - `plots` escapes
    return Chart(title, svg, series if len(series) > 1 else (), table)


def state_lines(words: Words, state: ServiceState) -> list[str]:
    """Sentences about the processes and the queue at this moment."""
    lines = [
        words.text("admin-process-up" if answers else "admin-process-away", process=name)
        for name, answers in state.processes.items()
    ]
    if state.queue is not None:
        waiting, running = state.queue
        lines.append(words.text("admin-queue", waiting=waiting, running=running))
    return lines


def personality_table(words: Words, state: ServiceState) -> Table:
    """Which model answers for each personality, and which one is awaited."""
    rows = []
    for each in state.personalities:
        awaited = each.next_model
        done = awaited.done_bytes / awaited.total_bytes if awaited and awaited.total_bytes else None
        coming = (
            words.text(f"admin-model-{awaited.state}", model=awaited.title, share=words.share(done)) if awaited else ""
        )
        rows.append((each.title, each.model or words.text("admin-no-model"), coming))
    columns = [words.text(key) for key in ("admin-personality", "admin-answering-model", "admin-awaited-model")]
    return Table(words.text("admin-models-now"), columns, rows)


def engine_table(words: Words, state: ServiceState) -> Table:
    columns = [
        words.text(key)
        for key in (
            "admin-engine",
            "admin-engine-state",
            "admin-running",
            "admin-answered",
            "admin-failures",
            "admin-problem",
        )
    ]
    rows = [
        (
            each.engine,
            words.text(f"admin-engine-{each.state}"),
            words.number(each.running),
            words.number(each.answered),
            words.number(each.failed),
            each.problem or "",
        )
        for each in state.engines
    ]
    return Table(words.text("admin-engines"), columns, rows)


def verdict_table(words: Words, found: Sequence[FeedbackEntry]) -> Table:
    """People's verdicts on answers. A question and its answer stand there as long as their conversation is kept."""
    keys = ("time", "channel", "verdict", "comment", "personality", "model", "question", "answer")
    columns = [words.text(f"admin-{key}") for key in keys]
    rows = [
        (
            words.moment(each.at.timestamp()),
            each.channel,
            words.text(f"admin-verdict-{each.verdict}"),
            each.comment,
            each.personality or UNKNOWN,
            each.model or UNKNOWN,
            shorten(each.question or UNKNOWN),
            shorten(each.answer or UNKNOWN),
        )
        for each in found
    ]
    return Table(words.text("admin-feedback"), columns, rows)


def shorten(words: str) -> str:
    return words if len(words) <= SHOWN_CHARS else f"{words[:SHOWN_CHARS].rstrip()}…"


def hold_table(words: Words, found: Sequence[Hold]) -> Table:
    columns = [
        words.text(key) for key in ("admin-number", "admin-subject", "admin-reason", "admin-placed", "admin-released")
    ]
    rows = [
        (
            str(each.id),
            each.subject,
            each.reason,
            f"{words.moment(each.placed_at)}, {each.who}",
            words.moment(each.released_at) if each.released_at else words.text("admin-active"),
        )
        for each in found
    ]
    return Table(words.text("admin-holds"), columns, rows)


def access_table(words: Words, found: AccessLog) -> Table:
    """The latest accesses by administrators, the newest first."""
    columns = [words.text(key) for key in ("admin-number", "admin-time", "admin-who", "admin-action", "admin-subject")]
    rows = [
        (str(each.number), words.moment(each.at), each.who, each.action, each.subject)
        for each in reversed(found.entries[-ACCESSES_SHOWN:])
    ]
    return Table(words.text("admin-accesses"), columns, rows)


def collection_table(words: Words, found: Sequence[CollectionStatus]) -> Table:
    """The collections of facts with their last refresh."""
    columns = [
        words.text(key)
        for key in ("admin-collection", "admin-documents", "admin-refreshed", "admin-next-refresh", "admin-problem")
    ]
    rows = [
        (
            each.name,
            words.number(each.documents),
            words.text("admin-refreshing") if each.is_running else words.moment(each.succeeded_at),
            words.moment(each.next_at),
            each.problem or "",
        )
        for each in found
    ]
    return Table(words.text("admin-collections"), columns, rows)
