"""A loaded model with its context: decode, logits, embeddings, sequence states.

Only the inference thread may call it, except for `tokenize`, which any thread may call. Knows no requests, no text and
no policy: scheduling, caching and eviction are decided elsewhere.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import llama_cpp
import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray

from core.contract import Sampling
from core.errors import ModelError
from core.model.worker.llama.sampler import SamplerChain, TokenCandidates, make_sampler
from core.model.worker.llama.sliding_window import WholeSequences, pack, unpack
from core.model.worker.llama.vocabulary import read_vocabulary
from core.model.worker.options import SEQUENCE_LIMIT

Tokens = NDArray[np.int32]
SequenceState = NDArray[np.uint8]

BATCH_TOKENS = 512
EMBEDDING_POOLS = (1, 2, 3)  # LLAMA_POOLING_TYPE_MEAN, _CLS, _LAST; _RANK is a reranker
NO_ROOM = 1  # llama_decode's code for a full KV cache


class KvCacheFull(ModelError):
    """The KV cache has no room for this batch; nothing was computed."""

    code = "no_room"


@dataclass(frozen=True, slots=True)
class BatchRow:
    """Consecutive tokens of one sequence in a batch, at positions `start`, `start` + 1, …"""

    sequence: int
    start: int
    tokens: SequenceOf[int] | Tokens
    logits: bool  # True if a token will be sampled after the last one
    every: bool = False  # with `logits`: after each token, not the last one alone


class DecodeBatch:
    """A llama_batch over numpy arrays: filling slices is much faster than one token at a time through ctypes."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.tokens = np.zeros(capacity, np.int32)
        self.positions = np.zeros(capacity, np.int32)
        self.sequences = np.zeros(capacity, np.int32)
        self.logits = np.zeros(capacity, np.int8)
        self._counts = np.ones(capacity, np.int32)
        # llama.cpp expects, for each token, a pointer to its list of sequence ids; ours has one id each.
        self._pointers = self.sequences.ctypes.data + 4 * np.arange(capacity, dtype=np.uintp)
        self.raw = cast(Any, llama.llama_batch())
        self.raw.token = ctypes.cast(self.tokens.ctypes.data, ctypes.POINTER(llama.llama_token))
        self.raw.embd = None
        self.raw.pos = ctypes.cast(self.positions.ctypes.data, ctypes.POINTER(llama.llama_pos))
        self.raw.n_seq_id = ctypes.cast(self._counts.ctypes.data, ctypes.POINTER(ctypes.c_int32))
        self.raw.seq_id = ctypes.cast(self._pointers.ctypes.data, type(self.raw.seq_id))
        self.raw.logits = ctypes.cast(self.logits.ctypes.data, ctypes.POINTER(ctypes.c_int8))

    def fill(self, rows: SequenceOf[BatchRow]) -> list[int]:
        """Writes the rows one after another; returns the batch index of each row's last token."""
        total = sum(len(row.tokens) for row in rows)
        assert 0 < total <= self.capacity, f"{total} tokens for a batch of {self.capacity}"
        last = []
        n = 0
        for row in rows:
            end = n + len(row.tokens)
            self.tokens[n:end] = row.tokens
            self.positions[n:end] = np.arange(row.start, row.start + end - n, dtype=np.int32)
            self.sequences[n:end] = row.sequence
            self.logits[n:end] = row.every
            self.logits[end - 1] = row.logits
            last.append(end - 1)
            n = end
        self.raw.n_tokens = n
        return last


class LlamaRunner:
    """A loaded model with its context. Built by `load`; `close` frees its memory."""

    def __init__(self, model: Any, context: Any, path: Path, window: int, state_settings: str = "") -> None:
        self._model = model
        self._context = context
        self._memory = llama.llama_get_memory(context)
        self._batch = DecodeBatch(BATCH_TOKENS)
        self.path = path
        self.window = window
        ids = int(llama.llama_n_seq_max(context))
        self._scratch = ids - 1  # the last sequence id, for parts of states
        # A recurrent state cannot be cut at a position, so prefixes cannot be shared.
        self.shares_prefixes = not (llama.llama_model_is_recurrent(model) or llama.llama_model_is_hybrid(model))
        self._whole: WholeSequences | None = None
        self.sequences = self._scratch
        if self._memory and self.shares_prefixes and (window_tokens := int(llama.llama_model_n_swa(model))):
            self.sequences = self._scratch // 2
            self._whole = WholeSequences(self._memory, window_tokens, self.sequences)
        self.vocabulary = read_vocabulary(model)
        self._single_bytes = {
            piece[0]: token
            for token, piece in enumerate(self.vocabulary.pieces)
            if len(piece) == 1 and token not in self.vocabulary.added
        }
        self._spellings: dict[int, list[int]] = {}
        self._spellings = {token: self._spell(token) for token in self.vocabulary.added}
        self._candidates = TokenCandidates(self.vocabulary.size)
        self._logits_type = ctypes.c_float * self.vocabulary.size
        self.batch_tokens = BATCH_TOKENS
        self.cache_tokens = int(llama.llama_n_ctx(context))
        # A build restores its own states only.
        form = ", in parts" if self._whole else ""
        self.build = f"{model_description(model)}, llama-cpp-python {llama_cpp.__version__}{form}"
        self.state_settings = f"{self.build}, {state_settings}"  # a state saved under others is of no use
        self.embeds = int(llama.llama_pooling_type(context)) in EMBEDDING_POOLS
        llama.llama_set_embeddings(context, self.embeds)

    def tokenize(self, text: str, *, special: bool, add_special: bool = False) -> list[int]:
        """Returns token ids. Any thread may call this.

        `special`: "<|im_start|>" and the like become control tokens. `add_special`: the model's begin and end tokens
        surround the text. Raises ModelError.
        """
        data = text.encode("utf-8", "replace")  # a lone surrogate has no UTF-8
        capacity = len(data) + 16
        ids = (llama.llama_token * capacity)()
        count = llama.llama_tokenize(self.vocabulary.handle, data, len(data), ids, capacity, add_special, special)
        if count < 0:
            raise ModelError(f"the model's tokenizer refused a text of {len(data)} bytes")
        if special or not self._spellings:
            return ids[:count]
        return [part for token in ids[:count] for part in self._spellings.get(token, (token,))]

    def decode(self, rows: SequenceOf[BatchRow]) -> list[int]:
        """Computes the rows; returns each one's last index. Raises KvCacheFull (nothing was computed), ModelError."""
        indices = self._batch.fill(rows)
        code = llama.llama_decode(self._context, self._batch.raw)
        if code == NO_ROOM:
            raise KvCacheFull(f"no room in the KV cache for {self._batch.raw.n_tokens} tokens")
        if code != 0:
            raise ModelError(f"llama_decode failed with code {code}")
        if self._whole:
            for row in rows:
                self._whole.extend(row.sequence, row.start + len(row.tokens))
        return indices

    def logits(self, index: int) -> NDArray[np.float32]:
        """Returns the logits at `index`, of shape (vocabulary,): a view that the next `decode` overwrites."""
        pointer = llama.llama_get_logits_ith(self._context, index)
        if not pointer:
            raise ModelError(f"no logits at batch index {index}")
        # np.ctypeslib.as_array does the same, in twice the time.
        row = self._logits_type.from_address(ctypes.addressof(pointer.contents))
        return np.frombuffer(memoryview(row), np.float32)

    def embed(self, tokens: SequenceOf[int]) -> list[float]:
        """Returns the pooled embedding of at most `batch_tokens` tokens, normalised to length 1."""
        if self._memory:
            self.drop(0)
        self.decode([BatchRow(0, 0, tokens, True)])
        pointer = llama.llama_get_embeddings_seq(self._context, 0)
        if not pointer:
            raise ModelError("the model returned no pooled embedding")
        vector = np.ctypeslib.as_array(pointer, shape=(llama.llama_model_n_embd(self._model),)).astype(np.float64)
        norm = float(np.linalg.norm(vector))
        return [float(x) for x in (vector / norm if norm else vector)]

    def sampler(self, sampling: Sampling, seed: int) -> SamplerChain:
        return make_sampler(sampling, seed, self._candidates)

    def fork(self, source: int, target: int, length: int) -> None:
        """Shares the first `length` tokens of `source` with `target`: marks cells, copies nothing."""
        assert source < SEQUENCE_LIMIT, f"sequence {source}"
        assert target < SEQUENCE_LIMIT, f"sequence {target}"
        llama.llama_memory_seq_cp(self._memory, source, target, 0, length)
        if self._whole:
            self._whole.hold(target, length)

    def can_share(self, sequence: int, length: int) -> bool:
        """Tells whether the first `length` tokens can be shared: a sliding window may have lost some of them."""
        return self._whole is None or self._whole.has_window(sequence, length)

    def drop(self, sequence: int, start: int = 0) -> None:
        """Removes a sequence's tokens from position `start` on."""
        llama.llama_memory_seq_rm(self._memory, sequence, start, -1)
        if self._whole and sequence != self._scratch:
            self._whole.drop(sequence, start)

    def clear(self) -> None:
        llama.llama_memory_clear(self._memory, False)
        if self._whole:
            self._whole.clear()

    def save(self, sequence: int, start: int = 0, end: int | None = None) -> SequenceState:
        """Copies a sequence's computed state for `restore`: about 22 KiB a token for the starter.

        `start`, `end`: copies the state of these positions alone, where states can be cut (`shares_prefixes`).
        """
        if self._whole:
            last = int(llama.llama_memory_seq_pos_max(self._memory, sequence)) + 1 if end is None else end
            return pack([self._save_part(sequence, *part) for part in self._whole.parts(start, last)])
        if start == 0 and end is None:
            return self._save(sequence)
        return self._save_part(sequence, start, -1 if end is None else end)

    def _save_part(self, sequence: int, start: int, end: int) -> SequenceState:
        llama.llama_memory_seq_cp(self._memory, sequence, self._scratch, start, end)
        state = self._save(self._scratch)
        self.drop(self._scratch)
        return state

    def _save(self, sequence: int) -> SequenceState:
        size = llama.llama_state_seq_get_size(self._context, sequence)
        state = np.empty(size, np.uint8)
        byte_count = llama.llama_state_seq_get_data(self._context, pointer_to(state), size, sequence)
        return state[:byte_count]

    def restore(self, sequence: int, states: Iterable[SequenceState]) -> bool:
        """Restores saved states into `sequence`, one after another; the first starts at position 0.

        False if llama.cpp refuses one, which leaves the sequence empty. The restored keys and values are equal to the
        saved ones bit by bit, so the same batch at the same cells yields the same logits. At other cells, beside other
        sequences, flash attention adds in another order, in 16 bits: on the starter, logits differed by up to 0.7 of a
        range of 34, and a greedy text can differ where two tokens are nearly equally likely. So it is without
        suspending, too, and whether a state is restored in one piece or in several.
        """
        parts = (part for state in states for part in unpack(state)) if self._whole else states
        for number, state in enumerate(parts):
            target = self._scratch if number else sequence  # llama.cpp empties the sequence that it restores into
            if llama.llama_state_seq_set_data(self._context, pointer_to(state), len(state), target) != len(state):
                self.drop(self._scratch)
                self.drop(sequence)
                return False
            if number:
                llama.llama_memory_seq_cp(self._memory, self._scratch, sequence, 0, -1)
                self.drop(self._scratch)
            if self._whole:
                self._whole.hold(sequence, int(llama.llama_memory_seq_pos_max(self._memory, sequence)) + 1)
        return True

    def _spell(self, token: int) -> list[int]:
        """Tokenises an added token's text as ordinary tokens: llama.cpp does not recognise it when split in two."""
        pieces = self.vocabulary.pieces
        text = pieces[token].decode("utf-8", "replace")
        halves = self.tokenize(text[:1], special=False) + self.tokenize(text[1:], special=False)
        if b"".join(pieces[half] for half in halves) == pieces[token]:
            return halves
        # Some SentencePiece tokenizers put a blank before each half.
        single = [self._single_bytes[byte] for byte in pieces[token] if byte in self._single_bytes]
        return single if len(single) == len(pieces[token]) else halves

    def close(self) -> None:
        llama.llama_free(self._context)
        llama.llama_model_free(self._model)


def pointer_to(state: SequenceState) -> Any:
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))


def model_description(model: Any) -> str:
    """Returns llama.cpp's short description, such as "llama 1B Q8_0"."""
    buffer = ctypes.create_string_buffer(1024)
    byte_count = llama.llama_model_desc(model, buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") if byte_count >= 0 else "unknown"
