"""/gpt without a personality: a form that asks and answers without JavaScript."""

from __future__ import annotations

import asyncio
from functools import partial
from urllib.parse import parse_qs

from aiohttp import web

from core.contract import LANGUAGES, Description, Language, Masked, Prompt, Source, Text
from core.errors import BadRequest, CspsError
from core.texts import error_text, masked_text, text
from web import request_body
from web.form_page import END, FormFiles, FormPage
from web.gpt import FORM
from web.identity.caller import find_names
from web.problems import PathUnknown
from web.service import RECEIPT_HEADER, SERVICE, Service, open_reply
from web.static_files import StaticFiles, redirect
from web.streaming import StreamedResponse

HEADERS = {"Content-Type": "text/html; charset=utf-8"}
FIELDS_LIMIT = 16


class GptForm:
    """GET shows the form; POST answers with a page that has the answer, and the form for the next question."""

    def __init__(self, files: StaticFiles) -> None:
        self._files = files

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /gpt. `personality` and `language` in the query choose these."""
        page = await self.build_page(request, parse_fields(request.query_string))
        html = page.head(text("form-title", page.language)) + page.form() + END
        return web.Response(text=html, headers=HEADERS)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """POST /gpt. An error before the answer has its status; the question stays in the form."""
        try:
            encoded = request_body.decode_utf8(await request_body.read(request, FORM))
            fields = await request_body.parse_large(request, len(encoded), partial(parse_fields, encoded))
        except CspsError as error:
            return refuse(await self.build_page(request, {}), error)
        page = await self.build_page(request, fields)
        try:
            return await self.stream(request, page)
        except CspsError as error:
            return refuse(page, error)

    async def stream(self, request: web.Request, page: FormPage) -> web.StreamResponse:
        service = request.app[SERVICE]
        personality = service.check_personality(page.personality, find_names(request))
        if not page.question.strip():
            raise BadRequest("the question is empty", "empty")
        prompt = Prompt(
            personality,
            page.question,
            user=service.user_id(request),
            language=page.language,
            channel="web",
            names=find_names(request),
        )
        stream = StreamedResponse(request, {**HEADERS, RECEIPT_HEADER: prompt.receipt})
        sources = []
        beginning = page.head(text("form-answer-title", page.language)) + page.answer_start()
        problem = ""
        try:
            async with open_reply(service, prompt) as events:
                async for event in events:
                    if not stream.started:
                        await stream.write(beginning.encode())
                    if isinstance(event, Text) and event.text:
                        await stream.write(page_text(event.text))
                    elif isinstance(event, Masked):
                        await stream.write(page_text(f"{masked_text(event.found, page.language)}\n\n"))
                    elif isinstance(event, Source):
                        sources.append(event)
        except CspsError as error:
            if not stream.started:
                raise
            problem = page.error(error_message(error, page.language))
        await stream.write(f"{page.answer_end(sources)}{problem}{page.form()}{END}".encode())
        return stream.response

    async def build_page(self, request: web.Request, fields: dict[str, str]) -> FormPage:
        service = request.app[SERVICE]
        described = await describe_all(service, find_names(request))
        language = choose_language(fields.get("language", ""), request.headers.get("Accept-Language", ""))
        fitting = [each.personality for each in described if each.language == language]
        first = next(iter([*fitting, *(each.personality for each in described)]), "")
        files = FormFiles.build(self._files.address)
        return FormPage(language, files, described, fields.get("personality") or first, fields.get("prompt", ""))


async def describe_all(service: Service, names: frozenset[str]) -> tuple[Description, ...]:
    found = await asyncio.gather(*(service.description(name, wait_s=0) for name in service.engine.personalities(names)))
    return tuple(each for each in found if each is not None)


def parse_fields(encoded: str) -> dict[str, str]:
    """Returns the first value of each field. Raises BadRequest."""
    try:
        fields = parse_qs(encoded, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_LIMIT)
    except ValueError as exc:
        raise BadRequest("the form is not URL-encoded UTF-8") from exc
    return {name: values[0].replace("\r\n", "\n") for name, values in fields.items()}


def choose_language(wanted: str, accepted: str) -> Language:
    """Returns the wanted language, else the first of the browser's languages that there is, else English."""
    tags = [wanted, *(item.strip()[:2].lower() for item in accepted.split(","))]
    return next((language for tag in tags for language in LANGUAGES if tag == language), "en")


def page_text(words: str) -> bytes:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").encode()


def error_message(error: CspsError, language: Language) -> str:
    if error.code == BadRequest.code:
        return text("form-question-missing", language)
    return error_text(error, language)


def refuse(page: FormPage, error: CspsError) -> web.Response:
    """The form again, with what was wrong."""
    html = page.head(text("form-error-title", page.language)) + page.error(error_message(error, page.language))
    return web.Response(status=error.status, text=html + page.form() + END, headers=HEADERS)


async def redirect_to_form(request: web.Request) -> web.StreamResponse:
    """GET /gpt/. A program that forgot the personality gets 404, not a form."""
    if "prompt" in request.query:
        raise PathUnknown("there is nothing at this path")
    return redirect(request, "../gpt")
