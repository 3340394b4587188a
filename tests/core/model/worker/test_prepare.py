"""What `make install` prepares."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.configuration import settings
from core.errors import ConfigError
from core.model.worker import prepare


def test_only_the_starter_is_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configured repository is not asked: a model of gigabytes is the host's to download."""
    monkeypatch.setattr(prepare, "transcode", lambda _source, target, _threads: target.write_bytes(b"GGUF"))
    variables = {"LLM_HUGGINGFACE_REPO": "someone/model", "LLM_HUGGINGFACE_FILE": "*.gguf"}
    chosen = settings.load({"CSPS_LLM_DATA": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9", **variables})

    file = prepare.prepare_starter(chosen)

    assert file.starter
    assert b"GGUF" == file.path.read_bytes()


def test_an_impossible_models_folder_is_named_in_the_error(tmp_path: Path) -> None:
    """The operator can then remove the obstacle."""
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(ConfigError, match="models"):
        prepare.prepare_starter(settings.load({"CSPS_LLM_DATA": str(tmp_path)}))
