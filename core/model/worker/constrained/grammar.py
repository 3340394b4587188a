"""Compiles JSON Schemas to token grammars. The only module that imports `llguidance`.

Compilation runs outside the inference thread and is cached. A schema that llguidance cannot enforce completely is
refused with the reason, never loosened. Limits keep the time and the memory of any schema within bounds.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from cachetools import LRUCache
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from numpy.typing import NDArray

from core.contract import Json
from core.errors import ModelError, SchemaRefused
from core.model.worker.constrained.closing_tokens import ClosingTokens
from core.model.worker.constrained.decoder import ConstrainedDecoder, DrawingTokens
from core.model.worker.constrained.divisor_limit import check_divisors
from core.model.worker.constrained.json_tracker import JsonTracker
from core.model.worker.constrained.number_limits import NumberLimits
from core.model.worker.llama.vocabulary import Vocabulary

LEAST_INTEGER = -(2.0**63)
CACHED_GRAMMARS = 64
LIMITS = LLParserLimits(
    initial_lexer_fuel=400_000,  # 511 real schemas need less than 250,000 each; a hostile one ends within 0.3 s
    max_grammar_size=500_000,
    max_items_in_row=20_000,  # the default of 2000 is too small for an object of 600 optional properties
    max_lexer_states=20_000,  # about 10 MB; a grammar that needs more is compiled anew (`CompiledGrammar`)
)
GROWN = "too many states"  # in llguidance's error at `max_lexer_states`
PROBED_TOKENS = 2
COMPLETION_TOKENS = 4096
NUMBERS_READ_TOKENS = 16_384  # the end of the prompt in which numbers are looked for
# With flexible white space a weak model would write blanks until its budget is used up. With these separators, which
# most JSON in training data has, right values are likelier than without any (decision 0043).
WHITE_SPACE: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}

Result = TypeVar("Result")
History = tuple["History", Sequence[int]] | None  # the tokens of a document, the last ones first


class GrammarCompiler:
    """Compiles schemas for one vocabulary. Building the tokenizer takes 0.6 s for 49,000 tokens. Thread-safe."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._size = vocabulary.size
        self._end = min(vocabulary.end, default=vocabulary.eos)
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
        self._compiled: LRUCache[str, CompiledGrammar] = LRUCache(CACHED_GRAMMARS)
        self._lock = threading.Lock()
        self._compiling = threading.Lock()

    def decoder(self, schema: Mapping[str, Json] | bool, prompt: Sequence[int] = ()) -> ConstrainedDecoder:
        """Returns a fresh constraint for one sequence. Blocks while it compiles. Raises SchemaRefused.

        `prompt`: its tokens; numbers in the answer get no more digits than numbers in it.
        """
        pieces = self.drawing.pieces
        limits = NumberLimits.of(b"".join(pieces[token] for token in prompt[-NUMBERS_READ_TOKENS:]))
        grammar = self._grammar(schema)
        return ConstrainedDecoder(self._start(grammar), self.drawing, limits, self._completion(grammar))

    def tokenize(self, text: bytes) -> list[int]:
        """Returns the tokens with which the model's own tokenizer spells a text."""
        return list(self._tokenizer.tokenize_bytes(text))

    def matcher(self, schema: Mapping[str, Json] | bool) -> JsonMatcher:
        """Returns the schema's grammar without a token budget. Raises SchemaRefused."""
        return self._start(self._grammar(schema))

    def _start(self, grammar: CompiledGrammar) -> JsonMatcher:
        return JsonMatcher(grammar, grammar.root, self._size)

    def _grammar(self, schema: Mapping[str, Json] | bool) -> CompiledGrammar:
        key = json.dumps({} if schema is True else schema)
        grammar = self._cached(key)
        if grammar is None:
            # One at a time: hostile schemas get one core, and requests with the same new schema compile it once.
            with self._compiling:
                grammar = self._cached(key)
                if grammar is None:
                    grammar = CompiledGrammar(lambda: self._compile(key), self._end)
                    with self._lock:
                        self._compiled[key] = grammar
        return grammar

    def _completion(self, grammar: CompiledGrammar) -> list[int] | None:
        """Returns tokens that complete an empty document; None if a simple search finds none."""
        if not grammar.searched:
            start = self._start(grammar)
            grammar.completion = self.closing.find_completion(start, JsonTracker(), COMPLETION_TOKENS)
            grammar.searched = True
        return grammar.completion

    def _cached(self, key: str) -> CompiledGrammar | None:
        with self._lock:
            return self._compiled.get(key)

    def _compile(self, schema: str) -> LLMatcher:
        check_numbers(schema)
        check_divisors(json.loads(schema))
        try:
            grammar = LLMatcher.grammar_from_json_schema(schema, overrides=WHITE_SPACE)
        except ValueError as exc:
            raise SchemaRefused(f"the schema is not a JSON object: {exc}") from exc
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0, limits=LIMITS)
        if reason := self._probe(matcher.deep_copy()):
            raise SchemaRefused(f"the schema cannot be enforced while writing: {reason}")
        return matcher

    def _probe(self, matcher: LLMatcher) -> str:
        """Writes the first tokens; returns the reason if that fails. {"$ref": "#"} compiles, and then fails."""
        for _ in range(PROBED_TOKENS):
            allowed = np.frombuffer(matcher.compute_logit_bias(), np.uint8)[: self._size].astype(np.bool_)
            token = None if matcher.is_error() else self.closing.best(allowed, inside=False)
            if token is None or token in self.closing.end:
                break
            matcher.consume_token(token)
            matcher.consume_tokens(matcher.compute_ff_tokens())
        return error_reason(matcher) if matcher.is_error() else ""


class CompiledGrammar:
    """The grammar of one schema, shared by all documents under it. Thread-safe.

    llguidance keeps the states of its lexer for all documents together, and each token of a string with a `maxLength`
    in the thousands adds some. At the limit, every further document would fail; so the grammar is then compiled anew.

    `end`: a token that ends documents. `completion`: tokens that complete an empty one, once they were searched.
    """

    def __init__(self, build: Callable[[], LLMatcher], end: int | None) -> None:
        self._build = build
        self.end = end
        self.completion: list[int] | None = None
        self.searched = False
        self._lock = threading.Lock()
        self.root = build()

    def renew(self, grown: LLMatcher) -> LLMatcher:
        """Returns a root without the states of `grown`, which was the root before."""
        with self._lock:
            if self.root is grown:
                self.root = self._build()
            return self.root


def check_numbers(schema: str) -> None:
    """Raises SchemaRefused for a number that crashes llguidance 1.9: the least 64-bit integer as a `const`."""

    def check(digits: str) -> None:
        if float(digits) <= LEAST_INTEGER:
            raise SchemaRefused("the schema cannot be enforced while writing: a number is below -2**63")

    json.loads(schema, parse_int=check, parse_float=check)


class JsonMatcher:
    """The position of one sequence in its grammar. `root`: the grammar's, at the beginning of the document."""

    def __init__(
        self,
        grammar: CompiledGrammar,
        root: LLMatcher,
        n_vocab: int,
        matcher: LLMatcher | None = None,
        history: History = None,
    ) -> None:
        self._grammar = grammar
        self._root = root
        self._matcher = matcher or root.deep_copy()
        self._history = history
        self._n_vocab = n_vocab

    def allows(self, token: int) -> bool:
        """Tells whether this token may come next. Takes 3 µs; a full mask takes a hundred times as long."""
        return self.count_allowed([token]) == 1

    def allowed(self) -> NDArray[np.bool_]:
        """Returns the mask of tokens that may come next, of shape (vocabulary,)."""
        mask = np.empty((self._n_vocab + 31) // 32, np.uint32)
        self._run(lambda matcher: matcher.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes))
        self._check()
        return np.unpackbits(mask.view(np.uint8), bitorder="little")[: self._n_vocab].view(np.bool_)

    def accept(self, *tokens: int) -> list[int]:
        """Consumes the tokens and all tokens that the grammar forces after them; returns the forced ones."""
        self._consume(tokens)
        forced = [] if self._matcher.is_stopped() else self._run(LLMatcher.compute_ff_tokens)
        if forced:
            self._consume(forced)
        self._check()
        return list(forced)

    def count_allowed(self, tokens: Sequence[int]) -> int:
        """Returns how many of these tokens may follow, one after another."""
        return self._run(lambda matcher: matcher.validate_tokens(list(tokens)))

    def consume(self, tokens: Sequence[int]) -> bool:
        """Consumes these tokens and no forced ones. False: they may not follow; the position is then of no use."""
        return self._try_consume(tokens) == len(tokens)

    def forced_bytes(self) -> bytes:
        """Returns the bytes that must follow, whatever the tokens are that spell them."""
        return b"" if self._matcher.is_stopped() else self._run(LLMatcher.compute_ff_bytes)

    def copy(self) -> JsonMatcher:
        """Returns an independent copy. Takes one microsecond."""
        return JsonMatcher(self._grammar, self._root, self._n_vocab, self._matcher.deep_copy(), self._history)

    def ends_by(self, tokens: Sequence[int]) -> bool:
        """Tells whether these tokens may follow and complete the document. Takes 15 µs for 100 tokens."""
        if not tokens:
            return self.may_end
        if self._grammar.end is None:
            probe = self.copy()
            return probe.consume(tokens) and probe.may_end
        return self.count_allowed([*tokens, self._grammar.end]) == len(tokens) + 1

    @property
    def complete(self) -> bool:
        """True if the document is complete and no token may follow."""
        return bool(self._matcher.is_stopped())

    @property
    def may_end(self) -> bool:
        """True if the document is complete, even if more may follow: `1` can become `12`."""
        return bool(self._matcher.is_accepting())

    def _consume(self, tokens: Sequence[int]) -> None:
        self._run(lambda matcher: matcher.consume_tokens(list(tokens)))
        self._history = (self._history, tokens)

    def _try_consume(self, tokens: Sequence[int]) -> int:
        count = self._run(lambda matcher: matcher.try_consume_tokens(list(tokens)))
        self._history = (self._history, tokens[:count])
        return count

    def _run(self, operation: Callable[[LLMatcher], Result]) -> Result:
        """Runs an operation; once more, at the same position in a renewed grammar, if this one has grown too large.

        llguidance reports that for masks and consumed tokens. Validated tokens are only refused, and a mask follows.
        """
        result = operation(self._matcher)
        if self._matcher.is_error() and GROWN in self._matcher.get_error():
            self._root = self._grammar.renew(self._root)
            self._matcher = self._root.deep_copy()
            self._matcher.consume_tokens(tokens_of(self._history))
            result = operation(self._matcher)
        return result

    def _check(self) -> None:
        if self._matcher.is_error():
            raise ModelError(f"the constraint failed while writing: {error_reason(self._matcher)}")


def tokens_of(history: History) -> list[int]:
    runs: list[Sequence[int]] = []
    while history is not None:
        history, run = history
        runs.append(run)
    return [token for run in reversed(runs) for token in run]


def error_reason(matcher: LLMatcher) -> str:
    """Returns the first line of llguidance's error: state and schema follow it."""
    return matcher.get_error().split("\n", 1)[0]
