"""Recorded events of Discord from payloads/discord, with the ids in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RawPayload = dict[str, Any]
PAYLOADS = Path(__file__).parent / "payloads" / "discord"


def payload(name: str, **changes: Any) -> RawPayload:
    """Returns a recorded event with some fields changed."""
    return {**json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8")), **changes}


ME: RawPayload = payload("ready")["user"]
GUILD = str(payload("guild_create")["id"])
CHANNEL = str(payload("guild_create")["channels"][0]["id"])
THREAD = str(payload("guild_create")["threads"][0]["id"])
DM = str(payload("message_dm")["channel_id"])
ALICE: RawPayload = payload("message_dm")["author"]
