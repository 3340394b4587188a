"""The starter: found in its package, transcoded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.model.library import starter
from core.model.library.starter import find_starter


def writes_one(_source: Path, target: Path) -> None:
    target.write_bytes(b"GGUF one")


def never(_source: Path, _target: Path) -> None:
    raise AssertionError("unexpected transcoding")


def test_the_starter_is_transcoded_once(tmp_path: Path) -> None:
    """The second start finds the result."""
    made: list[Path] = []

    def transcode(source: Path, target: Path) -> None:
        made.append(source)
        target.write_bytes(b"GGUF one")

    first, second = find_starter(tmp_path, transcode), find_starter(tmp_path, never)

    assert first == second
    assert first.starter
    assert first.path.parent == tmp_path
    assert [".gguf"] == [source.suffix for source in made]


def test_an_interrupted_transcoding_is_repeated(tmp_path: Path) -> None:
    """A killed process leaves only a partial file."""

    def breaks(_source: Path, target: Path) -> None:
        target.write_bytes(b"GGUF half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_starter(tmp_path, breaks)

    assert b"GGUF one" == find_starter(tmp_path, writes_one).path.read_bytes()


def test_a_missing_package_error_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names `make install`."""
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no-such-package")
    with pytest.raises(ConfigError, match="make install"):
        find_starter(tmp_path, never)
