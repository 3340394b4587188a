"""/about: the accessibility statement and the privacy notice as pages, in both languages. Needs no JavaScript."""

from __future__ import annotations

import asyncio
from datetime import datetime
from html import escape

from aiohttp import web
from cachetools import TTLCache
from markdown_it import MarkdownIt

from core.configuration.settings import Settings
from core.contract import LANGUAGES, Language
from core.papers.rendering import Paper, render_paper
from core.papers.service_facts import ModelFacts, gather_facts
from core.texts import text
from web.gpt_form import choose_language
from web.problems import PathUnknown
from web.service import SERVICE
from web.static_files import StaticFiles

PUBLIC_PAPERS: tuple[Paper, ...] = ("accessibility", "privacy")  # the others are for the operator
STYLES = ("base.css", "layout.css", "prose.css", "plain_form.css")
HEADERS = {"Content-Type": "text/html; charset=utf-8", "Vary": "Accept-Language", "Cache-Control": "no-cache"}
KEPT_S = 60.0  # the configuration is read again after it
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


class AboutPages:
    """GET /about/<paper> and GET /about/<language>/<paper>."""

    def __init__(self, files: StaticFiles, settings: Settings) -> None:
        self._files = files
        self._settings = settings
        self._kept: TTLCache[tuple[Paper, Language], str] = TTLCache(len(PUBLIC_PAPERS) * len(LANGUAGES), KEPT_S)
        self._rendering = asyncio.Lock()

    async def show(self, request: web.Request) -> web.Response:
        paper, language = find_paper(request.match_info["paper"]), request.match_info.get("language")
        if language is None:
            language = choose_language("", request.headers.get("Accept-Language", ""))
        if language not in LANGUAGES:
            raise PathUnknown("this page is in English (en) and French (fr)")
        depth = "../" * (2 if "language" in request.match_info else 1)
        content = await self._content(request, paper, language)
        styles = [depth + self._files.address(f"styles/{name}") for name in STYLES]
        return web.Response(text=build_page(content, paper, language, depth, styles), headers=HEADERS)

    async def _content(self, request: web.Request, paper: Paper, language: Language) -> str:
        """The paper as HTML."""
        async with self._rendering:
            if (paper, language) not in self._kept:
                models = await find_models(request)
                self._kept[paper, language] = await asyncio.to_thread(self._render, models, paper, language)
            return self._kept[paper, language]

    def _render(self, models: tuple[ModelFacts, ...], paper: Paper, language: Language) -> str:
        facts = gather_facts(self._settings, models, language, datetime.now().astimezone().date())
        html: str = MARKDOWN.render(render_paper(self._settings, facts, paper))
        return mark_tables(html, text(f"page-about-{paper}", language))


def mark_tables(html: str, label: str) -> str:
    """Lets the keyboard scroll a wide table, and names the columns for screen readers."""
    box = f'<div class="wide" role="region" tabindex="0" aria-label="{escape(label)}"><table>'
    html = html.replace("<table>", box).replace("</table>", "</table></div>")
    return html.replace("<th>", '<th scope="col">')


def find_paper(name: str) -> Paper:
    """Raises PathUnknown."""
    if name not in PUBLIC_PAPERS:
        raise PathUnknown(f"there is nothing at this path; there are {' and '.join(PUBLIC_PAPERS)}")
    return name


async def find_models(request: web.Request) -> tuple[ModelFacts, ...]:
    """The models that answer now; those that nobody knows yet are left out."""
    service = request.app[SERVICE]
    described = await asyncio.gather(*(service.description(name, wait_s=0) for name in service.engine.personalities()))
    titles = (each.model for each in described if each is not None and each.model)
    return tuple(ModelFacts(title) for title in dict.fromkeys(titles))


def build_page(content: str, paper: Paper, language: Language, depth: str, styles: list[str]) -> str:
    """Returns the whole page. `depth` leads to the service's root."""
    other = next(each for each in LANGUAGES if each != language)
    links = "".join(f'<link rel="stylesheet" href="{escape(each)}">' for each in styles)
    title = text(f"page-about-{paper}", language)
    back, switch = escape(text("form-back", language)), escape(text("form-this-language", other))
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title>{links}</head>\n<body>\n"
        f'<header class="top"><a href="{depth}">{back}</a>'
        f'<a href="{depth}about/{other}/{paper}" lang="{other}" hreflang="{other}">{switch}</a></header>\n'
        f'<main><div class="body">\n{content}</div></main>\n</body>\n</html>\n'
    )
