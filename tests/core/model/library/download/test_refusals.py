"""Refusals of the hub are explained once, with what to do, and not repeated."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from core import PROJECT_ROOT
from core.model.library.download.failures import TRANSIENT, DownloadFailed, DownloadFault, HubUnreachable
from core.model.library.specs import HubFile
from core.texts.catalogue import catalogue
from tests.core.model.library.download.support import NAME, fetch_from
from tests.support.fake_hub import REPO, FakeHub

PACKAGE = PROJECT_ROOT / "core" / "model" / "library" / "download"


async def failure_of(hub: FakeHub, models: Path, source: HubFile | None = None, **environ: str) -> DownloadFailed:
    with pytest.raises(DownloadFailed) as failure:
        await fetch_from(hub, models, source or HubFile(REPO, NAME), environ=environ or {"HF_TOKEN": ""})
    assert "\n" not in failure.value.message
    return failure.value


@pytest.fixture(autouse=True)
def no_stored_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


async def test_offline_is_one_line_and_no_request(hub: FakeHub, tmp_path: Path) -> None:
    failure = await failure_of(hub, tmp_path, HF_HUB_OFFLINE="1")

    assert "HF_HUB_OFFLINE" in failure.message
    assert REPO in failure.message
    assert [] == hub.requests


async def test_offline_a_file_that_is_there_is_used(hub: FakeHub, tmp_path: Path) -> None:
    found = await fetch_from(hub, tmp_path)

    assert found == await fetch_from(hub, tmp_path, environ={"HF_HUB_OFFLINE": "yes"})


async def test_a_misspelt_repository(hub: FakeHub, tmp_path: Path) -> None:
    """It may also be private: the hub does not tell these apart."""
    failure = await failure_of(hub, tmp_path, HubFile("someone/A-Modle-GGUF", NAME))

    assert ("repository", False, 1) == (failure.reason, failure.transient, len(hub.requests))
    assert "someone/A-Modle-GGUF" in failure.message
    assert "HF_TOKEN" in failure.message


@pytest.mark.parametrize(
    "repo", ["not a repo", "../..", "", "a/b/c", "a--b", ".a/b", "a/b.git", "a/b?x", "https://h/a", "a/" + "b" * 100]
)
async def test_an_invalid_name_is_never_sent(hub: FakeHub, tmp_path: Path, repo: str) -> None:
    failure = await failure_of(hub, tmp_path, HubFile(repo, NAME))

    assert ("name", []) == (failure.reason, hub.requests)


@pytest.mark.parametrize("token", ["", "hf_secret"])
async def test_a_gated_repository_says_where_its_terms_are(hub: FakeHub, tmp_path: Path, token: str) -> None:
    hub.gated = True
    failure = await failure_of(hub, tmp_path, HF_TOKEN=token)

    assert ("gated", False) == (failure.reason, failure.transient)
    assert f"{hub.url}/{REPO}" in failure.message
    assert "hf_secret" not in failure.message


async def test_a_refused_token_is_named_as_such(hub: FakeHub, tmp_path: Path) -> None:
    hub.required_token = "hf_right"
    failure = await failure_of(hub, tmp_path, HF_TOKEN="hf_wrong")

    assert ("token", False) == (failure.reason, failure.transient)
    assert "hf_wrong" not in failure.message


async def test_the_token_opens_a_private_repository(hub: FakeHub, tmp_path: Path) -> None:
    hub.required_token = "hf_right"

    assert (await fetch_from(hub, tmp_path, environ={"HF_TOKEN": " hf_right\n"})).is_file()


async def test_the_token_of_a_login_is_used(hub: FakeHub, tmp_path: Path) -> None:
    """`hf auth login` writes it to a file."""
    hub.required_token = "hf_right"
    (tmp_path / "token").write_text("hf_right\n")

    assert (await fetch_from(hub, tmp_path, environ={"HF_TOKEN": ""})).is_file()


async def test_no_connection_is_one_line(hub: FakeHub, tmp_path: Path) -> None:
    """The cause is named, and nothing is repeated."""
    hub.stop()
    failure = await failure_of(hub, tmp_path)

    assert ("unreachable", True) == (failure.reason, failure.transient)
    assert "nothing listens there" in failure.message
    assert "ne peut pas être joint" in failure.explain("fr")


async def test_a_file_that_was_removed(hub: FakeHub, tmp_path: Path) -> None:
    """Between the list and the request."""
    listed = hub.describe()
    hub.describe = lambda: listed  # type: ignore[method-assign]
    del hub.files[NAME]

    assert "file" == (await failure_of(hub, tmp_path)).reason


async def test_a_pattern_without_a_match_lists_the_files(hub: FakeHub, tmp_path: Path) -> None:
    """The operator can then correct it without a browser."""
    failure = await failure_of(hub, tmp_path, HubFile(REPO, "*Q5*"))

    assert "a-model-Q4_K_M.gguf, a-model-Q8_0.gguf" in failure.message


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>sign in</html>",
        b"[]",
        b"{}",
        b'{"siblings": 1}',
        b"[" * 100_000,
        b'{"siblings": [' + b" " * 200_000 + b"]}",
    ],
    ids=["page", "list", "empty", "number", "nested", "large"],
)
async def test_another_answer_than_the_hubs_is_no_hub(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """A sign-in page of a hotel or a proxy answers with 200. Long answers are not read to their end."""
    monkeypatch.setattr("core.model.library.download.hub.LIST_LIMIT_BYTES", 150_000)
    hub.describe = lambda: Answer(answer)  # type: ignore[assignment,method-assign,return-value]
    failure = await failure_of(hub, tmp_path)

    assert ("protocol", True) == (failure.reason, failure.transient)


class Answer(dict[str, Any]):
    """Replaces the JSON of the fake hub."""

    def __init__(self, content: bytes) -> None:
        self.content = content


@pytest.fixture(autouse=True)
def raw_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    dumps = json.dumps
    raw = lambda value: value.content.decode() if isinstance(value, Answer) else dumps(value)  # noqa: E731
    monkeypatch.setattr("tests.support.fake_hub.json.dumps", raw)


@pytest.mark.parametrize(
    "sibling",
    [
        {"rfilename": "../../outside.gguf"},
        {"rfilename": "/etc/outside.gguf"},
        {"rfilename": "a/../../outside.gguf"},
        {"rfilename": "..\\outside.gguf"},
        {"rfilename": ".downloads/outside.gguf"},
        {"rfilename": "outside\x00.gguf"},
        {"rfilename": "a//outside.gguf"},
    ],
)
async def test_a_name_that_leaves_its_folder_is_refused(hub: FakeHub, tmp_path: Path, sibling: dict[str, Any]) -> None:
    listed = hub.describe()
    hub.describe = lambda: {**listed, "siblings": [{**listed["siblings"][1], **sibling}]}  # type: ignore[method-assign]
    failure = await failure_of(hub, tmp_path, HubFile(REPO, "*outside*"))

    assert ("unsafe", []) == (failure.reason, hub.sent)
    assert [] == list(tmp_path.rglob("*outside*"))


@pytest.mark.parametrize("sibling", [None, 3, [], {}, {"rfilename": 5}, {"rfilename": "x.gguf", "size": -1, "lfs": []}])
async def test_odd_entries_of_a_list_are_skipped(hub: FakeHub, tmp_path: Path, sibling: object) -> None:
    listed = hub.describe()
    hub.describe = lambda: {**listed, "siblings": [sibling, *listed["siblings"]]}  # type: ignore[method-assign]

    assert (await fetch_from(hub, tmp_path)).is_file()


# --- texts -----------------------------------------------------------------------------------------------------------


def raised() -> list[tuple[str, set[str]]]:
    """Each reason with which the package raises DownloadFailed, and the values given."""
    calls = [
        node
        for file in PACKAGE.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "DownloadFailed"
    ]
    return [(str(call.args[0].value), {str(each.arg) for each in call.keywords}) for call in calls]  # type: ignore[attr-defined]


def test_each_failure_gives_the_values_of_its_text() -> None:
    """A missing value would be shown as `{ $name }`."""
    entries = catalogue("en")
    extra = {
        "busy": {"host", "status"},
        "unreachable": {"host", "cause"},
        "unwritable": {"folder", "cause"},
        "crashed": {"repo"},
    }
    for reason, values in raised():
        message = DownloadFailed(reason, **dict.fromkeys(values, 1)).message  # type: ignore[arg-type]
        assert "{" not in message, (reason, values, message)
        assert f"error-download-{reason}" in entries
    assert {reason for reason, _ in raised()} | set(extra) == set(get_args(DownloadFault))
    assert set(get_args(DownloadFault)) >= TRANSIENT


def test_a_broken_connection_is_explained_in_both_languages() -> None:
    cause = httpx.ReadTimeout("", request=httpx.Request("GET", "http://hub/", extensions={"timeout": {"read": 30}}))

    assert "hub cannot be reached: it did not answer within 30 s." in HubUnreachable(cause).message
    assert "aucune réponse reçue en 30\u00a0s" in HubUnreachable(cause).explain("fr")
