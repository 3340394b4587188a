"""The catalogue of models: what is shipped, and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core import PROJECT_ROOT
from core.errors import ConfigError, NotFound
from core.model.library.catalogue import ModelCatalogue
from core.model.library.specs import HubFile, ModelSpec
from core.model.worker.llama import loading

SHIPPED = PROJECT_ROOT / "config" / "models.toml"
FREE_LICENCES = {"Apache-2.0", "MIT"}
ENTRY = """
[small]
title = "Small"
repo = "someone/Small-GGUF"
file = "*Q4_K_M.gguf"
size_bytes = 1000000
licence = "MIT"
licence_url = "https://opensource.org/license/mit"
languages = ["en", "fr"]
context_window = 4096
good_for.en = "Short texts."
good_for.fr = "Les textes courts."
"""


def load(tmp_path: Path, content: str) -> ModelCatalogue:
    file = tmp_path / "models.toml"
    file.write_text(content, encoding="utf-8")
    catalogue = ModelCatalogue(file)
    catalogue.load()
    return catalogue


# --- what is shipped -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> ModelCatalogue:
    catalogue = ModelCatalogue(SHIPPED)
    catalogue.load()
    return catalogue


def test_every_shipped_model_is_free_and_speaks_both_languages(shipped: ModelCatalogue) -> None:
    for name, model in shipped.by_id.items():
        assert model.licence in FREE_LICENCES, name
        assert {"en", "fr"} <= set(model.languages), name


def test_every_shipped_model_is_one_file_with_a_stated_checksum(shipped: ModelCatalogue) -> None:
    """The file cannot change unnoticed, and its size is known before the download."""
    for name, model in shipped.by_id.items():
        assert 1 == len(model.sha256), name
        assert "*" not in model.file, name
        assert model.kv_bytes_per_token is not None, name


def test_the_best_models_come_first(shipped: ModelCatalogue) -> None:
    """Within a family the larger one is the better one; models of chat precede embedders."""
    kinds = [model.kind for model in shipped.by_id.values()]
    ministral = [model.size_bytes for name, model in shipped.by_id.items() if name.startswith("ministral")]

    assert sorted(kinds) == kinds
    assert sorted(ministral, reverse=True) == ministral
    assert kinds.count("chat") >= 3
    assert "embedder" in kinds


def test_the_installed_engine_knows_every_shipped_architecture(shipped: ModelCatalogue, tmp_path: Path) -> None:
    """llama.cpp looks at the architecture before it misses the rest of a file that has nothing else."""
    architectures = {model.architecture for model in shipped.by_id.values()}

    for architecture in architectures:
        assert architecture
        assert "unknown model architecture" not in loading_error(tmp_path / "model.gguf", architecture)
    assert "unknown model architecture" in loading_error(tmp_path / "model.gguf", "no-such-architecture")


def loading_error(file: Path, architecture: str) -> str:
    """Loads a file that has only the name of its architecture; returns llama.cpp's reason."""

    def string(text: str) -> bytes:
        return struct.pack("<Q", len(text)) + text.encode()

    entry = string("general.architecture") + struct.pack("<I", 8) + string(architecture)
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + entry + bytes(64))
    with pytest.raises(ConfigError) as refused:
        loading.load(file, loading.RunnerConfig(window=None, cache_tokens=None, sequences=1, threads=1, gpu_layers=0))
    return refused.value.message


# --- an operator's own file ------------------------------------------------------------------------------------------


def test_an_entry_becomes_a_spec(tmp_path: Path) -> None:
    """Its id is what requests name, its source what is downloaded."""
    catalogue = load(tmp_path, ENTRY)

    assert ("small",) == catalogue.names()
    assert ModelSpec("small", "Small", HubFile("someone/Small-GGUF", "*Q4_K_M.gguf")) == catalogue.spec("small")


def test_an_embedder_says_so(tmp_path: Path) -> None:
    assert load(tmp_path, ENTRY + 'kind = "embedder"\n').spec("small").embedder


def test_the_cache_is_estimated_without_a_value(tmp_path: Path) -> None:
    """An operator need not know the layers of a model."""
    assert 50 == load(tmp_path, ENTRY).get("small").kv_bytes
    assert 7 == load(tmp_path, ENTRY + "kv_bytes_per_token = 7\n").get("small").kv_bytes


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"someone/Small-GGUF"', '"Small-GGUF"', "models.toml:4: `small.repo`: expected owner/name"),
        ('"someone/Small-GGUF"', '"../.."', "models.toml:4: `small.repo`: expected owner/name"),
        ('"*Q4_K_M.gguf"', '"../../x.gguf"', "models.toml:5: `small.file`: expected a file of the repository"),
        ('"*Q4_K_M.gguf"', '"/etc/x.gguf"', "models.toml:5: `small.file`: expected a file of the repository"),
        ('"*Q4_K_M.gguf"', '"model.bin"', "models.toml:5: `small.file`: expected the name of a .gguf file"),
        ("1000000", "0", "models.toml:6: `small.size_bytes`"),
        ('"https://opensource.org/license/mit"', '"MIT"', "models.toml:8: `small.licence_url`: expected an address"),
        ('["en", "fr"]', '["English"]', "models.toml:9: `small.languages.0`"),
        ("context_window = 4096", "contxt_window = 4096", "did you mean `context_window`"),
        ("[small]", "[Small]", "models.toml:2: 'Small' cannot be a model's id"),
        ("[small]", "[starter]", "models.toml:2: 'starter' cannot be a model's id"),
        ("[small]", "[auto]", "models.toml:2: 'auto' cannot be a model's id"),
        (
            'file = "*Q4_K_M.gguf"',
            'file = "*.gguf"\nsha256 = "abc"',
            "models.toml:6: `small.sha256.0`: expected the 64",
        ),
        ('["en", "fr"]', "[]", "models.toml:9: `small.languages`: expected at least one value"),
        ('"Small"', "3", "models.toml:3: `small.title`: expected a text, in quotes"),
        ('"Small"', '" "', "models.toml:3: `small.title`: expected a text that is not empty"),
        ("[small]", '["../x"]', "models.toml:2: '../x' cannot be a model's id"),
        ("[small]", "[-]", "models.toml:2: '-' cannot be a model's id"),
        ("[small]", "[qwen2.5]", "models.toml:2: 'qwen2.5' cannot be a model's id, because TOML reads a dot"),
        ("[small]", "[[small]]", "models.toml:2: `small`: expected a table"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in ENTRY
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, ENTRY.replace(old, new))

    assert problem in refused.value.message


def test_forms_that_other_programs_write_are_read(tmp_path: Path) -> None:
    """Checksum tools print capitals or a prefix, Windows' editors begin a file with a mark and end lines with CR LF."""
    digits = "AB" * 32
    content = ENTRY.replace('["en", "fr"]', '"fr"') + f'sha256 = ["{digits}", "sha256:{digits.lower()}"]\n'
    model = load(tmp_path, "\ufeff" + content.replace("\n", "\r\n")).get("small")

    assert (("ab" * 32, "ab" * 32), ("fr",)) == (model.sha256, model.languages)


def test_an_unknown_id_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no model named 'smal'; did you mean 'small'"):
        load(tmp_path, ENTRY).get("smal")


async def test_a_mistake_in_a_changed_file_keeps_the_old_models(tmp_path: Path) -> None:
    """The log has the reason."""
    catalogue = load(tmp_path, ENTRY)
    catalogue.file.write_text("[small]\n", encoding="utf-8")

    with capture_logs() as logs:
        assert not await catalogue.reload()

    assert ("small",) == catalogue.names()
    assert ["config_reload_failed"] == [entry["event"] for entry in logs]
