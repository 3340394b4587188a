"""Finds the special tokens that a chat template writes, so that the text between two of them is tokenised in one piece.

A tokenizer joins neighbouring characters, and a SentencePiece tokenizer may put a blank in front of each text. A prompt
that is tokenised part by part has other tokens than in training. llama.cpp splits a prompt at its special tokens alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.model.worker.chat_template import PromptPart
from core.model.worker.llama.vocabulary import Vocabulary

BLANKS = " \t\n\v\f\r"  # the characters that a token with the attribute "lstrip" or "rstrip" removes


@dataclass(slots=True)
class SplitPrompt:
    """A prompt as texts and the special tokens between them.

    `border`: the place where the system message's part ends, as a number of pieces and of characters in the next one.
    """

    pieces: list[str | int] = field(default_factory=list)
    border: tuple[int, int] = (0, 0)

    def add_text(self, text: str) -> None:
        if self.pieces and isinstance(self.pieces[-1], str):
            self.pieces[-1] += text
        elif text:
            self.pieces.append(text)

    def mark_border(self) -> None:
        last = self.pieces[-1] if self.pieces else 0
        self.border = (len(self.pieces) - 1, len(last)) if isinstance(last, str) else (len(self.pieces), 0)


class SpecialTokens:
    """The special tokens of one vocabulary, by the names that templates write."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        named = {**vocabulary.control, **{token: vocabulary.pieces[token] for token in vocabulary.added}}
        self.by_name = {name.decode("utf-8", "replace"): token for token, name in named.items() if name}
        self._strips_left = vocabulary.strips_left
        self._strips_right = vocabulary.strips_right
        longest_first = sorted(self.by_name, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def split(self, parts: Sequence[PromptPart], system_parts: int) -> SplitPrompt:
        """Splits at the special tokens of trusted parts; people's text holds none."""
        prompt = SplitPrompt()
        for index, part in enumerate(parts):
            if index == system_parts:
                prompt.mark_border()
            if part.trusted:
                self._split_trusted(part.text, prompt)
            else:
                self._add_text(part.text, prompt)
        return prompt

    def _split_trusted(self, text: str, prompt: SplitPrompt) -> None:
        end = 0
        for found in self._pattern.finditer(text):
            self._add_text(text[end : found.start()], prompt)
            end = found.end()
            self._add_token(self.by_name[found[0]], prompt)
        self._add_text(text[end:], prompt)

    def _add_text(self, text: str, prompt: SplitPrompt) -> None:
        last = prompt.pieces[-1] if prompt.pieces else ""
        prompt.add_text(text.lstrip(BLANKS) if last in self._strips_right else text)

    def _add_token(self, token: int, prompt: SplitPrompt) -> None:
        last = prompt.pieces[-1] if prompt.pieces else 0
        if isinstance(last, str) and token in self._strips_left:
            prompt.pieces[-1] = last.rstrip(BLANKS)
        prompt.pieces.append(token)
