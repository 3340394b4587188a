"""`csps-llm doctor`: every check as a row of a table, or as JSON. What is looked at is in `checks`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.cli import checks
from core.cli.check_words import WORDS
from core.cli.report import Finding
from core.cli.words import Words, language_of

STYLES = {"ok": "green", "warn": "yellow", "problem": "bold red"}


def doctor(environ: Mapping[str, str], *, as_json: bool) -> int:
    """The exit status: 1 if there is any problem."""
    words = Words(WORDS, language_of(environ))
    findings = asyncio.run(checks.all_of(environ, words))
    if as_json:
        json.dump([asdict(finding) for finding in findings], sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    else:
        show(findings, words)
    return int(any(finding.state == "problem" for finding in findings))


def show(findings: Sequence[Finding], words: Words) -> None:
    # Paths are long: what a file or a pipe receives is not cut to the width of no terminal.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    table = Table(*(words(column) for column in ("check", "state", "found", "advice")))
    for finding in findings:
        state = Text(words(finding.state), STYLES[finding.state])
        table.add_row(finding.check, state, Text(finding.found, overflow="fold"), Text(finding.advice))
    console.print(table)
    problems = sum(finding.state == "problem" for finding in findings)
    console.print(words("some_problems", count=problems) if problems else words("all_well"))
