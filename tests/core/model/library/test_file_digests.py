"""The digests of model files: computed once, and known after a restart."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from core.model.library.file_digests import FILE, FileDigests, digest_parts, find_known

CONTENT = b"GGUF" * 1000


def save(folder: Path, name: str = "m.gguf", content: bytes = CONTENT) -> tuple[Path, int, int]:
    path = folder / name
    path.write_bytes(content)
    stat = path.stat()
    return path, stat.st_size, stat.st_mtime_ns


async def wait_digest(digests: FileDigests, file: tuple[Path, int, int]) -> str:
    while (found := digests.find(*file)) is None:
        await asyncio.sleep(0)
    return found


async def test_a_digest_is_computed_once(tmp_path: Path) -> None:
    """The next process reads it, even if the file is away; a changed file is read again."""
    file = save(tmp_path)
    digests = FileDigests(tmp_path)
    assert digests.find(*file) is None
    found = await wait_digest(digests, file)
    await digests._tasks.join()  # it is also written
    await digests.close()
    file[0].unlink()

    assert found == hashlib.sha256(CONTENT).hexdigest()
    assert FileDigests(tmp_path).find(*file) == found
    assert find_known(tmp_path, "m.gguf", file[1], file[2]) == found
    assert find_known(tmp_path, "m.gguf", file[1], file[2] + 1) is None
    changed = save(tmp_path, content=b"GGUF")
    again = FileDigests(tmp_path)
    assert await wait_digest(again, changed) == hashlib.sha256(b"GGUF").hexdigest()
    await again.close()


async def test_a_model_in_parts_has_one_digest(tmp_path: Path) -> None:
    """It is that of the parts' digests, in order."""
    parts = [save(tmp_path, f"m-0000{at}-of-00002.gguf", b"%d" % at)[0] for at in (1, 2)]
    both = "".join(hashlib.sha256(b"%d" % at).hexdigest() for at in (1, 2))

    assert await digest_parts(parts) == hashlib.sha256(both.encode()).hexdigest()


async def test_a_file_that_vanishes_has_no_digest(tmp_path: Path) -> None:
    """Nothing fails but the digest, which is tried again at the next call."""
    digests = FileDigests(tmp_path)
    assert digests.find(tmp_path / "gone.gguf", 1, 1) is None
    await digests._tasks.join()

    assert digests._running == set()
    await digests.close()


def test_damaged_digests_are_forgotten(tmp_path: Path) -> None:
    """They are computed again."""
    (tmp_path / FILE).write_text('{"a": 1}', encoding="utf-8")

    assert FileDigests(tmp_path)._known == {}
