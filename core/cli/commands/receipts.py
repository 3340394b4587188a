"""`csps-llm receipts`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.command_groups import build_group, command

group = build_group("cli-help-receipts")

ReceiptId = Annotated[str, typer.Argument(help="cli-help-receipt")]
AsJson = Annotated[bool, typer.Option("--json", help="cli-help-json")]


@command(group, "show", "cli-help-receipts-show", takes_dashes=True)
def show_receipt(receipt: ReceiptId, as_json: AsJson = False) -> None:
    from core.cli import receipts

    receipts.show(receipt, as_json=as_json)


@command(group, "replay", "cli-help-receipts-replay", takes_dashes=True)
def replay_answer(receipt: ReceiptId, as_json: AsJson = False) -> None:
    from core.cli import receipts

    raise typer.Exit(receipts.replay(receipt, as_json=as_json))
