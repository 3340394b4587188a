"""The `csps-llm` command. `commands/` declares the subcommands; each imports its own module when it runs.

up              up: startup_checks, procfile, supervisor, merged_log, readiness
chat            chat in the terminal; chat_client speaks the protocol
explain         the prompt of a question, what was looked up for it and what was cut
evaluate        evaluate asks questions with known answers; see core.evaluation
receipts        what an answer was made with, and the same answer again
feedback        list and export people's verdicts
toil run        toil runs a batch; toil_plan checks it first; see core.toil.batch
tune            tune finds the fastest settings; measuring_process is the child that measures
doctor          doctor runs checks, hardware_checks, model_checks and platform_checks
models          list, show, use, remove; model_pull; model_survey finds states, model_host asks the running host
facts           collections of documents; the store is core.rag.facts; facts_refresh and facts_add are child processes
sources         the pages, feeds and searches that answers may use
selftest        selftest starts bindings.selftest, which plays a conversation on a stand-in for a platform
db              database: the revision of the tables
records         retention, holds, exports and deletions of people's records; core.records does them
keys            API keys of programs; core.access keeps them
export          the files to run the service with systemd, in containers or on Kubernetes; core.deployment writes them
manifest        the files that Slack, Teams and Discord need to register the bot
personalities   validate, list
localization    the terminal's language, and help texts in it
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

import typer

from core.cli.commands import app
from core.errors import ConfigError, CspsError
from core.texts import overlay


def main() -> None:
    """Runs the command line. Exit status 2: something must be corrected first, and nothing was started."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale without "│" must not end a command
    try:
        overlay_texts()
        app()
    except CspsError as exc:
        typer.echo(exc.message, err=True)
        sys.exit(2 if isinstance(exc, ConfigError) else 1)


def overlay_texts() -> None:
    """Lays the operator's texts over the shipped ones. Raises ConfigError."""
    if os.environ.get("CSPS_LLM_CONFIG"):  # without it there are none, and this import takes 0.2 s
        from core.configuration.settings import config_folder

        overlay(config_folder(os.environ))
