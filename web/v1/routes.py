"""The paths of /v1: those that are served, and OpenAI's other ones, each with what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from aiohttp import web

from web.file_upload import FileUpload
from web.problems import PathUnknown
from web.v1 import azure, chat, embeddings, models, responses

# Without HEAD where it would generate a whole answer and discard it.
ROUTES = (
    ("POST", "/v1/responses/compact", responses.refuse_compaction),
    ("POST", "/v1/responses/input_tokens", responses.refuse_counting),
    ("GET", "/v1/responses/{response}", responses.refuse_stored),
    ("DELETE", "/v1/responses/{response}", responses.refuse_stored),
    ("POST", "/v1/responses/{response}/cancel", responses.refuse_stored),
    ("GET", "/v1/responses/{response}/input_items", responses.refuse_stored),
    ("POST", "/v1/embeddings", embeddings.embeddings),
    ("GET", "/v1/models", models.models),
    ("HEAD", "/v1/models", models.models),
    ("GET", "/v1/models/{personality}", models.one_model),
    ("HEAD", "/v1/models/{personality}", models.one_model),
)
PATHS = "/v1/chat/completions, /v1/responses, /v1/embeddings and /v1/models"
ABSENT: Mapping[str, str] = {
    "completions": "text completions are not served; send `messages` to /v1/chat/completions",
    "batches": "batches are not served; run `csps-llm toil run --openai` on the file, or use /toil/<personality>/batch",
    "files": "files are not stored; POST /read returns the text of one",
    **dict.fromkeys(("assistants", "threads", "conversations", "vector_stores"), "/v1 stores nothing"),
    **dict.fromkeys(("images", "audio", "videos", "moderations", "realtime", "fine_tuning"), "/v1 serves text alone"),
}


def add_v1_routes(router: web.UrlDispatcher, files: FileUpload) -> None:
    """Each path is also served with a slash at its end, which some clients' base URLs bring."""
    chats = chat.ChatEndpoint(files)
    create_response = responses.ResponsesEndpoint(files).create
    created = (
        ("POST", "/v1/chat/completions", chats.create),
        ("POST", "/v1/responses", create_response),
        ("POST", azure.RESPONSES, create_response),
    )
    for method, path, handler in (*created, *ROUTES):
        router.add_route(method, path, handler)
        router.add_route(method, f"{path}/", handler)
    for prefix in azure.PREFIXES:
        router.add_route("POST", f"{prefix}/chat/completions", chats.create)
        router.add_route("POST", f"{prefix}/embeddings", embeddings.embeddings)
    for name in ABSENT:
        router.add_route("*", f"/v1/{{absent:{name}}}", refuse_path)
        router.add_route("*", f"/v1/{{absent:{name}}}/{{rest:.*}}", refuse_path)


async def refuse_path(request: web.Request) -> NoReturn:
    raise PathUnknown(f"{ABSENT[request.match_info['absent']]}; this service has {PATHS}")
