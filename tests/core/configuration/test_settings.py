"""Settings: defaults from the file, overrides from the environment, errors with their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from core import PROJECT_ROOT
from core.configuration.settings import SOCKET_PATH_LIMIT_BYTES, load, variable_of, variables
from core.errors import ConfigError

SHIPPED = (PROJECT_ROOT / "config" / "settings.toml").read_text(encoding="utf-8")


def config_with(folder: Path, old: str, new: str) -> Path:
    assert old in SHIPPED
    (folder / "settings.toml").write_text(SHIPPED.replace(old, new), encoding="utf-8")
    return folder


def test_without_any_variable_the_starter_model_serves_locally() -> None:
    """No model file, no URL; 127.0.0.1:5000; a database in var/."""
    settings = load({})

    assert (settings.model.file, settings.model.url, settings.model.gpu_layers) == (None, None, None)
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 5000)
    assert settings.database_url == f"sqlite:///{PROJECT_ROOT / 'var' / 'csps-llm.db'}"


def test_the_documented_variables_keep_their_names() -> None:
    """Each variable sets its setting."""
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


def test_attached_files_have_the_limit_of_all_documents() -> None:
    """The web and the bots can have their own."""
    shared, own = load({"DOCUMENT_LIMIT": "4096"}), load({"DOCUMENT_LIMIT": "4096", "BOT_FILE_LIMIT": "2048"})

    assert (shared.rag.document_limit_bytes, shared.web.file_limit_bytes, shared.bot.file_limit_bytes) == (4096,) * 3
    assert (own.web.file_limit_bytes, own.bot.file_limit_bytes) == (4096, 2048)


def test_an_empty_variable_means_not_set() -> None:
    """Shells unset a variable by emptying it."""
    assert load({"LLM_GPU_LAYERS": "", "LLM_API_KEY": ""}).model.gpu_layers is None


def test_lists_come_with_commas() -> None:
    """A list in a variable is separated by commas."""
    assert load({"WEB_ORIGINS": "https://a.gc.ca, https://b.gc.ca"}).web.origins == (
        "https://a.gc.ca",
        "https://b.gc.ca",
    )


def test_a_wrong_variable_is_named() -> None:
    """The error names the variable, not the file."""
    with pytest.raises(ConfigError, match=r"^PORT: `web.port`"):
        load({"PORT": "many"})


def test_an_unknown_key_is_reported_with_file_line_and_nearest_key(tmp_path: Path) -> None:
    """The error names file, line and nearest key; keys of the shipped file are not reported as missing."""
    line = next(n for n, text in enumerate(SHIPPED.splitlines(), 1) if text.startswith("port ="))
    with pytest.raises(ConfigError) as caught:
        load({}, config_with(tmp_path, "port = 5000", "prt = 5000"))

    assert caught.value.message == f"{tmp_path}/settings.toml:{line}: `web.prt` is not a setting; did you mean `port`?"


def test_the_operators_folder_overrides_single_keys(tmp_path: Path) -> None:
    """One key is enough: the others keep their shipped values, and variables still override them."""
    (tmp_path / "settings.toml").write_text('[web]\nport = 5002\n[slack]\npersonality_of = { C1 = "whisper" }\n')
    own = load({}, tmp_path)

    assert (own.web.port, own.web.host, own.model.slots) == (5002, "127.0.0.1", 16)
    assert own.slack.personality_of == {"C1": "whisper"}
    assert load({"PORT": "5003"}, tmp_path).web.port == 5003
    assert own.config_file("sources.toml") == PROJECT_ROOT / "config" / "sources.toml"
    assert own.config_file("personalities") == PROJECT_ROOT / "config" / "personalities"
    (tmp_path / "personalities").mkdir()
    assert own.config_file("personalities") == tmp_path / "personalities"


def test_a_folder_without_settings_is_enough(tmp_path: Path) -> None:
    """An example is a folder that has only personalities."""
    assert load({}, tmp_path).web.port == 5000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("web = 3", "settings.toml:1: `web`: expected a table"),
        ("[web]\nport = 'many'", "settings.toml:2: `web.port`: expected a whole number"),
        ("[wbe]\nport = 1", "settings.toml:1: `wbe` is not a setting; did you mean `web`?"),
    ],
)
def test_mistakes_in_the_operators_folder(tmp_path: Path, text: str, said: str) -> None:
    """The error names its file and line, even if a variable sets a key of the same table."""
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load({"HOST": "::1"}, tmp_path)
    assert caught.value.message.startswith(f"{tmp_path}/{said}"), caught.value.message
    assert "missing" not in caught.value.message


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("LOG_FORMAT", "xml", "'text' or 'json'"),
        ("LLM_GPU_LAYERS", "all", "expected a whole number, or nothing for the automatic choice"),
        ("LLM_CONTEXT_WINDOW", "8k", "expected a whole number, or nothing for the automatic choice"),
        ("PORT", "many", "expected a whole number"),
        ("LLM_TIMEOUT_S", "long", "expected a number"),
        ("DISCORD_MESSAGE_CONTENT", "maybe", "expected true or false"),
        ("LLM_URL", "localhost:9999", "http:// or https://, such as http://localhost:8000/v1"),
        ("LLM_URL", "http:///v1", "such as http://localhost:8000/v1"),
        ("LLM_URL", "http://engine:80000/v1", "such as http://localhost:8000/v1"),
        ("RAG_EMBEDDINGS_URL", "ftp://engine", "such as http://localhost:8000/v1"),
        ("SLACK_API_BASE_URL", "slack.com/api", "such as https://slack.com/api/"),
        ("LLM_HUGGINGFACE_REPO", "foo", "expected owner/name, such as "),
        ("SLACK_BOT_TOKEN", "xapp-hush", "expected a bot token, which begins with xoxb-"),
        ("SLACK_APP_TOKEN", "xoxb-hush", "expected an app-level token, which begins with xapp-"),
        ("SLACK_PERSONALITIES", "C1", "expected pairs such as"),
        ("HOST", "", "a text that is not empty"),
        ("TEAMS_HOST", " ", "a text that is not empty"),
        ("LLM_API_KEY", "sk-hush–é", "signs of ASCII"),
        ("DISCORD_BOT_TOKEN", "hush\u00a0hush", "signs of ASCII"),
    ],
)
def test_a_wrong_value_is_reported_with_the_expected_form(variable: str, value: str, said: str) -> None:
    """The error describes the expected form without jargon and without the secret."""
    with pytest.raises(ConfigError) as caught:
        load({variable: value})
    message = caught.value.message
    assert message.startswith(f"{variable}: `")
    assert said in message
    assert not any(word in message.lower() for word in ("pattern", "parse", "value error", "hush"))


@pytest.mark.parametrize("setting", ["[model]\ngpu_layers = true", "[web]\nport = true", "[model]\ntimeout_s = true"])
def test_true_is_no_number(tmp_path: Path, setting: str) -> None:
    """Python would read it as 1: one layer, port 1, one second."""
    (tmp_path / "settings.toml").write_text(setting)
    with pytest.raises(ConfigError, match="expected a number, not true or false"):
        load({"CSPS_LLM_CONFIG": str(tmp_path)})


@pytest.mark.parametrize(
    ("given", "missing"),
    [("LLM_HUGGINGFACE_REPO", "LLM_HUGGINGFACE_FILE"), ("LLM_HUGGINGFACE_FILE", "LLM_HUGGINGFACE_REPO")],
)
def test_a_repository_without_a_file_is_an_error(given: str, missing: str) -> None:
    """The error names the missing half, unless another setting names the model."""
    with pytest.raises(ConfigError, match=rf"^{missing} is missing: .*a/b.*for example "):
        load({given: "a/b"})
    load({given: "a/b", "LLM_MODEL_FILE": "/m.gguf"})
    load({given: "a/b", "LLM_URL": "http://engine/v1"})


def test_the_origin_of_a_setting() -> None:
    """The variable if it is set, else the file."""
    loaded = load({"SLACK_PERSONALITY": "whisper"})
    assert loaded.origin("slack", "personality") == "SLACK_PERSONALITY"
    assert loaded.origin("teams", "personality") == str(PROJECT_ROOT / "config" / "settings.toml")


def test_a_relative_config_folder_does_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`up` and its processes have different working directories."""
    monkeypatch.chdir(tmp_path)
    assert load({"CSPS_LLM_CONFIG": "config"}).config == PROJECT_ROOT / "config"


@pytest.mark.parametrize(("old", "new"), [("port = 5000", "port = "), ("[web]", "[web")])
def test_invalid_toml_is_reported_with_its_line(tmp_path: Path, old: str, new: str) -> None:
    """A missing folder is named too."""
    with pytest.raises(ConfigError, match=r"settings\.toml: not valid TOML: .*line \d+"):
        load({}, config_with(tmp_path, old, new))
    with pytest.raises(ConfigError, match=r"^CSPS_LLM_CONFIG: there is no folder .*/absent$"):
        load({}, tmp_path / "absent")


def test_every_variable_is_named_in_the_file() -> None:
    """Each default has its variable beside it; no variable appears twice."""
    named = [field.json_schema_extra["env"] for _, _, field in variables()]  # type: ignore[index]

    assert len(set(named)) == len(named)
    for name in named:
        assert str(name) in SHIPPED or name in ("CSPS_LLM_DATA", "DATABASE_URL"), name


def test_the_socket_path_is_never_too_long(tmp_path: Path) -> None:
    """A deep checkout gets a short path elsewhere, the same for every process."""
    deep = {"CSPS_LLM_DATA": str(tmp_path / ("x" * 90))}

    assert len(str(load(deep).model_socket)) <= SOCKET_PATH_LIMIT_BYTES
    assert load(deep).model_socket == load(deep).model_socket
    assert load(deep).model_socket != load({"CSPS_LLM_DATA": str(tmp_path / ("y" * 90))}).model_socket


def test_the_data_folder_does_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path starts at the checkout."""
    monkeypatch.chdir(tmp_path)

    assert load({}).data_folder == PROJECT_ROOT / "var"


@pytest.mark.parametrize(("section", "key", "field"), variables())
def test_each_setting_has_a_description_and_a_valid_example(section: str, key: str, field: FieldInfo) -> None:
    """The reference of settings is generated from them."""
    assert (field.description or "").endswith(".")
    [example] = field.examples or []
    settings = load({"LLM_HUGGINGFACE_FILE": "*.gguf", "LLM_HUGGINGFACE_REPO": "o/n", variable_of(field): example})
    assert getattr(getattr(settings, section), key) is not None
