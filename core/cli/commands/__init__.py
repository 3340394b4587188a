"""The subcommands of `csps-llm`: names, options and arguments, one module for each group. `app` is the whole command.

Help texts are keys, which `localization` replaces. Each body imports what it runs, so that `--help` and light commands
need not import the heavy modules.
"""

from __future__ import annotations

from core.cli.commands import (
    database,
    export,
    facts,
    feedback,
    keys,
    manifest,
    models,
    personalities,
    receipts,
    records,
    service,
    sources,
    toil,
)

app = service.group
for module, name in (
    (toil, "toil"),
    (personalities, "personalities"),
    (facts, "facts"),
    (sources, "sources"),
    (models, "models"),
    (feedback, "feedback"),
    (receipts, "receipts"),
    (manifest, "manifest"),
    (database, "db"),
    (records, "records"),
    (keys, "keys"),
    (export, "export"),
):
    app.add_typer(module.group, name=name)
