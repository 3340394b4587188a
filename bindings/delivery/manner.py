"""How one answer is to be delivered, and what became of it. Values; nothing here acts.

`Means` is what all deliveries of a process share, `Manner` what is particular to one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bindings.delivery.health import Health
from bindings.delivery.pace import Pace
from core.contract import Done, Language
from core.runtime.backoff import Backoff

Ending = Literal["delivered", "stopped", "failed", "withdrawn", "gone", "refused", "undelivered"]


@dataclass(frozen=True, slots=True)
class Patience(Backoff):
    """With a platform that fails. Backoff doubles from `first_s` to `limit_s`; a Retry-After is honoured in full."""

    final_s: float = 600.0  # without any success, after the answer is whole; while it is written there is no limit
    call_s: float = 60.0  # the deadline of one call; then it may or may not have been done


@dataclass(frozen=True, slots=True)
class Means:
    """What the deliveries of one process share."""

    pace: Pace = field(default_factory=Pace)
    health: Health = field(default_factory=Health)
    patience: Patience = field(default_factory=Patience)
    status_after_s: float = 1.5  # what is waited for is posted only then, so that quick answers do not flicker
    answer_limit_chars: int = 200_000  # an engine that never ends is cut there


def no_footer(model: str | None) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Manner:
    """`stop`: the person stopped it; it ends with a note. `withdrawn`: the question was deleted; it ends quietly."""

    language: Language
    answer: str  # its id, for buttons and nonces
    channel: str = ""  # whatever the platform counts posts by; "": this answer alone
    footer: Callable[[str | None], str] = (
        no_footer  # of the model's name; None: not known, as it did not come to its end
    )
    notice: str | None = None  # what a person is told at the first contact
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    withdrawn: asyncio.Event = field(default_factory=asyncio.Event)
    means: Means = field(default_factory=Means)

    def nonce(self, number: int) -> str:
        """Of page `number`, from 1."""
        return f"{self.answer}-{number}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a delivery.

    ending:
    - delivered     whole, or cut by the token budget with a note
    - stopped       by the person; what was written stands, with a note
    - failed        the engine failed; the person was told
    - withdrawn     the question was deleted, and with it what was posted
    - gone          there is nobody and nothing left to tell
    - refused       the platform takes it in no form; it was logged
    - undelivered   the platform stayed down: try again, with the same ledger, when it is back
    """

    ending: Ending
    chars: int = 0  # of the model's text
    edits: int = 0
    posts: int = 0
    done: Done | None = None
