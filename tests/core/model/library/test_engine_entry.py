"""Tables of models.toml with engines instead of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.model.library.catalogue import ModelCatalogue
from core.model.library.engine_entry import EngineEntry, label_of

REMOTE = """
[large]
title = "Large"
context_window = 32768
engines = [
    { url = "https://a.example.gc.ca/v1", weight = 2, key_env = "LARGE_KEY", model = "qwen3-32b" },
    { url = "http://user:word@10.0.0.7:8000/llm/v1/", enforces = ["json_schema", "tokenize"] },
]
"""


def load(folder: Path, text: str) -> ModelCatalogue:
    file = folder / "models.toml"
    file.write_text(text, encoding="utf-8")
    catalogue = ModelCatalogue(file)
    catalogue.load()
    return catalogue


def test_a_table_with_engines_is_a_remote_model(tmp_path: Path) -> None:
    """It needs no file, and no model of this machine is made of it."""
    catalogue = load(tmp_path, REMOTE)
    first, second = catalogue.remote["large"].engines

    assert (first.weight, first.key_env, first.model, first.enforces) == (2, "LARGE_KEY", "qwen3-32b", None)
    assert (second.weight, second.label) == (1, "10.0.0.7:8000/llm")
    assert second.enforces == ("json_schema", "tokenize")
    assert not catalogue.by_id
    assert catalogue.names() == ("large",)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("https://a.example.gc.ca/v1", "ftp://a.example.gc.ca", "begins with http"),
        ("LARGE_KEY", "sk-0123", "key_env"),
        ("weight = 2", "weight = 0", "weight"),
        ("json_schema", "json", "enforces"),
        ("weight", "wieght", "weight"),
        ("http://user:word@10.0.0.7:8000/llm/v1/", "https://a.example.gc.ca/", "listed twice"),
        ('title = "Large"', "", "title"),
        ("a.example.gc.ca/v1", "a.example.gc.ca/v1?api-version=1", "without \\? and #"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    """The message names the key, and repeats no password."""
    with pytest.raises(ConfigError, match=problem) as caught:
        load(tmp_path, REMOTE.replace(old, new))

    assert "word" not in caught.value.message.replace("password", "")


def test_each_mistake_is_one_line(tmp_path: Path) -> None:
    """A wrong engine is not also a missing one."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, REMOTE.replace("weight = 2", "weight = 0"))
    assert caught.value.message.count("\n") == 0
    with pytest.raises(ConfigError, match="name at least one engine"):
        load(tmp_path, '[large]\ntitle = "Large"\nengines = []\n')


def test_a_label_is_host_port_and_path() -> None:
    """It names the engine where no password may stand."""
    assert label_of("https://u:p@h:8000/v1") == label_of("http://h:8000/") == "h:8000"
    assert EngineEntry(url="http://[::1]:8/x/v1").label == "[::1]:8/x"
