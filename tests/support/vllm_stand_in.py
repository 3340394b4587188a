"""A stand-in of vLLM's OpenAI server, as strict as its reference.

The fields and checks are those of `ChatCompletionRequest` (vllm/entrypoints/openai/chat_completion/protocol.py), the
errors those of its error handlers. Unknown fields are ignored, as there. The defaults are those of version 0.12;
`old` is 0.5, which has neither OpenAI's json_schema nor `structured_outputs`, and bare error objects.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tests.support.stand_in import StandIn
from tests.support.toy_model import Body, ToyRequest, count_tokens


class Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class VllmMessage(Lenient):
    role: Literal["system", "user", "assistant", "developer", "tool"]
    content: str


class VllmSchema(Lenient):
    name: str
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")


class VllmFormat(Lenient):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: VllmSchema | None = None


class VllmStructuredOutputs(BaseModel):
    model_config = ConfigDict(extra="forbid")
    json: dict[str, Any] | str | None = None  # type: ignore[assignment]
    regex: str | None = None


class VllmChat(Lenient):
    messages: list[VllmMessage]
    model: str | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    response_format: VllmFormat | None = None
    seed: int | None = None
    stop: str | list[str] = []
    stream: bool = False
    stream_options: dict[str, bool] | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    user: str | None = None
    top_k: Annotated[int, Field(ge=-1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0)] | None = None
    add_generation_prompt: bool = True
    continue_final_message: bool = False
    structured_outputs: VllmStructuredOutputs | None = None
    guided_json: dict[str, Any] | str | None = None


class VllmTokenize(Lenient):
    model: str | None = None
    messages: list[VllmMessage]
    add_generation_prompt: bool = True
    continue_final_message: bool = False


class VllmStandIn(StandIn):
    """`old`: version 0.5."""

    def __init__(self, *, old: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.old = old

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/chat/completions", self.chat),
            web.get("/v1/models", self.models),
            web.post("/tokenize", self.tokenize),
            web.get("/health", self.health),
            web.get("/version", self.version),
            web.get("/metrics", self.metrics),
        ]

    async def health(self, _request: web.Request) -> web.Response:
        return web.Response()  # an empty body

    async def version(self, _request: web.Request) -> web.Response:
        return web.json_response({"version": "0.5.5" if self.old else "0.12.0"})

    async def metrics(self, _request: web.Request) -> web.Response:
        name = "vllm:num_requests_running"
        text = f'# HELP {name} Running.\n# TYPE {name} gauge\n{name}{{model_name="toy"}} {float(self.running)}\n'
        return web.Response(text=text, content_type="text/plain")

    async def models(self, _request: web.Request) -> web.Response:
        card = {"id": self.model, "object": "model", "owned_by": "vllm", "root": "/m", "max_model_len": self.window}
        return web.json_response({"object": "list", "data": [card]})

    async def tokenize(self, request: web.Request) -> web.Response:
        try:
            body = VllmTokenize.model_validate(await request.json())
        except ValidationError as exc:
            return self.refuse(400, str(exc))
        tokens = count_tokens([message.model_dump() for message in body.messages])
        return web.json_response({"count": tokens, "max_model_len": self.window, "tokens": [0] * tokens})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        data = await request.json()
        self.requests.append(data)
        try:
            body = VllmChat.model_validate(data)
        except ValidationError as exc:
            return self.refuse(400, str(exc.errors(include_url=False, include_context=False)))
        if problem := self.problem(body):
            return self.refuse(404 if "does not exist" in problem else 400, problem)
        messages = [message.model_dump() for message in body.messages]
        answer = ToyRequest(
            messages,
            schema=self.schema(body),
            continues=body.continue_final_message,
            seed=body.seed,
            max_tokens=body.max_tokens,
            stop=[body.stop] if isinstance(body.stop, str) else body.stop,
        ).answer()
        prompt, written = count_tokens(messages), len(answer.pieces)
        usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
        if not body.stream:
            message = {"role": "assistant", "content": answer.text}
            choice = {"index": 0, "message": message, "finish_reason": answer.reason}
            return web.json_response({"object": "chat.completion", "choices": [choice], "usage": usage})
        included = bool(body.stream_options and body.stream_options.get("include_usage"))
        return await self.stream(request, answer, usage if included else None)

    def problem(self, body: VllmChat) -> str | None:
        """The message of a refusal, in the reference's wording."""
        if body.model not in (None, self.model):
            return f"The model `{body.model}` does not exist."
        if body.stream_options and not body.stream:
            return "Stream options can only be defined when `stream=True`."
        if body.continue_final_message and body.add_generation_prompt:
            return "Cannot set both `continue_final_message` and `add_generation_prompt` to True."
        if self.old and body.response_format and body.response_format.type == "json_schema":
            return "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': 'Input should be'}]"
        tokens = count_tokens([message.model_dump() for message in body.messages])
        if tokens + (body.max_tokens or 1) > self.window:
            return self.too_long(tokens, body.max_tokens or 1)
        return None

    def too_long(self, tokens: int, wanted: int) -> str:
        if self.old:
            return f"This model's maximum context length is {self.window} tokens. However, you requested {tokens}."
        return (
            f"You passed {tokens} input tokens and requested {wanted} output tokens. However, the model's context"
            f" length is only {self.window} tokens. Please reduce the length of the input prompt."
        )

    def schema(self, body: VllmChat) -> Any:
        """The schema that is enforced."""
        if self.old:
            return body.guided_json
        if body.structured_outputs:
            return body.structured_outputs.json
        named = body.response_format.json_schema if body.response_format else None
        return named.json_schema if named else None

    def refuse(self, status: int, message: str) -> web.Response:
        kind = "NotFoundError" if status == 404 else "BadRequestError"
        error = {"message": message, "type": kind, "param": None, "code": status}
        return web.json_response({"object": "error", **error} if self.old else {"error": error}, status=status)

    def frame(self, **fields: Any) -> Body:
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": self.model, **fields}
