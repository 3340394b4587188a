"""Limits a sequence's tokens to what a JSON Schema allows. The only module that imports `llguidance`.

Compiling happens off the inference thread and is cached; a schema that llguidance cannot enforce whole is refused with
its reason, never loosened.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence

import numpy as np
from cachetools import LRUCache
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from numpy.typing import NDArray

from core.contract import Json
from core.errors import ModelError, SchemaRefused
from core.model.constrained_decoding import ClosingTokens, ConstrainedDecoder
from core.model.vocabulary import Vocabulary

CACHED_GRAMMARS = 128


class GrammarCompiler:
    """Compiles schemas for one vocabulary; building the tokenizer takes 0.6 s for 49,000 tokens, once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._size = vocabulary.size
        # llguidance wants control tokens marked by a byte that no UTF-8 text has, so that a string cannot spell them.
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
        self.endings = ClosingTokens(vocabulary.pieces, vocabulary.end)
        self._compiled: LRUCache[str, LLMatcher] = LRUCache(CACHED_GRAMMARS)
        self._lock = threading.Lock()

    def steering(self, schema: Mapping[str, Json] | bool) -> ConstrainedDecoder:
        """A fresh constraint for one sequence. Blocks while it compiles. Raises SchemaRefused."""
        return ConstrainedDecoder(self.constraint(schema), self.endings)

    def constraint(self, schema: Mapping[str, Json] | bool) -> JsonMatcher:
        """The bare grammar of `steering`, without a budget."""
        key = json.dumps({} if schema is True else schema)
        with self._lock:
            matcher = self._compiled.get(key)
        if matcher is None:
            matcher = self._compile(key)
            with self._lock:
                self._compiled[key] = matcher
        return JsonMatcher(matcher.deep_copy(), self._size)

    def _compile(self, schema: str) -> LLMatcher:
        try:
            # Flexible white space would let a weak model write blanks until its budget is gone.
            grammar = LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
        except ValueError as exc:
            raise SchemaRefused(f"the schema is not a JSON object: {exc}") from exc
        limits = LLParserLimits(initial_lexer_fuel=2_000_000, max_grammar_size=500_000, max_lexer_states=100_000)
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0, limits=limits)
        begun = matcher.deep_copy()
        begun.compute_logit_bias()  # {"$ref": "#"} compiles, and fails at its first token
        if begun.is_error():
            raise SchemaRefused(f"the schema cannot be enforced while writing: {reason_of(begun)}")
        return matcher


class JsonMatcher:
    """The state of one sequence in its grammar."""

    def __init__(self, matcher: LLMatcher, n_vocab: int) -> None:
        self._matcher = matcher
        self._mask = np.zeros((n_vocab + 31) // 32, np.uint32)
        self._n_vocab = n_vocab

    def allows(self, token: int) -> bool:
        """Whether this token may come next: 3 µs, where a whole mask costs a hundred times that."""
        return bool(self._matcher.validate_tokens([token]) == 1)

    def allowed(self) -> NDArray[np.bool_]:
        """Which tokens may come next, by token."""
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        self._check()
        return np.unpackbits(self._mask.view(np.uint8), bitorder="little")[: self._n_vocab].view(np.bool_)

    def accept(self, token: int) -> list[int]:
        """Take the token; the tokens that the grammar forces after it, already taken too."""
        self._matcher.consume_token(token)
        forced = [] if self._matcher.is_stopped() else self._matcher.compute_ff_tokens()
        if forced:
            self._matcher.consume_tokens(forced)
        self._check()
        return list(forced)

    def copy(self) -> JsonMatcher:
        """As it stands now; what the copy takes does not concern this one. Costs a microsecond."""
        return JsonMatcher(self._matcher.deep_copy(), self._n_vocab)

    def ends_by(self, tokens: Sequence[int]) -> bool:
        """Whether these tokens may follow, and make the document whole."""
        probe = self._matcher.deep_copy()
        return probe.try_consume_tokens(list(tokens)) == len(tokens) and bool(probe.is_accepting())

    @property
    def whole(self) -> bool:
        """The document is whole and nothing may follow."""
        return bool(self._matcher.is_stopped())

    @property
    def may_end(self) -> bool:
        """The document is whole, though more might follow: `1` may become `12`."""
        return bool(self._matcher.is_accepting())

    def _check(self) -> None:
        if self._matcher.is_error():
            raise ModelError(f"the constraint failed while writing: {reason_of(self._matcher)}")


def reason_of(matcher: LLMatcher) -> str:
    """What llguidance says went wrong, without the state and the schema that it puts below."""
    return matcher.get_error().split("\n", 1)[0]
