"""A loaded model with its context: decode, logits, sequence states.

Everything here is called from the one inference thread, except `tokenize`, which only reads the vocabulary. It knows
no requests, no text assembly and no policy: who decodes next, what is cached and what is evicted is decided elsewhere.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence as SequenceOf
from pathlib import Path
from typing import Any

import llama_cpp
import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray

from core.contract import Sampling
from core.errors import ModelError
from core.model.llama.batch import BatchRow, DecodeBatch
from core.model.llama.sampler import SamplerChain, TokenCandidates, make_sampler
from core.model.llama.vocabulary import read_vocabulary, text_of

SequenceState = NDArray[np.uint8]

SEQUENCE_LIMIT = 256  # LLAMA_MAX_SEQ
BATCH_TOKENS = 512
EMBEDDING_POOLS = (1, 2, 3)  # LLAMA_POOLING_TYPE_MEAN, _CLS, _LAST; _RANK is a reranker
NO_ROOM = 1  # what llama_decode returns


class KvCacheFull(ModelError):
    """The KV cache has no place for this batch; nothing of it was computed."""

    code = "no_room"


class LlamaRunner:
    """A loaded model with its context. Made by `load`; `close` gives the memory back."""

    def __init__(self, model: Any, context: Any, path: Path, window: int) -> None:
        self._model = model
        self._context = context
        self._memory = llama.llama_get_memory(context)
        self._batch = DecodeBatch(BATCH_TOKENS)
        self.path = path
        self.window = window
        self.sequences = int(llama.llama_n_seq_max(context))
        self.vocabulary = read_vocabulary(model)
        self._spelled: dict[int, list[int]] = {}
        self._spelled = {token: self._spell(token) for token in self.vocabulary.added}
        self._candidates = TokenCandidates(self.vocabulary.size)
        self.batch_tokens = BATCH_TOKENS
        self.cache_tokens = int(llama.llama_n_ctx(context))
        self.description = text_of(lambda buffer, size: llama.llama_model_desc(model, buffer, size)) or "unknown"
        self.build = f"{self.description}, llama-cpp-python {llama_cpp.__version__}"  # whose states it understands
        # A recurrent state cannot be cut at a position, so no prefix of it can be shared.
        self.shares_prefixes = not (llama.llama_model_is_recurrent(model) or llama.llama_model_is_hybrid(model))
        self.embeds = int(llama.llama_pooling_type(context)) in EMBEDDING_POOLS
        llama.llama_set_embeddings(context, self.embeds)

    def tokenize(self, text: str, *, special: bool, add_special: bool = False) -> list[int]:
        """Token ids; any thread.

        `special` says whether "<|im_start|>" and the like become control tokens, `add_special` whether the tokens
        that the model begins and ends a text with are put round it.
        """
        data = text.encode("utf-8", "replace")  # a lone surrogate has no UTF-8
        capacity = len(data) + 16
        ids = (llama.llama_token * capacity)()
        count = llama.llama_tokenize(self.vocabulary.handle, data, len(data), ids, capacity, add_special, special)
        if count < 0:
            raise ModelError(f"the model's tokenizer refused a text of {len(data)} bytes")
        if special or not self._spelled:
            return ids[:count]
        return [part for token in ids[:count] for part in self._spelled.get(token, (token,))]

    def decode(self, rows: SequenceOf[BatchRow]) -> list[int]:
        """Compute the rows; the batch index of each row's last token, for `logits`.

        Raises KvCacheFull (nothing was computed) or, when llama.cpp itself failed, ModelError.
        """
        indices = self._batch.fill(rows)
        code = llama.llama_decode(self._context, self._batch.raw)
        if code == NO_ROOM:
            raise KvCacheFull(f"no room in the KV cache for {self._batch.raw.n_tokens} tokens")
        if code != 0:
            raise ModelError(f"llama_decode failed with code {code}")
        return indices

    def logits(self, index: int) -> NDArray[np.float32]:
        """The logits of a row decoded with `logits=True`; a view that the next `decode` overwrites."""
        pointer = llama.llama_get_logits_ith(self._context, index)
        if not pointer:
            raise ModelError(f"no logits at batch index {index}")
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary.size,))

    def embed(self, tokens: SequenceOf[int]) -> list[float]:
        """The pooled embedding of a text, of length 1. Takes at most `batch_tokens` tokens."""
        if self._memory:
            self.drop(0)
        self.decode([BatchRow(0, 0, tokens, True)])
        pointer = llama.llama_get_embeddings_seq(self._context, 0)
        if not pointer:
            raise ModelError("the model gave no pooled embedding")
        vector = np.ctypeslib.as_array(pointer, shape=(llama.llama_model_n_embd(self._model),)).astype(np.float64)
        norm = float(np.linalg.norm(vector))
        return [float(x) for x in (vector / norm if norm else vector)]

    def sampler(self, sampling: Sampling, seed: int) -> SamplerChain:
        return make_sampler(sampling, seed, self._candidates)

    def fork(self, source: int, target: int, length: int) -> None:
        """Let `target` share the first `length` tokens of `source`: marks cells, copies nothing."""
        assert source < SEQUENCE_LIMIT, f"sequence {source}"
        assert target < SEQUENCE_LIMIT, f"sequence {target}"
        llama.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def drop(self, sequence: int, start: int = 0) -> None:
        """Forget a sequence's tokens from position `start` on."""
        llama.llama_memory_seq_rm(self._memory, sequence, start, -1)

    def clear(self) -> None:
        llama.llama_memory_clear(self._memory, False)

    def save(self, sequence: int) -> SequenceState:
        """A sequence's computed state, to be given back to `restore`: about 22 KiB a token for the starter."""
        size = llama.llama_state_seq_get_size(self._context, sequence)
        state = np.empty(size, np.uint8)
        written = llama.llama_state_seq_get_data(self._context, pointer_to(state), size, sequence)
        return state[:written]

    def restore(self, sequence: int, state: SequenceState) -> bool:
        """Put a saved state into `sequence`; False if llama.cpp refused it, and then nothing of it is left."""
        if llama.llama_state_seq_set_data(self._context, pointer_to(state), len(state), sequence) == len(state):
            return True
        self.drop(sequence)
        return False

    def _spell(self, token: int) -> list[int]:
        """An added token's text in ordinary tokens: cut in two, llama.cpp does not recognise it."""
        text = self.vocabulary.pieces[token].decode("utf-8", "replace")
        return self.tokenize(text[:1], special=False) + self.tokenize(text[1:], special=False)

    def close(self) -> None:
        llama.llama_free(self._context)
        llama.llama_model_free(self._model)


def pointer_to(state: SequenceState) -> Any:
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
