"""`csps-llm doctor`: runs every check, and prints the findings as a table or as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.cli import checks, hardware_checks, model_checks
from core.cli.engine_checks import check_engines
from core.cli.facts_check import check_facts
from core.cli.findings import Finding, FindingBuilder
from core.cli.localization import locale_language
from core.cli.platform_checks import check_platforms
from core.contract import Language
from core.texts import text

STYLES = {"ok": "green", "warn": "yellow", "problem": "bold red"}


def doctor(environ: Mapping[str, str], *, as_json: bool) -> int:
    """Returns the exit status: 1 if there is a problem."""
    language = locale_language(environ)
    findings = asyncio.run(run_checks(environ, FindingBuilder(language)))
    if as_json:
        json.dump([asdict(finding) for finding in findings], sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    else:
        print_table(findings, language)
    return int(any(finding.state == "problem" for finding in findings))


async def run_checks(environ: Mapping[str, str], build: FindingBuilder) -> list[Finding]:
    """Runs all checks that the settings allow, in the order of the table."""
    findings, settings = checks.check_settings(build, environ)
    findings = [*checks.check_versions(build), *hardware_checks.check_hardware(build), *findings]
    if settings is None:
        return findings
    findings += [*hardware_checks.check_cores(build, settings), *await checks.check_personalities(build, settings)]
    findings += await check_engines(build, settings)
    if not settings.model.url:
        findings += [*model_checks.check_models(build, settings), *model_checks.check_checksum(build)]
    findings += [*await checks.check_port(build, settings), *checks.check_disk(build, settings)]
    findings += [*await checks.check_database(build, settings), *await check_facts(build, settings)]
    return [*findings, *await check_platforms(build, settings)]


def print_table(findings: Sequence[Finding], language: Language) -> None:
    # Paths are long. A file or pipe has no width to cut them to.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    table = Table(*(text(f"cli-doctor-{column}", language) for column in ("check", "state", "found", "advice")))
    for finding in findings:
        state = Text(text(f"cli-doctor-{finding.state}", language), STYLES[finding.state])
        table.add_row(finding.check, state, Text(finding.found, overflow="fold"), Text(finding.advice))
    console.print(table)
    problems = sum(finding.state == "problem" for finding in findings)
    console.print(text("cli-doctor-result", language, count=problems))
