"""`csps-llm toil`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from core.cli.command_groups import bad_parameter, build_group, command
from core.toil.batch.rows import RowFormat

group = build_group("cli-help-toil")


@command(group, "run", "cli-help-toil-run")
def run_batch(
    output: Annotated[Path, typer.Option("--output", "-o", help="cli-help-output")],
    rows: Annotated[str | None, typer.Argument(help="cli-help-rows")] = None,
    schema: Annotated[Path | None, typer.Option(help="cli-help-schema")] = None,
    prompt_template: Annotated[Path | None, typer.Option(help="cli-help-prompt_template")] = None,
    openai: Annotated[Path | None, typer.Option(help="cli-help-openai")] = None,
    personality: Annotated[str | None, typer.Option(help="cli-help-personality")] = None,
    in_order: Annotated[bool, typer.Option("--in-order/--as-they-come", help="cli-help-in_order")] = True,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=1024, metavar="<int>", help="cli-help-concurrency")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="cli-help-seed")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, metavar="<int>", help="cli-help-max_tokens")] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, max=2, metavar="<float>", help="cli-help-temperature")
    ] = None,
    force_new: Annotated[bool, typer.Option("--force-new", help="cli-help-force_new")] = False,
    file_format: Annotated[RowFormat | None, typer.Option("--format", help="cli-help-format")] = None,
    delimiter: Annotated[str | None, typer.Option(help="cli-help-delimiter")] = None,
    encoding: Annotated[str | None, typer.Option(help="cli-help-encoding")] = None,
) -> None:
    if (rows is None) == (openai is None):
        raise bad_parameter("cli-usage-rows")
    if openai is not None and (schema or prompt_template):
        raise bad_parameter("cli-usage-openai")
    if delimiter is not None and len(delimiter) != 1:
        raise bad_parameter("cli-usage-delimiter")
    from core.cli import toil
    from core.cli.toil_plan import BatchOptions
    from core.contract import Sampling

    options = BatchOptions(
        rows=openai or (None if rows is None or rows == "-" else Path(rows)),
        output=output,
        personality=personality or toil.default_personality(os.environ),
        openai=openai is not None,
        schema=schema,
        template=prompt_template,
        sampling=Sampling(temperature=temperature, max_tokens=max_tokens, seed=seed),
        in_order=in_order,
        concurrency=concurrency,
        force_new=force_new,
        format=file_format,
        delimiter=delimiter,
        encoding=encoding,
    )
    raise typer.Exit(toil.start(options, os.environ))
