"""Settings: defaults from the file, the environment wins, and mistakes are told with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.settings import ROOT, SOCKET_PATH_LIMIT_BYTES, load, variables

SHIPPED = (ROOT / "config" / "settings.toml").read_text(encoding="utf-8")


def config_with(folder: Path, old: str, new: str) -> Path:
    assert old in SHIPPED
    (folder / "settings.toml").write_text(SHIPPED.replace(old, new), encoding="utf-8")
    return folder


def test_without_any_variable_the_starter_model_serves_locally() -> None:
    """No model file, no URL; 127.0.0.1:5000; a database in var/."""
    settings = load({})

    assert (settings.model.file, settings.model.url, settings.model.gpu_layers) == (None, None, None)
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 5000)
    assert settings.database_url == f"sqlite:///{ROOT / 'var' / 'csps-llm.db'}"


def test_the_missions_variables_keep_their_names() -> None:
    """Each of them changes what it says."""
    settings = load(
        {
            "LLM_MODEL_FILE": "/m.gguf",
            "LLM_HUGGINGFACE_REPO": "org/repo",
            "LLM_HUGGINGFACE_FILE": "*Q4_K_M.gguf",
            "LLM_GPU_LAYERS": "20",
            "LLM_CONTEXT_WINDOW": "4096",
            "LLM_CPU_THREADS": "4",
            "LLM_URL": "http://engine:8000/v1",
            "LLM_API_KEY": "hush-hush",
            "LLM_MODEL": "large",
            "DATABASE_URL": "postgresql://db/chat",
            "HOST": "0.0.0.0",
            "PORT": "8080",
        }
    )

    assert settings.model.file == "/m.gguf"
    assert (settings.model.huggingface_repo, settings.model.huggingface_file) == ("org/repo", "*Q4_K_M.gguf")
    assert (settings.model.gpu_layers, settings.model.context_window, settings.model.cpu_threads) == (20, 4096, 4)
    assert (settings.model.url, settings.model.name) == ("http://engine:8000/v1", "large")
    assert settings.database_url == "postgresql://db/chat"
    assert (settings.web.host, settings.web.port) == ("0.0.0.0", 8080)
    assert "hush-hush" not in repr(settings)


def test_an_empty_variable_means_not_set() -> None:
    """As shells unset by emptying."""
    assert load({"LLM_GPU_LAYERS": "", "LLM_API_KEY": ""}).model.gpu_layers is None


def test_lists_come_with_commas() -> None:
    """As people write them in a shell."""
    assert load({"WEB_ORIGINS": "https://a.gc.ca, https://b.gc.ca"}).web.origins == (
        "https://a.gc.ca",
        "https://b.gc.ca",
    )


def test_a_wrong_variable_is_named() -> None:
    """Not the file, which is right."""
    with pytest.raises(ConfigError, match=r"^PORT: `web.port`"):
        load({"PORT": "many"})


def test_a_wrong_key_is_told_with_file_line_and_the_nearest(tmp_path: Path) -> None:
    """An operator goes straight to the place."""
    line = next(n for n, text in enumerate(SHIPPED.splitlines(), 1) if text.startswith("port ="))
    with pytest.raises(ConfigError) as caught:
        load({}, config_with(tmp_path, "port = 5000", "prt = 5000"))

    assert f"settings.toml:{line}: `web.prt` is not a setting; did you mean `port`?" in caught.value.message
    assert "`web.port` is missing" in caught.value.message


@pytest.mark.parametrize(("old", "new"), [("port = 5000", "port = "), ("[web]", "[web")])
def test_a_file_that_is_no_toml_is_told_with_its_line(tmp_path: Path, old: str, new: str) -> None:
    """And a missing one by its name."""
    with pytest.raises(ConfigError, match=r"settings\.toml: not valid TOML: .*line \d+"):
        load({}, config_with(tmp_path, old, new))
    with pytest.raises(ConfigError, match=r"absent/settings\.toml: No such file"):
        load({}, tmp_path / "absent")


def test_every_variable_is_named_in_the_file() -> None:
    """Who reads the defaults learns what overrides them; no two settings share one."""
    named = [field.json_schema_extra["env"] for _, _, field in variables()]  # type: ignore[index]

    assert len(set(named)) == len(named)
    for name in named:
        assert str(name) in SHIPPED or name in ("CSPS_LLM_DATA", "DATABASE_URL"), name


def test_the_socket_path_is_never_too_long(tmp_path: Path) -> None:
    """A deep checkout gets a short one elsewhere, the same for every process."""
    deep = {"CSPS_LLM_DATA": str(tmp_path / ("x" * 90))}

    assert len(str(load(deep).model_socket)) <= SOCKET_PATH_LIMIT_BYTES
    assert load(deep).model_socket == load(deep).model_socket
    assert load(deep).model_socket != load({"CSPS_LLM_DATA": str(tmp_path / ("y" * 90))}).model_socket


def test_the_data_folder_does_not_depend_on_where_a_process_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative ones are taken from the checkout."""
    monkeypatch.chdir(tmp_path)

    assert load({}).data_folder == ROOT / "var"
