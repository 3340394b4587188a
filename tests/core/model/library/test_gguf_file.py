"""A model file on this machine, and its check before llama.cpp opens it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError
from core.model.library.gguf_file import ModelFile, check_gguf

ONE = b"GGUF one"


@pytest.mark.parametrize(("content", "words"), [(None, "no file"), (b"", "not a GGUF"), (b"PK\3\4 zip", "not a GGUF")])
def test_a_file_that_is_not_gguf_is_refused_with_its_path(tmp_path: Path, content: bytes | None, words: str) -> None:
    """The message names the variable too."""
    file = tmp_path / "model.gguf"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as refused:
        check_gguf(file, "LLM_MODEL_FILE")

    assert "LLM_MODEL_FILE" in refused.value.message
    assert str(file) in refused.value.message


def test_an_unreadable_file_is_named_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(It was a traceback.)"""
    file = tmp_path / "model.gguf"
    file.write_bytes(ONE)

    def refuse(path: Path, *_: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match="this account may not do that") as refused:
        check_gguf(file, "LLM_MODEL_FILE")

    assert str(file) in refused.value.message


def test_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    """Saved prefixes are valid only for the file that computed them."""
    file = tmp_path / "model.gguf"
    file.write_bytes(ONE)
    before = ModelFile(file, "model").fingerprint
    assert ModelFile(file, "another name").fingerprint == before
    file.write_bytes(ONE + b"!")

    assert ModelFile(file, "model").fingerprint != before
