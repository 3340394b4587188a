"""Writes a transcript as a text and as one HTML page without scripts. Pure: returns strings.

Everything that a model or a person wrote is text in the page, never markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import jinja2

from bindings.selftest.judge import StepResult
from bindings.selftest.recording import RecordedMessage
from bindings.selftest.transcript import Transcript, summarize
from core.contract import Language
from core.texts import text

TEMPLATE = Path(__file__).parent / "transcript.html"
LABELS = (
    *(
        "acknowledged",
        "buttons",
        "calls",
        "caption_calls",
        "caption_log",
        "caption_steps",
        "caption_summary",
        "contents",
    ),
    *("conversation", "duration", "files", "first_words", "log", "log_event", "log_none", "log_problem", "log_times"),
    *(
        "measure",
        "messages_none",
        "method",
        "note_access",
        "note_data",
        "note_markdown",
        "note_stage",
        "notes",
        "reason",
        "result",
    ),
    *("status", "step", "steps", "summary", "time", "value"),
)
NOTES = ("note_stage", "note_access", "note_data", "note_markdown")


def label(name: str, language: Language) -> str:
    return text(f"cli-selftest-label-{name}", language)


def write_html(transcript: Transcript) -> str:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    language = transcript.language
    return template.render(
        transcript=transcript,
        note_names=NOTES,
        lang=f"{language}-CA",
        language=language,
        title=title(transcript),
        verdict=verdict(transcript),
        summary=list(summary_rows(transcript)),
        labels={name: label(name, language) for name in LABELS},
        outcome=lambda result: describe_outcome(result, language),
        marks=lambda message: list(describe_marks(message, transcript)),
        seconds=lambda value: format_s(value, language),
        day=text("cli-selftest-day", language, moment=transcript.at),
        step_titles={each.step.id: each.step.title.in_language(language) for each in transcript.results},
        text_language=lambda message: message_language(message, transcript),
    )


def write_text(transcript: Transcript) -> str:
    """The same content for terminals and mail. Lines of messages are indented."""
    return "\n".join(text_lines(transcript)) + "\n"


def text_lines(transcript: Transcript) -> Iterator[str]:
    language = transcript.language
    yield title(transcript)
    yield verdict(transcript)
    yield text("cli-selftest-day", language, moment=transcript.at)
    yield from heading(label("summary", language))
    yield from (f"{name}: {value}" for name, value in summary_rows(transcript))
    yield from heading(label("conversation", language))
    for number, result in enumerate(transcript.results, 1):
        yield f"{number}. {result.step.title.in_language(language)} ({describe_outcome(result, language)})"
        for message in transcript.messages_of(result.step.id):
            yield from message_lines(message, transcript)
        yield ""
    yield from heading(label("calls", language))
    for call in transcript.calls:
        note = f" {call.note}" if call.note else ""
        yield f"{format_s(call.at_s, language)}  {call.method}  {call.status}{note}"
    yield from heading(label("log", language))
    yield from (f"{each.times} × {each.event}: {each.problem}" for each in transcript.problems)
    if not transcript.problems:
        yield label("log_none", language)
    yield from heading(label("notes", language))
    yield from (label(name, language) for name in NOTES)


def heading(name: str) -> Iterator[str]:
    yield from ("", name, "=" * len(name), "")


def message_lines(recorded: RecordedMessage, transcript: Transcript) -> Iterator[str]:
    message, language = recorded.message, transcript.language
    marks = ", ".join(describe_marks(recorded, transcript))
    yield f"   {format_s(recorded.posted_s, language)}  {message.author}, {message.room}" + (
        f" [{marks}]" if marks else ""
    )
    yield from (f"      {line}" for line in message.text.splitlines())
    yield from (f"      - {line}" for line in message.small_lines)
    if message.files:
        yield f"      {label('files', language)} {', '.join(message.files)}"
    if message.buttons:
        yield f"      {label('buttons', language)} {' '.join(f'[{each}]' for each in message.buttons)}"


def title(transcript: Transcript) -> str:
    return text("cli-selftest-title", transcript.language, platform=transcript.platform.title())


def verdict(transcript: Transcript) -> str:
    language, failed = transcript.language, transcript.failed
    if not failed:
        return text("cli-selftest-passed", language, count=len(transcript.results))
    names = "; ".join(
        f"{each.step.title.in_language(language)} ({describe_outcome(each, language)})" for each in failed
    )
    return text("cli-selftest-failed", language, count=len(failed), names=names)


def describe_outcome(result: StepResult, language: Language) -> str:
    if not result.problems:
        return label("untried" if result.untried else "ok", language)
    return ", ".join(text(f"cli-selftest-problem-{problem}", language) for problem in result.problems)


def describe_marks(recorded: RecordedMessage, transcript: Transcript) -> Iterator[str]:
    """The marks that a platform shows beside a message: that it is a reply, private, changed or deleted."""
    language, message = transcript.language, recorded.message
    if message.root:
        yield text("cli-selftest-mark-reply", language)
    if message.private:
        yield text("cli-selftest-mark-private", language)
    if message.writing:
        yield text("cli-selftest-mark-writing", language)
    if recorded.changes:
        yield text("cli-selftest-mark-changed", language, count=recorded.changes)
    if recorded.deleted_s is not None:
        yield text("cli-selftest-mark-deleted", language, seconds=recorded.deleted_s)


def message_language(recorded: RecordedMessage, transcript: Transcript) -> str:
    """The language of a message's text, for screen readers."""
    steps = {result.step.id: result.step.language for result in transcript.results}
    return f"{steps.get(recorded.step, transcript.language)}-CA"


def summary_rows(transcript: Transcript) -> Iterator[tuple[str, str]]:
    language = transcript.language
    summary = asdict(summarize(transcript))
    yield label("model", language), transcript.model
    yield label("personalities", language), ", ".join(transcript.personalities)
    for name in ("answers", "lost", "doubled", "calls", "refused_calls"):
        yield label(name, language), str(summary[name])
    for name, key in (("acknowledged", "ack"), ("first_words", "words")):
        middle, longest = summary[f"{key}_median_s"], summary[f"{key}_longest_s"]
        if middle is not None:
            values = {"median": middle, "longest": longest}
            yield label(name, language), text("cli-selftest-times", language, **values)


def format_s(value: float | None, language: Language) -> str:
    return "" if value is None else text("cli-selftest-seconds", language, seconds=value)
