"""The models that an engine lists at /v1/models: which one answers a request, and how far an awaited one is. Pure.

Our own model process adds `title`, `state`, `starter` and `download` to OpenAI's fields (docs/protocols.md). It lists
the default model first; the model that answers in its place is the next one that is ready.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

from core.contract import ModelProgress
from core.errors import ModelRefused
from core.openai.response_objects import OWNER

Fields = Mapping[str, Any]
ModelState = Literal["loaded", "loading", "available", "downloading", "failed"]

ASSUMED_WINDOW_TOKENS = 4096  # if neither the engine nor LLM_CONTEXT_WINDOW names one
TITLE_LIMIT_CHARS = 200
PROBLEM_LIMIT_CHARS = 300
# Of vLLM and SGLang, OpenRouter and Together, Groq, Mistral. llama-server has `n_ctx` in `meta`.
WINDOW_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length")
LATEST = ":latest"
AWAITED_STATES = ("downloading", "failed")
LOADED_STATES = ("loaded", None)
CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")  # of an address
FOLDERS = re.compile(r"(?<![\w:/.])~?/(?:[^\s/:'\"]+/)+")  # of an absolute path, which is nobody's business


@dataclass(frozen=True, slots=True)
class ListedFile:
    """The file of a model of our own process. `sha256`: None while it is being computed.

    Of a model in several files: the first one's name, their size together, and the digest of their digests.
    """

    name: str
    size_bytes: int
    changed_ns: int  # since 1970, of the newest one
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that the engine serves. `name`: as requests name it. `window`: tokens that prompt and answer share.

    `tells_window`: False if `window` is the operator's or assumed. `state`: None if the engine does not tell.
    `progress`: set while it is not loaded yet, or cannot be.
    """

    name: str
    window: int
    starter: bool
    title: str
    state: ModelState | None = None
    progress: ModelProgress | None = None
    embedder: bool = False
    owner: str | None = None
    tells_window: bool = True
    file: ListedFile | None = None

    @property
    def is_loaded(self) -> bool:
        """False: the first request waits until the model is in memory."""
        return self.state in LOADED_STATES

    @property
    def is_here(self) -> bool:
        """True if it can answer, perhaps after a wait."""
        return self.state not in AWAITED_STATES


class ServedModels:
    """The models of one list, the default first. There is at least one."""

    def __init__(self, models: Iterable[ModelInfo]) -> None:
        self._by_name = {model.name: model for model in models}
        if not self._by_name:
            raise ModelRefused("the engine lists no model at /v1/models", engine_status=404)

    def __contains__(self, name: str | None) -> bool:
        return name is not None and self._listed(name) in self._by_name

    def _listed(self, name: str) -> str:
        """The name as the engine lists it: Ollama lists "m:latest" and answers to "m" as well."""
        return name if name in self._by_name else name + LATEST

    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def requested(self, name: str | None) -> ModelInfo:
        """The model of this name; the default for None. Raises ModelRefused if there is none."""
        if name is None:
            return next(iter(self._by_name.values()))
        if name not in self:
            served = ", ".join(self._by_name)
            raise ModelRefused(f"the engine does not serve the model {name!r}; it serves: {served}", engine_status=404)
        return self._by_name[self._listed(name)]

    def answering(self, name: str | None) -> ModelInfo:
        """The model that answers a request for `name`: itself, or the one that stands in for it. Raises ModelRefused.

        While the default model is loaded for the first time, the starter answers.
        """
        requested = self.requested(name)
        if requested.is_here:
            is_taking_over = requested.state == "loading" and requested is self.requested(None)
            starter = (each for each in self._by_name.values() if each.starter and each.is_loaded)
            return next(starter, requested) if is_taking_over else requested
        return next((each for each in self._by_name.values() if each.is_here and not each.embedder), requested)

    def awaited(self, name: str | None) -> ModelProgress | None:
        """The progress of the model of this name while another one stands in for it. Raises ModelRefused."""
        requested = self.requested(name)
        return None if self.answering(name) is requested and requested.is_here else requested.progress

    @property
    def is_ours(self) -> bool:
        """True if the engine is a csps-llm."""
        return all(model.owner == OWNER for model in self._by_name.values())

    def loaded(self) -> frozenset[str]:
        """The names of the models in memory."""
        return frozenset(name for name, model in self._by_name.items() if model.is_loaded)

    def title(self, name: str) -> str:
        """The title of the model, for people; the name of an unknown one."""
        return self._by_name[name].title if name in self._by_name else name


def parse_models(listing: Fields, window_limit: int | None = None) -> ServedModels:
    """Reads a response of /v1/models. `window_limit`: the operator's. Raises ModelRefused if it lists no model."""
    entries = listing.get("data")
    models = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return ServedModels(parse_model(entry, window_limit) for entry in models)


def parse_model(entry: Fields, window_limit: int | None) -> ModelInfo:
    window = listed_window(entry)
    windows = [each for each in (window, window_limit) if each]
    name = str(entry.get("id"))
    title = str(entry.get("title") or file_title(name))[:TITLE_LIMIT_CHARS]
    state: ModelState | None = entry["state"] if entry.get("state") in ModelState.__args__ else None  # type: ignore[attr-defined]
    return ModelInfo(
        name,
        min(windows, default=ASSUMED_WINDOW_TOKENS),
        bool(entry.get("starter")),
        title,
        state,
        parse_progress(title, state, entry.get("download")),
        bool(entry.get("embedder")),
        entry.get("owned_by"),
        tells_window=window is not None,
        file=parse_file(entry.get("file")),
    )


def parse_file(value: object) -> ListedFile | None:
    """The file of a model, which only our own process lists."""
    fields: Fields = value if isinstance(value, dict) else {}
    name, sha256 = fields.get("name"), fields.get("sha256")
    size, changed = fields.get("size_bytes"), fields.get("changed_ns")
    if not (isinstance(name, str) and isinstance(size, int) and isinstance(changed, int)):
        return None
    return ListedFile(name[:TITLE_LIMIT_CHARS], size, changed, sha256 if isinstance(sha256, str) else None)


def listed_window(entry: Fields) -> int | None:
    """The window of a model by its entry; None if the engine does not list it."""
    meta = entry.get("meta")
    values = [*(entry.get(name) for name in WINDOW_FIELDS), meta.get("n_ctx") if isinstance(meta, dict) else None]
    return next((each for each in values if isinstance(each, int) and each > 0), None)


def file_title(name: str) -> str:
    """The name of a model for people: llama-server calls it by the path of its file."""
    return PurePath(name).stem if name.endswith(".gguf") else name


def parse_progress(title: str, state: ModelState | None, download: object) -> ModelProgress | None:
    """The progress of a model that is not loaded yet; None for one that is, or that can be."""
    if state != "downloading" and state != "failed" and state != "loading":  # mypy narrows no membership
        return None
    fields = download if isinstance(download, dict) else {}
    done, total, expected_s = (positive(fields.get(key)) for key in ("done_bytes", "total_bytes", "expected_s"))
    problem = fields.get("problem")
    return ModelProgress(
        title,
        state,
        done_bytes=int(done or 0),
        total_bytes=int(total) if total else None,
        expected_s=expected_s,
        problem=one_line(problem) if isinstance(problem, str) and problem else None,
    )


def positive(value: object) -> float | None:
    """The number, unless it is none, negative or infinite."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else -1
    return number if 0 <= number < float("inf") else None


def one_line(problem: str) -> str:
    """A problem for everyone who sees /readyz: without folders of this machine and credentials, of bounded length."""
    return FOLDERS.sub("", CREDENTIALS.sub("", " ".join(problem.split())))[:PROBLEM_LIMIT_CHARS]
