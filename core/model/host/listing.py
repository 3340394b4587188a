"""Describes the models for GET /v1/models: their state, and the progress of downloads. Pure."""

from __future__ import annotations

from typing import Any

from core.contract import Json
from core.model.host.downloads import Downloads
from core.model.host.local_models import LocalModel
from core.model.host.model_host import ModelHost
from core.model.library.download.progress import LOAD_FAULT
from core.model.library.file_digests import FileDigests
from core.model.library.specs import Starter
from core.openai.response_objects import model_object

NANOSECONDS = 10**9
PROGRESS_FIELDS = ("done_bytes", "total_bytes", "bytes_per_s", "expected_s", "problem", "fault", "problem_in_french")


def list_models(host: ModelHost, downloads: Downloads, digests: FileDigests | None = None) -> list[Json]:
    """The default model is the first, then the one that answers in its place. `digests`: None lists no files."""
    models = host.models.listed() if host.models else []
    return [{**describe(each, host, downloads), **describe_file(each, host, digests)} for each in models]


def describe(model: LocalModel, host: ModelHost, downloads: Downloads) -> dict[str, Json]:
    deployment = model.deployment
    worker = host.pool.worker(deployment) if deployment else None
    ready = worker.process.ready if worker else None
    window = ready.window if ready else deployment.window if deployment else model.spec.context_window
    created = max(part.changed_ns for part in deployment.file) // NANOSECONDS if deployment else 0
    return {
        **model_object(model.spec.id, created),
        "title": deployment.options.name if deployment else model.spec.title,
        **({"max_model_len": window} if window else {}),
        "starter": deployment is not None and deployment.is_starter,
        "embedder": ready.embedder if ready else model.spec.embedder,
        "state": state_of(model, host, downloads),
        **describe_download(model, host, downloads),
    }


def describe_file(model: LocalModel, host: ModelHost, digests: FileDigests | None) -> dict[str, Json]:
    """The field `file`, of a loaded model. The digest of one that nobody uses would be computed for nothing."""
    deployment = model.deployment
    if digests is None or not deployment or not deployment.file or not host.pool.worker(deployment):
        return {}
    size = sum(part.size_bytes for part in deployment.file)
    changed = max(part.changed_ns for part in deployment.file)
    sha256 = digests.find(deployment.path, size, changed)
    return {"file": {"name": deployment.path.name, "size_bytes": size, "changed_ns": changed, "sha256": sha256}}


def state_of(model: LocalModel, host: ModelHost, downloads: Downloads) -> str:
    deployment = model.deployment
    if deployment is None and isinstance(model.spec.source, Starter):
        return "loading"  # its file is being made
    if deployment is None:
        progress = downloads.progress(model.missing) if model.missing else None
        is_coming = model.missing and not (progress and progress.state == "failed")
        return "downloading" if is_coming else "failed"
    if host.pool.worker(deployment):
        return "loaded"
    if host.pool.refusal(deployment):
        return "failed"
    return "loading" if host.pool.is_loading(deployment) else "available"


def describe_download(model: LocalModel, host: ModelHost, downloads: Downloads) -> dict[str, Any]:
    """The field `download`, of a model that is not here or that cannot be loaded."""
    if problem := host.problem(model):
        return {"download": {"problem": problem, "fault": LOAD_FAULT}}
    progress = downloads.progress(model.missing) if model.missing else None
    return {"download": {name: getattr(progress, name) for name in PROGRESS_FIELDS}} if progress else {}
