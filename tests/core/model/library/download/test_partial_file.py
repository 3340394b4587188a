"""The record of a partial file names only bytes that are on disk, and survives kills and power failures."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.library.download import partial_file
from core.model.library.download.partial_file import PartialFile, record_of

SIZE, SEGMENT = 1000, 300
DATA = bytes(range(250)) * 4


@contextmanager
def opened(path: Path, identity: str = "etag", size: int = SIZE, segment: int = SEGMENT) -> Iterator[PartialFile]:
    with closing(PartialFile(path, identity, size, segment)) as partial:
        yield partial


def fill(partial: PartialFile, index: int, count: int = SEGMENT) -> None:
    first, last = partial.next_range(index)
    partial.write(index, DATA[first : min(first + count, last + 1)])


def test_segments_may_arrive_in_any_order(tmp_path: Path) -> None:
    with opened(tmp_path / "part") as partial:
        for index in (3, 0, 2, 1):
            assert index in partial.missing
            fill(partial, index)
        assert ([], SIZE) == (partial.missing, partial.done_bytes)

    assert DATA == (tmp_path / "part").read_bytes()


def test_begun_segments_continue(tmp_path: Path) -> None:
    with opened(tmp_path / "part") as partial:
        fill(partial, 0)
        fill(partial, 1, 120)
    with opened(tmp_path / "part") as partial:
        assert ([1, 2, 3], (420, 599), 420) == (partial.missing, partial.next_range(1), partial.done_bytes)


def test_the_size_of_segments_stays_that_of_the_first_attempt(tmp_path: Path) -> None:
    """A newer version may choose another one."""
    with opened(tmp_path / "part") as partial:
        fill(partial, 0)
    with opened(tmp_path / "part", segment=7) as partial:
        assert (4, 300) == (partial.segments, partial.done_bytes)


@pytest.mark.parametrize("change", [{"identity": "other"}, {"size": SIZE - 1}])
def test_bytes_of_another_file_are_dropped(tmp_path: Path, change: dict[str, int | str]) -> None:
    with opened(tmp_path / "part") as partial:
        fill(partial, 0)
    with opened(tmp_path / "part", **change) as partial:  # type: ignore[arg-type]
        assert 0 == partial.done_bytes


@given(damage=st.integers(0, 10_000), cut=st.booleans(), data=st.booleans())
def test_a_damaged_record_or_file_never_adds_bytes(
    tmp_path_factory: pytest.TempPathFactory, damage: int, cut: bool, data: bool
) -> None:
    """Whatever is left of them: begun segments that differ are dropped, and complete ones fail their crc32 later."""
    path = tmp_path_factory.mktemp("damage") / "part"
    with opened(path) as partial:
        fill(partial, 0)
        fill(partial, 1, 120)
    victim = path if data else record_of(path)
    content = bytearray(victim.read_bytes())
    if cut:
        del content[damage % len(content) :]
    else:
        content[damage % len(content)] ^= 0xFF
    victim.write_bytes(content)
    with opened(path) as partial:
        for index in range(partial.segments):
            hasher, offset, crc, count = hashlib.sha256(), 0, 0, 1
            while count:
                count, crc = partial.hash_block(index, offset, hasher, crc)
                offset += count
            expected = DATA[index * SEGMENT : index * SEGMENT + offset]
            assert not partial.is_right(index, offset, crc) or hashlib.sha256(expected).digest() == hasher.digest()


def test_bytes_beyond_a_segment_are_dropped(tmp_path: Path) -> None:
    with opened(tmp_path / "part") as partial:
        partial.write(3, b"x" * 500)
        partial.write(3, b"y" * 500)

    assert b"x" * 100 == (tmp_path / "part").read_bytes()[900:]


def test_a_write_that_takes_only_a_part_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on an almost full disk."""
    pwrite = os.pwrite
    with opened(tmp_path / "part") as partial:
        monkeypatch.setattr(partial_file.os, "pwrite", lambda at, data, position: pwrite(at, data[:7], position))
        for index in range(4):
            fill(partial, index)

    assert DATA == (tmp_path / "part").read_bytes()


def test_the_bytes_are_written_before_their_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the two leaves no record of bytes that are not there."""
    with opened(tmp_path / "part") as partial:
        killed = RuntimeError("killed")

        def kill(*_: object) -> None:
            raise killed

        monkeypatch.setattr(PartialFile, "_note", kill)
        with pytest.raises(RuntimeError):
            fill(partial, 0)
    monkeypatch.undo()
    with opened(tmp_path / "part") as partial:
        assert 0 == partial.done_bytes
    assert DATA[:SEGMENT] == (tmp_path / "part").read_bytes()[:SEGMENT]


def test_removal_leaves_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "part") as partial:
        fill(partial, 0)
        partial.remove()

    assert [] == list(tmp_path.iterdir())


def test_an_empty_file_is_complete(tmp_path: Path) -> None:
    with opened(tmp_path / "part", size=0) as partial:
        assert ([], 0) == (partial.missing, partial.done_bytes)
