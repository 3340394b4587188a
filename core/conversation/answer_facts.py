"""The facts of an answer that only its generation knows: the prompt as the model got it, and the model. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from core.conversation.window import FittedPrompt
from core.model.client.served_models import ModelInfo


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """`engine`: host, port and path of a remote engine, once it has answered. `restarts`: deaths of the model."""

    fitted: FittedPrompt
    model: ModelInfo
    engine: str | None = None
    fingerprint: str | None = None
    restarts: int = 0
