"""Turns chat messages into prompt tokens with the model's chat template, and checks the context window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import PromptTooLong
from core.model.worker.chat_template import ChatTemplate
from core.model.worker.fallback_template import choose_template
from core.model.worker.llama.runner import LlamaRunner
from core.model.worker.prefix_cache import common_prefix
from core.model.worker.special_tokens import SpecialTokens, SplitPrompt
from core.openai.chat_protocol import Message

MAX_CHARS_PER_TOKEN = 64  # no text averages longer tokens, so a longer prompt is refused without tokenising it


@dataclass(frozen=True, slots=True)
class TokenPrompt:
    """A tokenised prompt.

    `system_tokens`: length of the system message's part, with which other requests begin too. `answer_prefix`: the
    beginning of the answer that stands at the prompt's end, so that the model does not write it.
    """

    tokens: NDArray[np.int32]
    system_tokens: int
    answer_prefix: str


class PromptTokenizer:
    """Builds prompts for one model. Thread-safe, because it only reads."""

    def __init__(self, runner: LlamaRunner) -> None:
        vocabulary = runner.vocabulary
        self._runner = runner
        self._bos = vocabulary.bos if vocabulary.add_bos else None
        self._special = SpecialTokens(vocabulary)
        fallback, stop = choose_template(self._special.by_name)
        self.stop = () if vocabulary.chat_template else stop  # strings that end every answer
        self._template = ChatTemplate(
            vocabulary.chat_template or fallback,
            bos=vocabulary.template_text(vocabulary.bos),
            eos=vocabulary.template_text(vocabulary.eos),
        )
        self.window = runner.window

    def chat(self, messages: Sequence[Message], *, thinks: bool = True) -> TokenPrompt:
        """Builds the prompt. Raises BadRequest, or PromptTooLong if it leaves no room for an answer."""
        size = sum(len(message.content) for message in messages)
        if size > self.window * MAX_CHARS_PER_TOKEN:
            raise PromptTooLong(
                f"the prompt has {size} characters, too many for the context window of {self.window} tokens",
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
        """Builds the prompt without checking its length. Raises BadRequest if the template refuses the messages."""
        rendered = self._template.render(messages, thinks=thinks)
        prompt = self._special.split(rendered.parts, rendered.system_parts)
        tokens: list[int] = []
        system_tokens = 0
        for index, piece in enumerate(prompt.pieces):
            piece_tokens = self.text(piece) if isinstance(piece, str) else [piece]
            if index == prompt.border[0]:
                system_tokens = len(tokens) + self._tokens_before_border(prompt, piece_tokens)
            tokens += piece_tokens
        if self._bos is not None and tokens[:1] != [self._bos]:
            tokens.insert(0, self._bos)
            system_tokens += bool(system_tokens)
        return TokenPrompt(np.asarray(tokens, np.int32), system_tokens, rendered.answer_prefix)

    def _tokens_before_border(self, prompt: SplitPrompt, tokens: list[int]) -> int:
        """Counts the tokens before the system part's end in the piece with these tokens: one may span the border."""
        index, chars = prompt.border
        piece = prompt.pieces[index]
        if not isinstance(piece, str) or not chars:
            return 0
        own = self.text(piece[:chars])
        return common_prefix(np.asarray(own, np.int32), np.asarray(tokens, np.int32))

    def text(self, text: str) -> list[int]:
        """Tokenises a user's text. It never yields control tokens."""
        return self._runner.tokenize(text, special=False)

    def embedding(self, text: str) -> list[int]:
        """Tokenises a text for an embedder, between the model's begin and end tokens."""
        return self._runner.tokenize(text, special=False, add_special=True)
