"""A stand-in of Ollama's OpenAI endpoint, as strict as its reference.

Fields and types are those of `ChatCompletionRequest` (openai/openai.go): Go refuses a value of another type and
ignores unknown fields, among them vLLM's and llama-server's. There is no /health and no /tokenize, and a prompt that
is too long is cut in silence. `old` is a version before 0.5, which ignores json_schema. Its window is in its own API
(docs/api.md): /api/show has `num_ctx` if the Modelfile does, /api/ps the window of a model in memory.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from tests.support.stand_in import StandIn
from tests.support.toy_model import Body, ToyRequest, count_tokens


class GoStruct(BaseModel):
    """Go's JSON: strict types, unknown fields ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)


class OllamaMessage(GoStruct):
    role: str
    content: str


class OllamaFormat(GoStruct):
    type: str
    json_schema: dict[str, Any] | None = None


class OllamaStreamOptions(GoStruct):
    include_usage: bool = False


class OllamaChat(GoStruct):
    model: str
    messages: list[OllamaMessage]
    stream: bool = False
    stream_options: OllamaStreamOptions | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: Any = None
    temperature: float | int | None = None
    top_p: float | int | None = None
    response_format: OllamaFormat | None = None


class OllamaEmbed(GoStruct):
    model: str
    input: Any


class OllamaStandIn(StandIn):
    """`old`: before 0.5."""

    model = "toy:latest"

    def __init__(self, *, old: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.old = old
        self.is_loaded = False  # the model is in memory, with `window`
        self.num_ctx: int | None = None  # of the Modelfile
        self.trained = 131_072

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/chat/completions", self.chat),
            web.post("/v1/embeddings", self.embed),
            web.get("/v1/models", self.models),
            web.get("/api/version", self.version),
            web.post("/api/show", self.show),
            web.get("/api/ps", self.running_models),
        ]

    async def show(self, request: web.Request) -> web.Response:
        if (await request.json())["model"] != self.model:
            return web.json_response({"error": "model not found"}, status=404)
        stop = 'stop                           "<|im_end|>"'
        parameters = stop if self.num_ctx is None else f"num_ctx                        {self.num_ctx}\n{stop}"
        info = {"general.architecture": "toy", "toy.context_length": self.trained, "toy.block_count": 2}
        return web.json_response({"parameters": parameters, "details": {"family": "toy"}, "model_info": info})

    async def running_models(self, _request: web.Request) -> web.Response:
        loaded = {"name": self.model, "model": self.model, "size": 1, "context_length": self.window}
        return web.json_response({"models": [loaded] if self.is_loaded else []})

    async def version(self, _request: web.Request) -> web.Response:
        return web.json_response({"version": "0.4.7" if self.old else "0.12.3"})

    async def models(self, _request: web.Request) -> web.Response:
        entry = {"id": self.model, "object": "model", "created": 1, "owned_by": "library"}
        return web.json_response({"object": "list", "data": [entry]})

    async def embed(self, request: web.Request) -> web.Response:
        body = OllamaEmbed.model_validate(await request.json())
        texts = body.input if isinstance(body.input, list) else [body.input]
        data = [{"object": "embedding", "embedding": [0.6, 0.8], "index": number} for number in range(len(texts))]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "data": data, "model": body.model, "usage": usage})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        data = await request.json()
        self.requests.append(data)
        self.is_loaded = True
        try:
            body = OllamaChat.model_validate(data)
        except ValidationError as exc:
            field = exc.errors()[0]["loc"][0]
            return refuse(400, f"json: cannot unmarshal string into Go struct field ChatCompletionRequest.{field}")
        if not body.messages:
            return refuse(400, "[] is too short - 'messages'")
        if body.model != self.model:
            return refuse(404, f"model {body.model!r} not found")
        messages = [message.model_dump() for message in body.messages]
        answer = ToyRequest(
            messages,
            schema=self.schema(body),
            continues=messages[-1]["role"] == "assistant",  # the template leaves a last assistant message open
            seed=body.seed,
            max_tokens=body.max_tokens,
            stop=[body.stop] if isinstance(body.stop, str) else body.stop or [],
        ).answer()
        prompt, written = count_tokens(messages), len(answer.pieces)
        usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
        included = bool(body.stream_options and body.stream_options.include_usage)
        return await self.stream(request, answer, usage if included else None)

    def schema(self, body: OllamaChat) -> Any:
        """The schema that is enforced."""
        if self.old or body.response_format is None or body.response_format.type != "json_schema":
            return None
        return (body.response_format.json_schema or {}).get("schema")

    def frame(self, **fields: Any) -> Body:
        own = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": self.model}
        return {**own, "system_fingerprint": "fp_ollama", **fields}


def refuse(status: int, message: str) -> web.Response:
    kind = {400: "invalid_request_error", 404: "not_found_error"}.get(status, "api_error")
    return web.json_response({"error": {"message": message, "type": kind, "param": None, "code": None}}, status=status)
