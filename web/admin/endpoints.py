"""The routes of /admin. Each page is whole HTML in the language of the address or of the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast, get_args
from urllib.parse import urlencode

import jinja2
from aiohttp import web

from core.administration.desk import AdministrationDesk
from core.contract import LANGUAGES
from core.errors import BadRequest, Overloaded
from core.feedback.filters import ChannelName, FeedbackFilter, VerdictName, parse_since
from core.local_time import Clock
from core.statistics.reading import PERIODS, Period
from core.texts import error_text
from web import request_body
from web.admin import views
from web.admin.access import COOKIE, SESSION_S, AdminAccess
from web.gpt import FORM
from web.gpt_form import choose_language, parse_fields
from web.mounting import MountedRouter
from web.problems import PathUnknown
from web.service import SERVICE
from web.static_files import StaticFiles
from web.visitor import came_by_https

HTML = {"Content-Type": "text/html; charset=utf-8"}
STYLES = ("base.css", "layout.css", "plain_form.css", "admin.css")
SECTIONS = {
    "admin-figures": "admin",
    "admin-state": "admin/state",
    "admin-feedback": "admin/feedback",
    "admin-holds": "admin/holds",
}
FILTERS = ("channel", "verdict", "personality", "model", "since")
FEEDBACK_SHOWN = 200


class AdminEndpoints:
    """`clock`: its time zone is that of the times on the page."""

    def __init__(self, access: AdminAccess, desk: AdministrationDesk, files: StaticFiles, clock: Clock) -> None:
        self._access = access
        self._desk = desk
        self._files = files
        self._clock = clock
        loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
        self._templates = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )

    def add_routes(self, router: MountedRouter) -> None:
        for method, path, handler in (
            ("GET", "/admin", self.show_figures),
            ("GET", "/admin/state", self.show_state),
            ("GET", "/admin/feedback", self.show_feedback),
            ("GET", "/admin/holds", self.show_holds),
            ("POST", "/admin/sign-in", self.sign_in),
            ("POST", "/admin/sign-out", self.sign_out),
        ):
            router.add_route(method, path, handler)

    async def show_figures(self, request: web.Request) -> web.Response:
        """GET /admin?period=hour|day|month."""
        if self._access.administrator(request) is None:
            return self._ask_for_key(request)
        wanted = request.query.get("period", "day")
        period = cast(Period, wanted) if wanted in PERIODS else "day"
        figures, words = await self._desk.figures(period), self._words(request)
        return self._page(
            request,
            "figures",
            periods=[
                {
                    "title": words.text(f"admin-period-{each}"),
                    "address": self._address(request, "admin", period=each),
                    "is_here": each == period,
                }
                for each in PERIODS
            ],
            summary=views.summary(words, figures),
            charts=views.charts(words, figures, period),
            groups=views.groups(words, figures),
            errors=views.errors(words, figures),
        )

    async def show_state(self, request: web.Request) -> web.Response:
        """GET /admin/state."""
        if self._access.administrator(request) is None:
            return self._ask_for_key(request)
        state, collections, words = await self._desk.state(), await self._desk.collections(), self._words(request)
        return self._page(
            request,
            "state",
            lines=views.state_lines(words, state),
            personalities=views.personality_table(words, state),
            engines=views.engine_table(words, state),
            collections=views.collection_table(words, collections),
        )

    async def show_feedback(self, request: web.Request) -> web.Response:
        """GET /admin/feedback?channel=&verdict=&personality=&model=&since=."""
        if (who := self._access.administrator(request)) is None:
            return self._ask_for_key(request)
        words, problem = self._words(request), ""
        try:
            chosen = build_filter(request.query, self._clock())
        except BadRequest:
            chosen, problem = FeedbackFilter(), words.text("admin-since-wrong")
        found = await self._desk.feedback(who, chosen)
        return self._page(
            request,
            "feedback",
            problem=problem,
            query={name: request.query.get(name, "") for name in ("language", *FILTERS)},
            channels=get_args(ChannelName),
            verdicts=[(each, words.text(f"admin-verdict-{each}")) for each in get_args(VerdictName)],
            names=request.app[SERVICE].engine.personalities(),
            count=len(found),
            good=sum(each.verdict == "good" for each in found),
            verdict_table=views.verdict_table(words, found[:FEEDBACK_SHOWN]),
        )

    async def show_holds(self, request: web.Request) -> web.Response:
        """GET /admin/holds."""
        if (who := self._access.administrator(request)) is None:
            return self._ask_for_key(request)
        holds, accesses = await self._desk.holds(who)
        words = self._words(request)
        return self._page(
            request,
            "holds",
            holds=views.hold_table(words, holds),
            accesses=views.access_table(words, accesses),
            broken=accesses.broken_at,
        )

    async def sign_in(self, request: web.Request) -> web.Response:
        """POST /admin/sign-in: the key, in a form."""
        self._check_configured()
        fields = parse_fields(request_body.decode_utf8(await request_body.read(request, FORM)))
        try:
            cookie = self._access.sign_in(request, fields.get("key", ""))
        except Overloaded as error:
            words = self._words(request)
            return self._ask_for_key(request, error_text(error, words.language), status=429)
        if cookie is None:
            return self._ask_for_key(request, self._words(request).text("admin-wrong-key"))
        response = self._redirect(request, fields.get("language", ""))
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=SESSION_S,
            path=f"{request.app[SERVICE].settings.prefix}/admin",
            secure=came_by_https(request),
            httponly=True,
            samesite="Strict",
        )
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        """POST /admin/sign-out."""
        response = self._redirect(request, request.query.get("language", ""))
        response.del_cookie(COOKIE, path=f"{request.app[SERVICE].settings.prefix}/admin")
        return response

    def _check_configured(self) -> None:
        """Raises PathUnknown: without a key and names there is no page."""
        if not self._access.is_configured:
            raise PathUnknown("there is nothing at this path")

    def _ask_for_key(self, request: web.Request, problem: str = "", status: int = 401) -> web.Response:
        self._check_configured()
        return self._page(
            request, "sign_in", status=status, problem=problem, offers_key=self._access.offers_key(request)
        )

    def _words(self, request: web.Request) -> views.Words:
        language = choose_language(request.query.get("language", ""), request.headers.get("Accept-Language", ""))
        return views.Words(language, self._clock().tzinfo, self._desk.currency)

    def _page(self, request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
        words = self._words(request)
        other = next(each for each in LANGUAGES if each != words.language)
        html = self._templates.get_template(f"{template}.html").render(
            words=words,
            root=self._root(request),
            styles=[self._style(request, name) for name in STYLES],
            other_language={
                "code": other,
                "name": words.text("admin-other-language"),
                "address": "?" + urlencode({**request.query, "language": other}),
            },
            administrator=self._access.administrator(request),
            sections=self._sections(request, words),
            **values,
        )
        return web.Response(text=html, headers=HTML, status=status)

    def _sections(self, request: web.Request, words: views.Words) -> Sequence[dict[str, object]]:
        here = request.path.rstrip("/")
        return [
            {
                "title": words.text(name),
                "address": self._address(request, path),
                "is_here": here.endswith(f"/{path}"),
            }
            for name, path in SECTIONS.items()
        ]

    def _root(self, request: web.Request) -> str:
        """The address of the service, relative to this page: right under each prefix that a proxy removes."""
        depth = request.path.count("/", len(request.app[SERVICE].settings.prefix) if self._has_prefix(request) else 0)
        return "../" * (depth - 1) or "./"

    def _has_prefix(self, request: web.Request) -> bool:
        prefix = request.app[SERVICE].settings.prefix
        return bool(prefix) and request.path.startswith(f"{prefix}/")

    def _style(self, request: web.Request, name: str) -> str:
        address = self._files.address(f"styles/{name}")
        return address if address.startswith("/") else self._root(request) + address

    def _address(self, request: web.Request, path: str, **query: str) -> str:
        language = request.query.get("language")
        named = {**query, **({"language": language} if language in LANGUAGES else {})}
        return self._root(request) + path + (f"?{urlencode(named)}" if named else "")

    def _redirect(self, request: web.Request, language: str) -> web.Response:
        query = f"?{urlencode({'language': language})}" if language in LANGUAGES else ""
        return web.Response(status=303, headers={"Location": f"{self._root(request)}admin{query}"})


def build_filter(query: Mapping[str, str], now: datetime) -> FeedbackFilter:
    """Empty and unknown values choose all. Raises BadRequest for a `since` that is no date."""
    channel, verdict, since = query.get("channel", ""), query.get("verdict", ""), query.get("since", "").strip()
    return FeedbackFilter(
        channel=cast(ChannelName, channel) if channel in get_args(ChannelName) else None,
        verdict=cast(VerdictName, verdict) if verdict in get_args(VerdictName) else None,
        personality=query.get("personality") or None,
        model=query.get("model") or None,
        since=parse_since(since, now) if since else None,
    )
