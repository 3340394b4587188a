"""Writes people's verdicts for spreadsheets, for programs, and as an evaluation set. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from core.contract import Json
from core.feedback.entries import FeedbackEntry
from core.feedback.filters import ExportFormat

FIELDS = ("at", "channel", "verdict", "comment", "personality", "model", "receipt", "question", "answer")
# A spreadsheet runs a cell that begins so as a formula, also after blanks (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MARK = "\ufeff"  # Excel takes a file without it for one of the machine's old encoding


def write_feedback(entries: Iterable[FeedbackEntry], form: ExportFormat) -> str:
    if form == "csv":
        return write_csv(entries)
    if form == "json":
        return json.dumps([to_json(each) for each in entries], ensure_ascii=False, indent=2) + "\n"
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in evaluation_rows(entries))


def write_csv(entries: Iterable[FeedbackEntry]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(FIELDS)
    for entry in entries:
        writer.writerow([disarm(str(value or "")) for value in to_json(entry).values()])
    return MARK + out.getvalue()


def disarm(cell: str) -> str:
    """The cell as text: an apostrophe in front of what a spreadsheet would run."""
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(FORMULA_STARTS) or cell.startswith(FORMULA_STARTS) else cell


def to_json(entry: FeedbackEntry) -> dict[str, Json]:
    return {name: entry.at.isoformat() if name == "at" else getattr(entry, name) for name in FIELDS}


def evaluation_rows(entries: Iterable[FeedbackEntry]) -> Iterable[dict[str, Json]]:
    """The rows of `csps-llm evaluate`: one for each question whose conversation is kept.

    A helpful answer is what is expected again. For another one, an expert writes `expected`.
    """
    for entry in entries:
        if entry.question is None or not entry.answer:
            continue
        expected: dict[str, Json] = (
            {"expected": entry.answer} if entry.verdict == "good" else {"rejected": entry.answer}
        )
        known: dict[str, Json] = {"comment": entry.comment, "personality": entry.personality, "model": entry.model}
        yield {"id": entry.receipt, "question": entry.question, **expected, "verdict": entry.verdict, **known}
