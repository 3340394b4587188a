"""Fixed limits of the web process. Those that an operator can change are in `core.configuration.settings`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    target_bytes: int = 16_384  # a request's path with its query
    line_bytes: int = 65_536  # a request line that is not even parsed; above target_bytes, so that 414 can say why
    send_timeout_s: float = 30.0  # for a client to take what was sent
    heartbeat_s: float = 20.0  # between pings on a socket; a pong is due within half of it
    close_timeout_s: float = 2.0  # for a client to answer a closing frame
    waiting_prompts: int = 8  # on one socket, beside the one that is being answered
    files: int = 4  # held in memory at once, each of WEB_FILE_LIMIT at most
    batch_rows: int = 16  # of one batch, answered at once; `create_app` takes it from LLM_SLOTS
    retry_after_s: float = 5.0  # what a refused caller is told
    grace_s: float = 3.0  # after the drain: for last frames to leave
