"""The paths of /v1: those that are served, and OpenAI's other ones, each with what to do instead."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import NoReturn

from aiohttp import web

from web.file_upload import FileUpload
from web.mounting import MountedRouter
from web.problems import PathUnknown
from web.v1 import azure, chat, embeddings, models, responses
from web.v1.cross_origin import Preflight

Route = tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]
# After /v1. Without HEAD where it would generate a whole answer and discard it.
ROUTES: tuple[Route, ...] = (
    ("POST", "/responses/compact", responses.refuse_compaction),
    ("POST", "/responses/input_tokens", responses.refuse_counting),
    ("GET", "/responses/{response}", responses.refuse_stored),
    ("DELETE", "/responses/{response}", responses.refuse_stored),
    ("POST", "/responses/{response}/cancel", responses.refuse_stored),
    ("GET", "/responses/{response}/input_items", responses.refuse_stored),
    ("POST", "/embeddings", embeddings.embeddings),
    ("GET", "/models", models.models),
    ("HEAD", "/models", models.models),
    ("GET", "/models/{personality}", models.one_model),
    ("HEAD", "/models/{personality}", models.one_model),
)
PATHS = "/v1/chat/completions, /v1/responses, /v1/embeddings and /v1/models"
ABSENT: Mapping[str, str] = {
    "completions": "text completions are not served; send `messages` to /v1/chat/completions",
    "batches": "batches are not served; run `csps-llm toil run --openai` on the file, or use /toil/<personality>/batch",
    "files": "files are not stored; POST /read returns the text of one",
    **dict.fromkeys(("assistants", "threads", "conversations", "vector_stores"), "/v1 stores nothing"),
    **dict.fromkeys(("images", "audio", "videos", "moderations", "realtime", "fine_tuning"), "/v1 serves text alone"),
}


# The paths of clients whose base URL lacks /v1, or has it twice.
MISPLACED = ("/chat/completions", "/completions", "/responses", "/embeddings", "/models", "/v1/v1/{rest:.*}")


def add_v1_routes(router: MountedRouter, files: FileUpload) -> None:
    """Adds each path, also with a slash at its end, which some clients' base URLs bring."""
    methods: dict[str, list[str]] = {}
    for method, path, handler in served_routes(files):
        router.add_route(method, path, handler)
        methods.setdefault(path, []).append(method)
    for path, served in methods.items():
        router.add_route("OPTIONS", path, Preflight(", ".join([*served, "OPTIONS"])).answer)
    for prefix, name in itertools.product(("/v1", *azure.PREFIXES, *azure.DEPLOYMENTS), ABSENT):
        router.add_route("*", f"{prefix}/{{absent:{name}}}", refuse_path)
        router.add_route("*", f"{prefix}/{{absent:{name}}}/{{rest:.*}}", refuse_path)
    for path in ("/v1", "/v1/"):
        router.add_route("*", path, refuse_root)
    for path in MISPLACED:
        router.add_hint("*", path, refuse_base_url)


def served_routes(files: FileUpload) -> Iterator[Route]:
    chats = chat.ChatEndpoint(files)
    create_response = responses.ResponsesEndpoint(files).create
    created: tuple[Route, ...] = (
        ("POST", "/chat/completions", chats.create),
        ("POST", "/responses", create_response),
    )
    deployed: tuple[Route, ...] = (
        ("POST", "/chat/completions", chats.create),
        ("POST", "/embeddings", embeddings.embeddings),
    )
    for prefix in ("/v1", *azure.PREFIXES):
        yield from routes_under(prefix, (*created, *ROUTES))
    for prefix in azure.DEPLOYMENTS:
        yield from routes_under(prefix, deployed)


def routes_under(prefix: str, routes: Iterable[Route]) -> Iterator[Route]:
    for method, path, handler in routes:
        yield method, f"{prefix}{path}", handler
        yield method, f"{prefix}{path}/", handler


async def refuse_path(request: web.Request) -> NoReturn:
    raise PathUnknown(f"{ABSENT[request.match_info['absent']]}; this service has {PATHS}")


async def refuse_root(_: web.Request) -> NoReturn:
    raise PathUnknown(f"this service has {PATHS}")


async def refuse_base_url(_: web.Request) -> NoReturn:
    raise PathUnknown(f"the base URL of a client must end in /v1, such as http://localhost:5000/v1; it has {PATHS}")
