"""`kill -9` while documents are added: the database holds whole documents, and the next run completes it."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import sys
from pathlib import Path

from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.rag.facts.sync import sync
from core.storage.database import Database
from tests.core.rag.facts.support_fakes import WordEmbedder
from tests.core.rag.facts.support_writer import PASSAGES, generation_origin

KILLS = 5


async def write_and_be_killed(url: str, generation: int, lines: int) -> int:
    """Kills the writer after `lines` lines, in the midst of its work. Returns the exit status."""
    command = (sys.executable, "-m", "tests.core.rag.facts.support_writer", url, str(generation))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(lines):
        await process.stdout.readline()
    process.kill()
    return await process.wait()


def check_whole(file: Path) -> None:
    """Checks that full text matches the passages, and that each document has all passages of one generation."""
    with sqlite3.connect(file) as db:
        db.execute("INSERT INTO fact_words(fact_words, rank) VALUES ('integrity-check', 1)")
        assert [("ok",)] == db.execute("PRAGMA integrity_check").fetchall()
        rows = db.execute(
            "SELECT count(*), count(DISTINCT substr(text, 1, instr(text, ' '))) FROM fact_passages GROUP BY document"
        ).fetchall()
        lost = "SELECT count(*) FROM fact_documents WHERE id NOT IN (SELECT document FROM fact_passages)"
        assert 0 == db.execute(lost).fetchone()[0]
    assert {(PASSAGES, 1)} >= set(rows)


async def test_a_killed_run_leaves_whole_documents_and_the_next_completes_them(tmp_path: Path) -> None:
    """Kills at any moment and again; in the end the collection equals the last origin."""
    file = tmp_path / "facts.db"
    url = f"sqlite:///{file}"
    chance = random.Random(7)
    for generation in range(1, KILLS + 1):
        status = await write_and_be_killed(url, generation, chance.randint(1, 18))
        assert -signal.SIGKILL == status
        check_whole(file)

    store = FactStore(Database(url), WordEmbedder(), Glossary())
    wanted = generation_origin(KILLS)
    counts = await sync(store, "hr", wanted)

    check_whole(file)
    assert {} == counts.failed
    assert [entry.key for entry in sorted(wanted.entries, key=lambda each: each.key)] == [
        each.key async for each in store.export("hr")
    ]
    generations = {each.text.split()[0] for each in await store.search(["hr"], f"generation{KILLS}", 1000)}
    assert {"generation0", f"generation{KILLS}"} == generations
