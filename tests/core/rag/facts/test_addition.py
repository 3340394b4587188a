"""Documents that people add are read and stored by a child process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.errors import ModelUnavailable, StorageError, UnreadableDocument
from core.rag.facts.addition import Addition, AdditionRequest, ChildWriter, build_answer, parse_answer
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.runtime.child_pool import ChildPool
from core.storage.database import Database
from tests.core.rag.facts.support_fakes import WordEmbedder

REQUEST = AdditionRequest("hr", "added:slack", "plan.md", "hash", 1000.0, "text/markdown", name="plan.md")


async def embed(request: web.Request) -> web.Response:
    """Every text has the same vector."""
    count = len((await request.json())["input"])
    return web.json_response({"data": [{"index": at, "embedding": [1.0, 0.0]} for at in range(count)]})


@pytest.fixture
async def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestServer]:
    """An engine of embeddings, which the settings of child processes name."""
    app = web.Application()
    app.router.add_post("/v1/embeddings", embed)
    server = TestServer(app)
    await server.start_server()
    monkeypatch.setenv("CSPS_LLM_DATA", str(tmp_path))
    monkeypatch.setenv("RAG_EMBEDDINGS_URL", str(server.make_url("/v1")))
    monkeypatch.setenv("RAG_EMBEDDINGS_MODEL", "fake")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    yield server
    await server.close()


async def test_a_child_reads_and_stores_a_document(engine: TestServer, tmp_path: Path) -> None:
    """It serves one document. A later one of the same name replaces it; one that cannot be read changes nothing."""
    writer = ChildWriter()
    first = await writer.write(REQUEST, b"# Plan\n\nAsk first.")
    second = await writer.write(REQUEST, b"# Plan\n\nAsk twice.")
    with pytest.raises(UnreadableDocument) as unreadable:
        await writer.write(REQUEST, b"\x89PNG\r\n")
    await engine.close()
    with pytest.raises(ModelUnavailable):
        await writer.write(REQUEST, b"# Plan\n\nAsk thrice.")
    await writer.close()

    assert (Addition("Plan", 1, (), True), Addition("Plan", 1, (), False)) == (first, second)
    assert "picture" == unreadable.value.reason
    database = Database(f"sqlite:///{tmp_path / 'csps-llm.db'}")
    [stored] = [each async for each in FactStore(database, WordEmbedder(), Glossary()).export("hr")]
    await database.close()
    assert ("added:slack:plan.md", "hash", 1000.0) == (stored.key, stored.added_by, stored.fetched_at.timestamp())
    assert "Ask twice." in stored.passages[0].text


async def test_a_child_that_crashes_is_an_unreadable_document() -> None:
    """No answer came, so the document is to blame."""
    writer = ChildWriter(ChildPool(("false",), limit=1, wall_limit_s=10))

    with pytest.raises(UnreadableDocument, match="too long or too much memory"):
        await writer.write(REQUEST, b"x")


def test_an_unknown_error_is_tried_again() -> None:
    """Such as a database that a newer version made."""
    with pytest.raises(StorageError, match="odd"):
        parse_answer({**build_answer(StorageError("odd")), "code": "config"})
