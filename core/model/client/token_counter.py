"""Counts a prompt's tokens at an engine, by the form of /tokenize that the engine has."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from core.model.client.responses import parse_object, translate_errors
from core.openai.chat_protocol import Fields, Message, model_field
from core.openai.dialects import TokenizeSupport

ABSENT_STATUSES = {404, 405, 501}
OTHER_BODY_STATUSES = ABSENT_STATUSES | {422}  # 422: a /tokenize that expects another body


class TokenCounter:
    """One per engine. `support` is learned by the first count; None: unknown."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.support: TokenizeSupport | None = None
        self._http = http

    async def count(self, messages: Sequence[Message], model: str | None) -> int | None:
        """The tokens of the messages as a prompt. None: the engine does not count."""
        body = model_field(model) | {"messages": [message.fields() for message in messages]}
        if self.support in ("messages", None) and (count := await self._count_messages(body)) is not None:
            self.support = "messages"
            return count
        # llama-server's /tokenize ignores `messages`, and its answer has no count.
        return await self._count_template(body) if self.support == "template" else None

    async def _count_messages(self, body: Fields) -> int | None:
        response = await self._post("/tokenize", body)
        if 400 <= response.status_code < 500 or response.status_code in ABSENT_STATUSES:
            if response.status_code in OTHER_BODY_STATUSES:
                self.support = "none"
            return None
        answer = await parse_object(response)
        if not isinstance(count := answer.get("count"), int):
            self.support = "template" if isinstance(answer.get("tokens"), list) else "none"
            return None
        return count

    async def _count_template(self, body: Fields) -> int | None:
        """Has the engine render its own template, and tokenize the text, as its chat endpoint does."""
        rendered = await self._post("/apply-template", body)
        prompt = (await parse_object(rendered)).get("prompt") if rendered.status_code == 200 else None
        if not isinstance(prompt, str):
            self.support = "none"
            return None
        response = await self._post("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})
        tokens = (await parse_object(response)).get("tokens")
        return len(tokens) if isinstance(tokens, list) else None

    async def _post(self, path: str, body: Fields) -> httpx.Response:
        with translate_errors():
            return await self._http.post(path, json=body)
