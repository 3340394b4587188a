"""Compiles JSON Schemas to token grammars. The only module that imports `llguidance`.

Compilation runs outside the inference thread and is cached. A schema that llguidance cannot enforce completely is
refused with the reason, never loosened.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from cachetools import LRUCache
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from numpy.typing import NDArray

from core.contract import Json
from core.errors import ModelError, SchemaRefused
from core.model.worker.closing_tokens import ClosingTokens
from core.model.worker.constrained_decoding import ConstrainedDecoder, DrawingTokens
from core.model.worker.llama.vocabulary import Vocabulary
from core.model.worker.number_limits import NumberLimits

LEAST_INTEGER = -(2.0**63)
CACHED_GRAMMARS = 128
NUMBERS_READ_TOKENS = 16_384  # the end of the prompt in which numbers are looked for
# With flexible white space a weak model would write blanks until its budget is used up. With these separators, which
# most JSON in training data has, right values are likelier than without any (decision 0043).
WHITE_SPACE: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class GrammarCompiler:
    """Compiles schemas for one vocabulary. Building the tokenizer takes 0.6 s for 49,000 tokens. Thread-safe."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._size = vocabulary.size
        # llguidance expects byte 0xFF, which no UTF-8 text contains, before control tokens: no string can spell them.
        pieces = [
            b"\xff" + vocabulary.control[t] if t in vocabulary.control else p for t, p in enumerate(vocabulary.pieces)
        ]
        self._tokenizer = LLTokenizer.from_llamacpp(  # type: ignore[attr-defined]
            tokens=pieces,
            vocab_ptr=vocabulary.handle,
            tokenize_fptr=vocabulary.tokenize_pointer,
            eos_token=sorted(vocabulary.end) or vocabulary.eos,
            slices=LLTokenizer.json_slices(),
        )
        self.closing = ClosingTokens(vocabulary.pieces, vocabulary.end)
        self.drawing = DrawingTokens(self.closing, self.tokenize)
        self._compiled: LRUCache[str, LLMatcher] = LRUCache(CACHED_GRAMMARS)
        self._lock = threading.Lock()

    def decoder(self, schema: Mapping[str, Json] | bool, prompt: Sequence[int] = ()) -> ConstrainedDecoder:
        """Returns a fresh constraint for one sequence. Blocks while it compiles. Raises SchemaRefused.

        `prompt`: its tokens; numbers in the answer get no more digits than numbers in it.
        """
        pieces = self.drawing.pieces
        limits = NumberLimits.of(b"".join(pieces[token] for token in prompt[-NUMBERS_READ_TOKENS:]))
        return ConstrainedDecoder(self.matcher(schema), self.drawing, limits)

    def tokenize(self, text: bytes) -> list[int]:
        """Returns the tokens with which the model's own tokenizer spells a text."""
        return list(self._tokenizer.tokenize_bytes(text))

    def matcher(self, schema: Mapping[str, Json] | bool) -> JsonMatcher:
        """Returns the schema's grammar without a token budget. Raises SchemaRefused."""
        key = json.dumps({} if schema is True else schema)
        with self._lock:
            matcher = self._compiled.get(key)
        if matcher is None:
            matcher = self._compile(key)
            with self._lock:
                self._compiled[key] = matcher
        return JsonMatcher(matcher.deep_copy(), self._size)

    def _compile(self, schema: str) -> LLMatcher:
        check_numbers(schema)
        try:
            grammar = LLMatcher.grammar_from_json_schema(schema, overrides=WHITE_SPACE)
        except ValueError as exc:
            raise SchemaRefused(f"the schema is not a JSON object: {exc}") from exc
        limits = LLParserLimits(initial_lexer_fuel=2_000_000, max_grammar_size=500_000, max_lexer_states=100_000)
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0, limits=limits)
        probe = matcher.deep_copy()
        probe.compute_logit_bias()  # {"$ref": "#"} compiles, and fails at its first token
        if probe.is_error():
            raise SchemaRefused(f"the schema cannot be enforced while writing: {error_reason(probe)}")
        return matcher


def check_numbers(schema: str) -> None:
    """Raises SchemaRefused for a number that crashes llguidance 1.9: the least 64-bit integer as a `const`."""

    def check(digits: str) -> None:
        if float(digits) <= LEAST_INTEGER:
            raise SchemaRefused("the schema cannot be enforced while writing: a number is below -2**63")

    json.loads(schema, parse_int=check, parse_float=check)


class JsonMatcher:
    """The position of one sequence in its grammar."""

    def __init__(self, matcher: LLMatcher, n_vocab: int) -> None:
        self._matcher = matcher
        self._mask = np.zeros((n_vocab + 31) // 32, np.uint32)
        self._n_vocab = n_vocab

    def allows(self, token: int) -> bool:
        """Tells whether this token may come next. Takes 3 µs; a full mask takes a hundred times as long."""
        return bool(self._matcher.validate_tokens([token]) == 1)

    def allowed(self) -> NDArray[np.bool_]:
        """Returns the mask of tokens that may come next, of shape (vocabulary,)."""
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        self._check()
        return np.unpackbits(self._mask.view(np.uint8), bitorder="little")[: self._n_vocab].view(np.bool_)

    def accept(self, *tokens: int) -> list[int]:
        """Consumes the tokens and all tokens that the grammar forces after them; returns the forced ones."""
        self._matcher.consume_tokens(list(tokens))
        forced = [] if self._matcher.is_stopped() else self._matcher.compute_ff_tokens()
        if forced:
            self._matcher.consume_tokens(forced)
        self._check()
        return list(forced)

    def count_allowed(self, tokens: Sequence[int]) -> int:
        """Returns how many of these tokens may follow, one after another."""
        return int(self._matcher.validate_tokens(list(tokens)))

    def consume(self, tokens: Sequence[int]) -> bool:
        """Consumes these tokens and no forced ones. False: they may not follow; the position is then of no use."""
        return self._matcher.try_consume_tokens(list(tokens)) == len(tokens)

    def forced_bytes(self) -> bytes:
        """Returns the bytes that must follow, whatever the tokens are that spell them."""
        return b"" if self._matcher.is_stopped() else self._matcher.compute_ff_bytes()

    def copy(self) -> JsonMatcher:
        """Returns an independent copy. Takes one microsecond."""
        return JsonMatcher(self._matcher.deep_copy(), self._n_vocab)

    def ends_by(self, tokens: Sequence[int]) -> bool:
        """Tells whether these tokens may follow and complete the document."""
        probe = self._matcher.deep_copy()
        return probe.try_consume_tokens(list(tokens)) == len(tokens) and bool(probe.is_accepting())

    @property
    def complete(self) -> bool:
        """True if the document is complete and no token may follow."""
        return bool(self._matcher.is_stopped())

    @property
    def may_end(self) -> bool:
        """True if the document is complete, even if more may follow: `1` can become `12`."""
        return bool(self._matcher.is_accepting())

    def _check(self) -> None:
        if self._matcher.is_error():
            raise ModelError(f"the constraint failed while writing: {error_reason(self._matcher)}")


def error_reason(matcher: LLMatcher) -> str:
    """Returns the first line of llguidance's error: state and schema follow it."""
    return matcher.get_error().split("\n", 1)[0]
