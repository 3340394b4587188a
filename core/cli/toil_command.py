"""What `csps-llm toil run` takes: its options, and which of them do not go together. What it does is in `toil`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from core.toil.batch.rows import Format

toil_app = typer.Typer(help="Toil: rows in, JSON out.", no_args_is_help=True)


@toil_app.callback()
def toil() -> None:
    """Toil: rows in, JSON out."""


@toil_app.command("run")
def run_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="One line of JSON for each row.")],
    rows: Annotated[str | None, typer.Argument(help="A CSV or JSON-lines file, or - for stdin.")] = None,
    schema: Annotated[Path | None, typer.Option(help="A JSON Schema that every value conforms to.")] = None,
    prompt_template: Annotated[
        Path | None, typer.Option(help="The prompt, with {column} where a row's value goes; {{ and }} are braces.")
    ] = None,
    openai: Annotated[Path | None, typer.Option(help="A file in OpenAI's Batch format, instead of rows.")] = None,
    personality: Annotated[str | None, typer.Option(help="Who answers; by the locale: whisper or chuchotte.")] = None,
    in_order: Annotated[
        bool, typer.Option("--in-order/--as-they-come", help="Whether the output has the order of the rows.")
    ] = True,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Rows at once; LLM_SLOTS if not given.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For the same answers again.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Of each answer.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, max=2, help="0: always the likeliest word.")] = None,
    force_new: Annotated[bool, typer.Option("--force-new", help="Throw away what the output holds.")] = False,
    file_format: Annotated[Format | None, typer.Option("--format", help="Of the rows; by the file's name.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a CSV file; by its header.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a CSV file, such as cp1252; UTF-8 if not given.")] = None,
) -> None:
    """Ask for every row of a file. A run that was stopped goes on when the same command is given again.

    Exit status: 0 all answered, 3 some rows failed, 2 refused before the start, 1 broken off, 130 stopped.
    """
    if (rows is None) == (openai is None):
        raise typer.BadParameter("give the rows, or --openai with a file of requests")
    if openai is not None and (schema or prompt_template):
        raise typer.BadParameter("--schema and --prompt-template are in each request of an OpenAI file")
    if delimiter is not None and len(delimiter) != 1:
        raise typer.BadParameter("a delimiter is one character")
    from core.cli import toil
    from core.cli.toil_plan import Options
    from core.contract import Sampling

    options = Options(
        rows=openai or (None if rows == "-" or rows is None else Path(rows)),
        output=output,
        personality=personality or toil.whom(os.environ),
        openai=openai is not None,
        schema=schema,
        template=prompt_template,
        sampling=Sampling(temperature=temperature, max_tokens=max_tokens, seed=seed),
        in_order=in_order,
        concurrency=concurrency,
        anew=force_new,
        format=file_format,
        delimiter=delimiter,
        encoding=encoding,
    )
    raise typer.Exit(toil.start(options, os.environ))
