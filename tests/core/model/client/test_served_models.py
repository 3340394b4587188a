"""Lists of models: which one answers, how far an awaited one is, and what is hostile in a list."""

from __future__ import annotations

import math
from typing import Any

import pytest

from core.contract import ModelProgress
from core.errors import ModelRefused
from core.model.client.served_models import ServedModels, parse_models

STARTER = {"id": "starter", "title": "SmolLM2", "starter": True, "state": "loaded", "max_model_len": 2048}
DOWNLOAD = {"done_bytes": 5, "total_bytes": 10, "bytes_per_s": 1.0, "expected_s": 5.0, "problem": None}
LARGE = {"id": "large", "title": "Large 8B", "state": "downloading", "max_model_len": 8192, "download": DOWNLOAD}
OWN = {"id": "own", "title": "Own 3B", "state": "available", "max_model_len": 4096}
EMBEDDER = {"id": "embedder", "state": "loaded", "embedder": True}


def listed(*entries: dict[str, Any]) -> ServedModels:
    return parse_models({"data": list(entries)})


def test_another_model_answers_for_one_that_is_downloaded() -> None:
    """The first one that is ready answers, but no embedder. The awaited one has a progress."""
    served = listed(LARGE, EMBEDDER, STARTER, OWN)
    answering = served.answering(None)

    assert (answering.title, answering.window, answering.starter) == ("SmolLM2", 2048, True)
    assert served.awaited(None) == ModelProgress("Large 8B", "downloading", 5, 10, 5.0)


@pytest.mark.parametrize("state", ["loaded", "loading", "available", None, "new-state"])
def test_a_model_answers_for_itself_once_its_file_is_there(state: str | None) -> None:
    """Requests wait while it is loaded into memory. A state of a newer service is no obstacle."""
    served = listed(STARTER, LARGE | {"state": state})

    assert served.answering("large").name == "large"
    assert served.awaited("large") is None
    assert served.answering("large").is_loaded == (state in ("loaded", None, "new-state"))


def test_the_starter_answers_while_the_default_model_is_loaded_for_the_first_time() -> None:
    """Later the default model is loaded again on demand, and requests wait for it."""
    loading = LARGE | {"state": "loading", "download": None}

    assert listed(loading, STARTER).answering(None).name == "starter"
    assert listed(loading, STARTER).awaited(None) == ModelProgress("Large 8B", "loading")
    assert listed(loading, STARTER | {"state": "available"}).answering(None).name == "large"
    assert listed(loading, STARTER | {"state": "available"}).awaited(None) is None


def test_the_only_model_answers_also_while_it_is_downloaded() -> None:
    """There is nothing better to name."""
    assert listed(LARGE).answering(None).name == "large"


def test_a_failed_download_has_a_reason_without_folders() -> None:
    """The reason is for everyone who sees /readyz: one line of bounded length, without paths of this machine."""
    problem = (
        "no space left: /srv/secret folder/models/x.gguf.part\n~/private/y, see https://me:hush@hub.example/a/b "
        + "z" * 999
    )
    progress = listed(LARGE | {"state": "failed", "download": {"problem": problem}}).requested("large").progress

    assert progress is not None
    assert progress.state == "failed"
    assert progress.problem is not None
    assert "secret" not in progress.problem.replace("secret folder", "")
    assert "private" not in progress.problem
    assert "hush" not in progress.problem
    assert "\n" not in progress.problem
    assert "https://hub.example/a/b" in progress.problem
    assert len(progress.problem) <= 300


@pytest.mark.parametrize("download", [None, [], {}, {"done_bytes": -1, "total_bytes": "x", "expected_s": math.inf}])
def test_a_malformed_download_is_one_without_numbers(download: object) -> None:
    """Nothing that a host sends breaks the description of a personality."""
    progress = listed(LARGE | {"download": download}).requested("large").progress

    assert progress == ModelProgress("Large 8B", "downloading")


@pytest.mark.parametrize("data", [None, [], "x", [1, None]])
def test_a_list_without_models_is_refused(data: object) -> None:
    """There is at least one model, or the engine is unusable."""
    with pytest.raises(ModelRefused, match="lists no model"):
        parse_models({"data": data})


def test_an_engine_of_another_kind_has_names_only() -> None:
    """vLLM and Ollama send an id; llama-server hides its window in `meta`."""
    [vllm, llama] = [listed({"id": "a"}).requested("a"), listed({"id": "b", "meta": {"n_ctx": 512}}).requested("b")]

    assert (vllm.title, vllm.window, vllm.starter, vllm.is_loaded) == ("a", 4096, False, True)
    assert llama.window == 512
    assert parse_models({"data": [{"id": "c", "max_model_len": 9000}]}, 1000).requested("c").window == 1000


def test_people_see_titles() -> None:
    """An answer can name a model that is listed no more."""
    served = listed(STARTER)

    assert (served.title("starter"), served.title("gone")) == ("SmolLM2", "gone")
