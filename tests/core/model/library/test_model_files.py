"""The model file that is loaded, and its checks."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from structlog.testing import capture_logs

from core.configuration import settings
from core.errors import ConfigError, ModelError
from core.model.library import model_files, starter
from core.model.library.gguf_file import ModelFile
from core.model.library.model_files import find, verify
from core.model.library.model_parts import choose

REPO = "someone/A-Model-GGUF"
ONE, OTHER = b"GGUF one", b"GGUF two"


def writes_one(_source: Path, target: Path) -> None:
    target.write_bytes(ONE)


def never(source: Path, target: Path) -> None:
    raise AssertionError("unexpected transcoding")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Hub:
    """A Hugging Face hub with one repository. Its stated sha256 may differ from the data."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.stated: dict[str, str] = {}  # sha256 by file, if not that of its data
        self.requests: list[str] = []
        self.cut_after: int | None = None
        hub = self

        class HubHandler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.requests.append(self.path)
                if self.path.startswith(f"/api/models/{REPO}"):
                    self.reply(json.dumps(hub.info()).encode(), {"Content-Type": "application/json"})
                else:
                    self.do_HEAD()

            def do_HEAD(self) -> None:
                name = self.path.partition("/resolve/main/")[2].partition("?")[0]
                if REPO not in self.path or name not in hub.files:
                    self.send_error(404)
                    return
                sha = hub.stated.get(name, sha256(hub.files[name]))
                self.reply(hub.files[name], {"X-Repo-Commit": "c" * 40, "ETag": f'"{sha}"'})

            def reply(self, data: bytes, headers: dict[str, str]) -> None:
                self.send_response(200)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(data if self.path.startswith("/api") else data[: hub.cut_after])

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), HubHandler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def info(self) -> dict[str, Any]:
        siblings = [
            {
                "rfilename": name,
                "size": len(data),
                "lfs": {"sha256": self.stated.get(name, sha256(data)), "size": len(data), "pointerSize": 100},
            }
            for name, data in self.files.items()
        ]
        return {"_id": "1", "id": REPO, "modelId": REPO, "sha": "c" * 40, "siblings": siblings, "tags": []}

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    served = Hub()
    use_hub(monkeypatch, served.url)
    yield served
    served.stop()


def use_hub(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


def configure(tmp_path: Path, **variables: str) -> settings.Settings:
    return settings.load({"CSPS_LLM_DATA": str(tmp_path), **variables})


def from_hub(tmp_path: Path, pattern: str) -> ModelFile:
    return find(configure(tmp_path, LLM_HUGGINGFACE_REPO=REPO, LLM_HUGGINGFACE_FILE=pattern), never)


# --- LLM_MODEL_FILE --------------------------------------------------------------------------------------------------


def test_a_file_path_overrides_the_repository(tmp_path: Path) -> None:
    """LLM_MODEL_FILE wins, and the file name is the name of the model."""
    file = tmp_path / "My model.Q4.gguf"
    file.write_bytes(ONE)
    found = find(configure(tmp_path, LLM_MODEL_FILE=str(file), LLM_HUGGINGFACE_REPO=REPO), never)

    assert found == ModelFile(file, "My model.Q4", starter=False)


@pytest.mark.parametrize(("content", "words"), [(None, "no file"), (b"", "not a GGUF"), (b"PK\3\4 zip", "not a GGUF")])
def test_a_file_that_is_not_gguf_is_refused_with_its_path(tmp_path: Path, content: bytes | None, words: str) -> None:
    """The check comes before llama.cpp opens the file."""
    file = tmp_path / "model.gguf"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as refused:
        find(configure(tmp_path, LLM_MODEL_FILE=str(file)), never)

    assert "LLM_MODEL_FILE" in refused.value.message
    assert str(file) in refused.value.message


def test_an_unreadable_file_is_named_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(It was reported as a failure to listen.)"""
    file = tmp_path / "model.gguf"
    file.write_bytes(ONE)
    configured = configure(tmp_path, LLM_MODEL_FILE=str(file))

    def refuse(path: Path, *_: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match="Permission denied") as refused:
        find(configured, never)

    assert str(file) in refused.value.message


def test_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    """Saved prefixes are valid only for the file that computed them."""
    file = tmp_path / "model.gguf"
    file.write_bytes(ONE)
    before = ModelFile(file, "model").fingerprint
    assert ModelFile(file, "another name").fingerprint == before
    file.write_bytes(ONE + b"!")

    assert ModelFile(file, "model").fingerprint != before


# --- the starter -----------------------------------------------------------------------------------------------------


def test_the_starter_is_transcoded_once(tmp_path: Path) -> None:
    """The second start finds the result in the data folder."""
    made: list[Path] = []

    def transcode(source: Path, target: Path) -> None:
        made.append(source)
        target.write_bytes(ONE)

    first = find(configure(tmp_path), transcode)
    second = find(configure(tmp_path), never)

    assert first == second
    assert first.starter
    assert first.path.parent == tmp_path / "models"
    assert [source.suffix for source in made] == [".gguf"]


def test_an_interrupted_transcoding_is_repeated(tmp_path: Path) -> None:
    """A killed process leaves only a partial file."""

    def breaks(source: Path, target: Path) -> None:
        target.write_bytes(b"GGUF half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find(configure(tmp_path), breaks)
    found = find(configure(tmp_path), writes_one)

    assert found.path.read_bytes() == ONE


def test_an_impossible_models_folder_is_named_in_the_error(tmp_path: Path) -> None:
    """The operator can then remove the obstacle."""
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(ConfigError, match="models"):
        find(configure(tmp_path), never)


def test_a_missing_starter_package_error_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names `make install`."""
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no-such-package")
    with pytest.raises(ConfigError, match="make install"):
        find(configure(tmp_path), never)


# --- the hub ---------------------------------------------------------------------------------------------------------


def test_a_file_is_downloaded_once(hub: Hub, tmp_path: Path) -> None:
    """A pattern selects it; the second start downloads nothing."""
    hub.files = {"a-model-Q4_K_M.gguf": ONE, "a-model-Q8_0.gguf": OTHER, "README.md": b"#"}
    first = from_hub(tmp_path, "*Q4_K_M.gguf")
    downloads = len([path for path in hub.requests if "/resolve/" in path])
    second = from_hub(tmp_path, "*Q4_K_M.gguf")

    assert (
        first == second == ModelFile(tmp_path / "models" / "someone--A-Model-GGUF" / "a-model-Q4_K_M.gguf", first.name)
    )
    assert first.path.read_bytes() == ONE
    assert first.name == "a-model-Q4_K_M"
    assert len([path for path in hub.requests if "/resolve/" in path]) == downloads


def test_all_parts_of_a_split_model_are_downloaded(hub: Hub, tmp_path: Path) -> None:
    """A pattern that matches only the first part is enough. (The others were missing.)"""
    hub.files = {f"big-0000{n}-of-00003.gguf": b"GGUF %d" % n for n in (3, 1, 2)} | {"small.gguf": OTHER}
    found = from_hub(tmp_path, "big-00001-*")

    assert found.path.name == "big-00001-of-00003.gguf"
    assert sorted(file.name for file in found.path.parent.glob("*.gguf")) == [
        f"big-0000{n}-of-00003.gguf" for n in (1, 2, 3)
    ]


def test_a_corrupt_download_is_refused_and_removed(hub: Hub, tmp_path: Path) -> None:
    """The hub's client reports success for a file of the right size with the wrong content."""
    hub.files = {"model.gguf": ONE}
    hub.stated = {"model.gguf": sha256(OTHER)}
    with pytest.raises(ModelError, match="corrupt"):
        from_hub(tmp_path, "*.gguf")
    hub.stated = {}

    assert from_hub(tmp_path, "*.gguf").path.read_bytes() == ONE


@pytest.mark.parametrize("name", ["model.gguf", "folder/model.gguf"])
def test_an_unchecked_download_is_not_loaded(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A process killed during the check leaves no file that the next start would load. (It did.)"""
    hub.files = {name: ONE}
    hub.stated = {name: sha256(OTHER)}

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(model_files, "verify", killed)
        with pytest.raises(KeyboardInterrupt):
            from_hub(tmp_path, "*.gguf")
    with pytest.raises(ModelError, match="corrupt"):
        from_hub(tmp_path, "*.gguf")
    hub.stated = {}

    assert from_hub(tmp_path, "*.gguf").path == tmp_path / "models" / "someone--A-Model-GGUF" / name


def test_an_unchecked_download_is_not_used_offline(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No start can check it without the hub."""
    hub.files = {"model.gguf": ONE}

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(model_files, "verify", killed)
    with pytest.raises(KeyboardInterrupt):
        from_hub(tmp_path, "*.gguf")
    hub.stop()

    with pytest.raises(ModelError, match="holds no file"):
        from_hub(tmp_path, "*.gguf")


def test_an_interrupted_download_is_resumed(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names repository and file; no partial file is loaded. (It was a traceback.)"""
    monkeypatch.setattr("time.sleep", lambda _s: None)  # pauses between the retries of the hub's client
    hub.files = {"model.gguf": ONE}
    hub.cut_after = 4
    with pytest.raises(ModelError, match=r"downloading model\.gguf failed") as refused:
        from_hub(tmp_path, "*.gguf")
    assert REPO in refused.value.message
    hub.cut_after = None

    assert from_hub(tmp_path, "*.gguf").path.read_bytes() == ONE


def test_an_earlier_download_is_used_offline(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says so. (A refused connection was a traceback.)"""
    hub.files = {"model-Q4.gguf": ONE, "model-Q8.gguf": OTHER}
    fetched = from_hub(tmp_path, "*Q4*")
    hub.stop()

    with capture_logs() as logs:
        assert from_hub(tmp_path, "*Q4*") == fetched
    assert [entry["event"] for entry in logs] == ["hub_unreachable"]


def test_offline_without_a_download_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names repository, pattern and variables; the next start may succeed."""
    use_hub(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(ModelError) as refused:
        from_hub(tmp_path, "*Q4*")

    assert all(word in refused.value.message for word in (REPO, "*Q4*", "LLM_HUGGINGFACE_REPO", "LLM_MODEL_FILE"))
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("repo", ["no/such-repo", "not a repo", "../..", ""])
def test_an_unknown_repository_is_a_configuration_error(hub: Hub, tmp_path: Path, repo: str) -> None:
    """The hub answers 404, or the name is invalid."""
    with pytest.raises(ConfigError, match="LLM_HUGGINGFACE_REPO"):
        find(configure(tmp_path, LLM_HUGGINGFACE_REPO=repo, LLM_HUGGINGFACE_FILE="*.gguf"), never)


def test_repository_and_file_are_required_together(tmp_path: Path) -> None:
    """One without the other is an error."""
    with pytest.raises(ConfigError, match="LLM_HUGGINGFACE_FILE is missing"):
        find(configure(tmp_path, LLM_HUGGINGFACE_REPO=REPO), never)


def test_a_download_that_is_not_gguf_is_refused(hub: Hub, tmp_path: Path) -> None:
    """Its name does not matter."""
    hub.files = {"model.gguf": b"<html>"}
    with pytest.raises(ConfigError, match="not a GGUF"):
        from_hub(tmp_path, "*.gguf")


# --- choosing --------------------------------------------------------------------------------------------------------


def test_a_pattern_without_a_match_lists_the_files() -> None:
    """The operator can then correct it without a browser."""
    with pytest.raises(ConfigError, match=r"a-Q4\.gguf, a-Q8\.gguf"):
        choose(["a-Q4.gguf", "a-Q8.gguf"], "*Q5*", REPO)


def test_a_pattern_that_matches_several_models_lists_them() -> None:
    """No model is chosen by guessing."""
    with pytest.raises(ConfigError, match=r"2 models: a-Q4\.gguf, a-Q8\.gguf"):
        choose(["a-Q4.gguf", "a-Q8.gguf", "b.gguf"], "a-*", REPO)


def test_a_split_model_yields_its_parts_in_order() -> None:
    """Parts of other models are left out."""
    names = ["x-00002-of-00002.gguf", "x-00001-of-00002.gguf", "y-00001-of-00002.gguf"]

    assert choose(names, "x*", REPO) == ["x-00001-of-00002.gguf", "x-00002-of-00002.gguf"]


def test_a_file_without_a_stated_checksum_is_accepted(tmp_path: Path) -> None:
    """The hub states none for small files."""
    file = tmp_path / "file"
    file.write_bytes(ONE)
    verify(file, None)
    verify(file, sha256(ONE))

    assert file.exists()
