"""From chat messages to tokens: the model's template, honest about whose text is whose, held to the context window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import PromptTooLong
from core.model.chat_template import ChatTemplate
from core.model.llama.runner import LlamaRunner
from core.openai.chat_protocol import Message

CHARACTERS_PER_TOKEN_LIMIT = 64  # no text averages longer tokens; one that is sure not to fit need not be tokenised


@dataclass(frozen=True, slots=True)
class TokenPrompt:
    """`shared` is the length of the part that other requests to the same personality begin with.

    `opening`: what of the answer the prompt ends with, and the model will not write.
    """

    tokens: NDArray[np.int32]
    shared: int
    opening: str


class PromptTokenizer:
    """Builds prompts for one model. Thread-safe: it only reads."""

    def __init__(self, runner: LlamaRunner) -> None:
        vocabulary = runner.vocabulary
        self._runner = runner
        self._bos = vocabulary.bos if vocabulary.add_bos else None
        self._template = ChatTemplate(
            vocabulary.chat_template,
            bos=vocabulary.written(vocabulary.bos),
            eos=vocabulary.written(vocabulary.eos),
        )
        self.window = runner.window

    def chat(self, messages: Sequence[Message], *, thinks: bool = True) -> TokenPrompt:
        """The prompt for these messages. Raises BadRequest, or PromptTooLong if no answer would fit behind it."""
        size = sum(len(message.content) for message in messages)
        if size > self.window * CHARACTERS_PER_TOKEN_LIMIT:
            raise PromptTooLong(
                f"the prompt has {size} characters; the context window of {self.window} tokens cannot hold that",
                limit=self.window,
            )
        prompt = self.tokenize(messages, thinks=thinks)
        if len(prompt.tokens) >= self.window:
            raise PromptTooLong(
                f"the prompt takes {len(prompt.tokens)} tokens; the context window holds {self.window}, "
                "and the answer needs some of them",
                tokens=len(prompt.tokens),
                limit=self.window,
            )
        return prompt

    def tokenize(self, messages: Sequence[Message], *, thinks: bool = True) -> TokenPrompt:
        """The prompt, however long. Raises BadRequest if the template cannot write these messages."""
        rendered = self._template.render(messages, thinks=thinks)
        tokens: list[int] = []
        shared = 0
        for index, part in enumerate(rendered.parts):
            if index == rendered.shared_parts:
                shared = len(tokens)
            tokens += self._runner.tokenize(part.text, special=part.trusted)
        if self._bos is not None and tokens[:1] != [self._bos]:
            tokens.insert(0, self._bos)
            shared += 1
        return TokenPrompt(np.asarray(tokens, np.int32), shared, rendered.opening)

    def text(self, text: str) -> list[int]:
        """A person's text as tokens, never as control tokens."""
        return self._runner.tokenize(text, special=False)

    def embedding(self, text: str) -> list[int]:
        """A text as an embedder wants it, between the tokens that the model begins and ends a text with."""
        return self._runner.tokenize(text, special=False, add_special=True)
