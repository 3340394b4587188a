"""`csps-llm models`: what it shows, selects, downloads and removes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core import PROJECT_ROOT
from core.cli import app, model_host, models
from core.cli.model_pull import DownloadDisplay
from core.cli.model_survey import ModelRow, ModelState
from core.cli.models import refuse_removal
from core.errors import BadRequest, ConfigError, CspsError, ModelError, NotFound
from core.model.hardware.machine import Machine
from core.model.library import resources
from core.model.library.download.progress import DownloadProgress
from core.model.library.selection import read_selection
from core.model.library.specs import HubFile, ModelSpec
from tests.core.model.library.test_installed import begin_download, store
from tests.support.fake_hub import FakeHub, fake_hub

GIB = 1 << 30
REPO = "someone/A-Model-GGUF"
CATALOGUE = """
[large]
title = "Large 8B"
repo = "someone/Large-GGUF"
file = "large.gguf"
size_bytes = 5000000000
licence = "Apache-2.0"
licence_url = "https://www.apache.org/licenses/LICENSE-2.0"
languages = ["en", "fr", "de"]
context_window = 8192
good_for = { en = "Long texts.", fr = "Les longs textes." }

[small]
title = "Small 1B"
repo = "someone/A-Model-GGUF"
file = "small.gguf"
size_bytes = 1000000000
licence = "MIT"
licence_url = "https://opensource.org/license/mit"
languages = ["en", "fr"]
context_window = 8192
good_for = { en = "Short texts.", fr = "Les textes courts." }

[embedder]
title = "Embedder"
kind = "embedder"
repo = "someone/Embedder-GGUF"
file = "embedder.gguf"
size_bytes = 500000000
licence = "MIT"
licence_url = "https://opensource.org/license/mit"
languages = ["en", "fr"]
context_window = 512
good_for = { en = "Search.", fr = "La recherche." }
"""
LAPTOP = Machine(4, 16 * GIB, 14 * GIB, bandwidth_bytes_per_s=10e9)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a laptop that runs `small`, and to which `large` is too slow."""
    config, folder = tmp_path / "config", tmp_path / "var"
    config.mkdir()
    (config / "models.toml").write_text(CATALOGUE, encoding="utf-8")
    environ = {"CSPS_LLM_CONFIG": config, "CSPS_LLM_DATA": folder, "LLM_AUTO": "on", "LANG": "C", "COLUMNS": "200"}
    for name, value in environ.items():
        monkeypatch.setenv(name, str(value))
    for name in ("LC_ALL", "LC_MESSAGES", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(resources, "inspect_machine", lambda *_: LAPTOP)
    return folder


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets a host answer with the given entries."""

    def set_entries(*entries: dict[str, Any]) -> None:
        async def fetch(_settings: object) -> Any:
            return model_host.parse_served({"data": list(entries)})

        monkeypatch.setattr(models, "fetch_served", fetch)

    return set_entries


def run(*arguments: str, answer: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["models", *arguments], input=answer)
    if isinstance(result.exception, CspsError):
        raise result.exception
    return result.exit_code, result.output


def listed(*arguments: str) -> dict[str, dict[str, Any]]:
    code, output = run("list", "--json", *arguments)
    assert 0 == code
    return {row["id"]: row for row in json.loads(output)}


# --- list ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("data")
def test_the_list_says_which_model_and_why() -> None:
    """The better one has its reason, and people learn how to say no."""
    _, shown = run("list")
    rows = [line for line in shown.splitlines() if "│" in line]

    assert any("*" in row and "small" in row and "MIT" in row and "available" in row for row in rows)
    assert any("large" in row and "about 1.4 tokens/s, 5 are wanted" in row and "en, fr +1" in row for row in rows)
    assert "Model: Small 1B (the best of the catalogue for this machine)" in shown
    assert "MIT (https://opensource.org/license/mit)" in shown
    assert "Until it is here, SmolLM2-135M-Instruct answers" in shown
    assert "Large 8B would be better, but is not chosen: too slow here" in shown
    assert "LLM_AUTO=off" in shown


@pytest.mark.usefixtures("data")
def test_the_list_is_in_french_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "fr_CA.UTF-8")
    _, shown = run("list")

    assert "le meilleur du catalogue pour cette machine" in shown
    assert "environ 1,4 jetons/s" in shown
    assert "disponible" in shown


def test_states_without_a_running_service(data: Path) -> None:
    """Downloaded, begun, available, too large; a model outside the catalogue is listed by its id."""
    store(data / "models", "embedder.gguf", repo="someone/Embedder-GGUF")
    begin_download(data / "models", "small.gguf", 43)
    store(data / "models", "own-Q4.gguf", bytes(100), repo="other/Own")
    rows = listed()

    assert {"large": "unfit", "small": "paused", "embedder": "downloaded", "starter": "installed"} == {
        name: rows[name]["state"] for name in ("large", "small", "embedder", "starter")
    }
    own = rows["other/Own/own-Q4.gguf"]
    assert ("own-Q4", 100, "downloaded") == (own["title"], own["size_bytes"], own["state"])
    assert str(data / "models" / "other--Own" / "own-Q4.gguf") == own["path"]
    assert ["small"] == [name for name, row in rows.items() if row["default"]]
    assert "speed" == rows["large"]["obstacles"][0]["kind"]
    assert "stopped at 43%" in run("list")[1]


@pytest.mark.usefixtures("data")
def test_states_of_a_running_service(serve: Any) -> None:
    """The first model that it lists is in use, while another is downloaded."""
    download = {"done_bytes": 430, "total_bytes": 1000, "bytes_per_s": 10, "expected_s": 57, "problem": None}
    serve(
        {"id": "starter", "state": "loaded", "starter": True},
        {"id": "small", "state": "downloading", "download": download},
        {"id": "embedder", "state": "loading"},
    )
    rows = listed()

    assert ["downloading", "loading", "in_use"] == [rows[name]["state"] for name in ("small", "embedder", "starter")]
    assert 57 == rows["small"]["download"]["expected_s"]
    assert "downloading 43%" in run("list")[1]


@pytest.mark.usefixtures("data")
def test_a_download_that_waits_or_failed_says_why(serve: Any) -> None:
    serve(
        {"id": "small", "state": "downloading", "download": {"done_bytes": 1, "problem": "the network is away"}},
        {"id": "large", "state": "failed", "download": {"done_bytes": 1, "problem": "the disk is full"}},
    )
    rows = listed()

    assert ["waiting", "failed"] == [rows[name]["state"] for name in ("small", "large")]
    assert "the disk is full" in run("show", "large")[1]


@pytest.mark.parametrize("body", [{}, {"data": 3}, {"data": [{"no": "id"}]}, {"data": [3]}, [], None])
def test_an_answer_of_another_form_is_no_host(body: Any) -> None:
    """Another program may listen there."""
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        model_host.parse_served(body)


def test_a_model_of_remote_engines_is_listed(data: Path) -> None:
    """Its engines answer, so there is nothing to download or remove here. `show` asks them."""
    add_remote(data)

    shown = run("list")[1]
    assert "far" in shown
    assert "answered by gpu.invalid" in shown
    assert "pw" not in shown
    assert ["gpu.invalid"] == listed()["far"]["engines"]
    assert "gpu.invalid: " in run("show", "far")[1]
    for command in ("pull", "remove"):
        with pytest.raises(BadRequest, match="csps-llm models use far"):
            run(command, "far")


def add_remote(data: Path) -> None:
    file = data.parent / "config" / "models.toml"
    file.write_text(CATALOGUE + '[far]\ntitle = "Far"\nengines = [{ url = "http://user:pw@gpu.invalid/v1" }]\n')


@pytest.mark.usefixtures("data")
def test_with_an_engine_no_model_of_this_machine_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is downloaded for it, and a selection would not count."""
    monkeypatch.setenv("LLM_URL", "http://localhost:8000/v1")
    shown = run("list")[1]

    assert "LLM_URL is set: the engine at that address answers" in shown
    assert "is downloaded by the service" not in shown
    assert not any(row["default"] for row in listed().values())
    assert "next start" not in run("use", "small")[1]


@pytest.mark.usefixtures("data")
def test_the_starter_has_its_language() -> None:
    """People read there that it speaks no French."""
    assert ["en"] == listed()["starter"]["languages"]
    assert "Apache-2.0" in run("show", "starter")[1]


# --- show ------------------------------------------------------------------------------------------------------------


def test_show_has_everything(data: Path) -> None:
    file = store(data / "models", "small.gguf")
    _, shown = run("show", "small")

    for expected in (
        "Small 1B",
        "Short texts.",
        "MIT",
        "8,192 tokens",
        "7.0 tokens/s",
        f"huggingface.co/{REPO}",
        str(file),
    ):
        assert expected in shown


@pytest.mark.usefixtures("data")
def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(NotFound, match="no model named 'smal'; did you mean 'small'"):
        run("show", "smal")


# --- use -------------------------------------------------------------------------------------------------------------


def test_use_stores_the_selection(data: Path) -> None:
    """It warns of what stands in the way, and says when it counts."""
    _, shown = run("use", "large")

    assert "large" == read_selection(data)
    assert "Large 8B is selected" in shown
    assert "may be too much for this machine: too slow here" in shown
    assert "downloaded first" in shown
    assert "next start" in shown
    assert listed()["large"]["default"]

    _, shown = run("use", "auto")
    assert read_selection(data) is None
    assert "Model: Small 1B" in shown


@pytest.mark.usefixtures("data")
def test_a_running_service_takes_a_selection_over(serve: Any) -> None:
    serve({"id": "starter", "state": "loaded"})

    assert "running service takes it over" in run("use", "small")[1]


def test_a_model_of_remote_engines_can_be_selected(data: Path) -> None:
    """It is the default then, and nothing of this machine is."""
    add_remote(data)
    _, shown = run("use", "far")

    assert "far" == read_selection(data)
    assert "Far is selected. It is answered by gpu.invalid." in shown
    assert "downloaded" not in shown
    rows = listed()
    assert ["far"] == [model_id for model_id, row in rows.items() if row["default"]]
    shown = run("list")[1]
    assert "Model: Far (`csps-llm models use` selected it)" in shown
    assert any("*" in line and "far" in line for line in shown.splitlines())


def test_use_says_that_another_program_answers(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With LLM_URL no model of this catalogue is the default."""
    monkeypatch.setenv("LLM_URL", "http://gpu.invalid/v1")

    assert "LLM_URL is set and takes precedence" in run("use", "small")[1]
    assert "small" == read_selection(data)


@pytest.mark.usefixtures("data")
def test_use_says_that_a_variable_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise nothing would happen, without a reason."""
    monkeypatch.setenv("LLM_MODEL", "large")

    assert "LLM_MODEL is set and takes precedence" in run("use", "small")[1]


def test_an_embedder_cannot_be_selected(data: Path) -> None:
    with pytest.raises(BadRequest, match="does not chat"):
        run("use", "embedder")
    assert read_selection(data) is None


def test_a_folder_that_cannot_be_written_is_named(data: Path) -> None:
    data.parent.mkdir(exist_ok=True)
    data.write_text("in the way")
    with pytest.raises(ConfigError, match="var"):
        run("use", "small")


@pytest.mark.usefixtures("data")
def test_offline_a_selection_waits_for_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """No download is promised, in no command."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for shown in (run("use", "small")[1], run("list")[1]):
        assert "HF_HUB_OFFLINE forbids its download" in shown
        assert "too much" not in shown
        assert "is downloaded" not in shown


# --- pull ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Any:
    with fake_hub({"small.gguf": b"GGUF" + bytes(5000), "small-Q8.gguf": b"GGUF" + bytes(9000)}) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served


@pytest.mark.usefixtures("hub")
def test_pull_downloads_and_says_where(data: Path) -> None:
    """Without a terminal the progress is plain lines."""
    code, shown = run("pull", "small")
    file = data / "models" / "someone--A-Model-GGUF" / "small.gguf"

    assert 0 == code
    assert 5004 == file.stat().st_size
    assert str(file) in shown
    assert "csps-llm models use small" in shown
    assert "\r" not in shown
    assert "downloaded" == listed()["small"]["state"]


def test_pull_takes_any_repository(data: Path, hub: FakeHub) -> None:
    """A pattern is resolved, and the id is what `use` takes."""
    code, shown = run("pull", REPO, "*Q8.gguf")

    assert 0 == code
    assert f"csps-llm models use {REPO}/small-Q8.gguf" in shown
    run("use", f"{REPO}/small-Q8.gguf")
    assert listed()[f"{REPO}/small-Q8.gguf"]["default"]
    requests = len(hub.requests)
    assert 0 == run("pull", f"{REPO}/small-Q8.gguf")[0]
    assert requests == len(hub.requests)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((REPO,), "Which file of someone/A-Model-GGUF"),
        (("no-repo", "*.gguf"), "Give a repository and one of its GGUF files"),
        ((REPO, "../x.gguf"), "Give a repository and one of its GGUF files"),
        (("starter",), "not downloaded: it is installed already"),
    ],
)
def test_a_wrong_command_says_what_is_right(arguments: tuple[str, ...], problem: str) -> None:
    with pytest.raises(BadRequest) as refused:
        run("pull", *arguments)
    assert problem in refused.value.message


@pytest.mark.usefixtures("data")
def test_a_gated_repository_is_explained(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the language of the terminal."""
    hub.gated = True
    with pytest.raises(ModelError, match="HF_TOKEN"):
        run("pull", "small")
    monkeypatch.setenv("LANG", "fr_CA.UTF-8")
    with pytest.raises(ModelError, match="HF_TOKEN") as refused:
        run("pull", "small")
    assert "conditions" in refused.value.message


@pytest.mark.usefixtures("data")
def test_an_offline_pull_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        run("pull", "small")


def test_ctrl_c_keeps_what_has_arrived(data: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit status is that of an interrupted program; the same command continues."""
    from core.cli import model_pull

    async def interrupted(*_: object) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(model_pull, "fetch", interrupted)
        code, shown = run("pull", "small")
    assert 130 == code
    assert "the same command continues" in shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_bar_and_a_file_has_lines() -> None:
    """The bar is redrawn in place. Plain lines come every ten seconds, and when the state changes."""
    now = [0.0]
    half = DownloadProgress("downloading", 5_000_000, 10_000_000, 1_000_000, 5.0)
    terminal, file = Terminal(), io.StringIO()
    on_terminal, in_file = (DownloadDisplay("Small", "en", stream, lambda: now[0]) for stream in (terminal, file))
    for second in (0.0, 1.0, 11.0):
        now[0] = second
        on_terminal(half)
        in_file(half)
    in_file(DownloadProgress("checking", 10_000_000, 10_000_000))
    on_terminal.close()
    in_file.close()

    assert 3 == terminal.getvalue().count("\r\x1b[2K████████████░░░░░░░░░░░░ Small: 50% of 10 MB, 1 MB/s, 5 secs left")
    assert terminal.getvalue().endswith("\n")
    assert 2 == file.getvalue().count("Small: 50%")
    assert 3 == len(file.getvalue().splitlines())


def test_a_failure_is_printed_once() -> None:
    """By the command, not also by the progress."""
    file = io.StringIO()
    DownloadDisplay("Small", "en", file)(DownloadProgress("failed", 5, 10, problem="The disk is full."))

    assert "" == file.getvalue()


def test_a_bar_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is longer than the terminal would be repeated each second."""
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    DownloadDisplay("A model with a long name", "fr", terminal)(DownloadProgress("downloading", 5, 10, 1.0, 5.0))

    assert 39 == len(terminal.getvalue().removeprefix("\r\x1b[2K"))


# --- remove ----------------------------------------------------------------------------------------------------------


def test_remove_asks_first(data: Path) -> None:
    file = store(data / "models", "embedder.gguf", bytes(2000), repo="someone/Embedder-GGUF")

    code, shown = run("remove", "embedder", answer="n\n")
    assert (1, True) == (code, file.exists())
    assert "Delete Embedder (2 kB)?" in shown
    code, shown = run("remove", "embedder", "--yes")
    assert (0, False) == (code, file.exists())
    assert "2 kB are free" in shown


def test_remove_frees_an_unfinished_download(data: Path) -> None:
    folder = begin_download(data / "models", "large.gguf", 2048, repo="someone/Large-GGUF")
    run("remove", "large", "--yes")

    assert not folder.exists()


@pytest.mark.parametrize(
    ("state", "is_default", "expected"),
    [
        ("downloaded", True, "in_use"),
        ("in_use", False, "in_use"),
        ("loading", False, "in_use"),
        ("loaded", False, None),
        ("downloading", False, "is_downloading"),
        ("downloaded", False, None),
        ("paused", False, None),
    ],
)
def test_a_model_in_use_is_not_removed(state: ModelState, is_default: bool, expected: str | None) -> None:
    spec = ModelSpec("x", "X", HubFile(REPO, "x.gguf"))
    row = ModelRow(spec, state, is_default, 1, path=Path("x.gguf"), progress=DownloadProgress("paused", 1, 2))

    assert expected == refuse_removal(row)


def test_the_reason_of_a_refusal_says_what_to_do(data: Path) -> None:
    store(data / "models", "small.gguf")
    with pytest.raises(BadRequest, match="Choose another model first: csps-llm models use"):
        run("remove", "small", "--yes")
    with pytest.raises(BadRequest, match="not on this machine"):
        run("remove", "large", "--yes")
    with pytest.raises(BadRequest, match="not a download"):
        run("remove", "starter", "--yes")


def test_a_model_of_a_personality_is_not_removed(data: Path) -> None:
    """The running service would download it again."""
    folder = data.parent / "config" / "personalities"
    folder.mkdir()
    shipped = (PROJECT_ROOT / "config" / "personalities" / "whisper.toml").read_text(encoding="utf-8")
    tables = {"one": 'model = "embedder"', "two": 'model = { repo = "other/Own", file = "own.gguf" }'}
    for name, line in tables.items():
        (folder / f"{name}.toml").write_text(f"{line}\n{shipped}", encoding="utf-8")
    store(data / "models", "embedder.gguf", repo="someone/Embedder-GGUF")
    store(data / "models", "own.gguf", repo="other/Own")

    with pytest.raises(BadRequest, match=r"the model of one\. Change the key `model`"):
        run("remove", "embedder", "--yes")
    with pytest.raises(BadRequest, match="the model of two"):
        run("remove", "other/Own/own.gguf", "--yes")
