"""robots.txt: whether a site allows automatic reading of a page (RFC 9309).

Keeps each site's rules for a day. Knows neither sockets nor pages. Protego decides. It gets only the groups that
concern us, because it copies every rule for every robot of a group: 62 kB took it 5.5 s and 240 MB.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from cachetools import LRUCache
from protego import Protego

from core.errors import FetchFailed, FetchRefused
from core.rag.fetching.url_policy import url_origin
from core.runtime.keyed_limiter import KeyedLimiter

ROBOTS_LIMIT_BYTES = 500 * 2**10  # the size that RFC 9309 requires robots to read; the rest is cut
RULES_LIFETIME_S = 86_400.0
FAILURE_LIFETIME_S = 300.0
SITES_LIMIT = 64
ANY_ROBOT = "*"

# Returns a site's robots.txt, "" if it has none. Raises FetchFailed, FetchRefused.
ReadRobots = Callable[[httpx.URL], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """The rules that concern us as text, forty times smaller than parsed; or the reason why they are unknown."""

    rules: str | FetchFailed
    until_s: float


class Robots:
    """One per process and `user_agent`. Sites know us by its first word, up to a slash."""

    def __init__(self, read: ReadRobots, user_agent: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._name = product_name(user_agent)
        self._clock = clock
        self._rules: LRUCache[str, RobotsRules] = LRUCache(SITES_LIMIT)
        self._per_site: KeyedLimiter[None] = KeyedLimiter(1)

    async def require(self, url: httpx.URL) -> None:
        """Raises FetchRefused if the site forbids the URL, FetchFailed if its rules are unknown now."""
        site_rules = await self._ask(url)
        if isinstance(site_rules.rules, FetchFailed):
            why = site_rules.rules
            raise FetchFailed(
                f"{why.message}: its robots.txt is unavailable, so the site is left alone", why.reason
            ) from why
        if not await asyncio.to_thread(is_allowed, site_rules.rules, str(url), self._name):
            raise FetchRefused(f"the robots.txt of {url.host} does not let {self._name} read this", "robots")

    async def _ask(self, url: httpx.URL) -> RobotsRules:
        site = f"{url.scheme}://{url_origin(url)}"
        async with self._per_site.slot(site):
            site_rules = self._rules.get(site)
            if site_rules is None or self._clock() >= site_rules.until_s:
                site_rules = self._rules[site] = await self._ask_site(url)
        return site_rules

    async def _ask_site(self, url: httpx.URL) -> RobotsRules:
        try:
            text = await self._read(url.copy_with(raw_path=b"/robots.txt"))
        except FetchFailed as exc:
            # A copy: a raised exception keeps its traceback.
            return RobotsRules(FetchFailed(exc.message, exc.reason), self._clock() + FAILURE_LIFETIME_S)
        rules = await asyncio.to_thread(relevant_groups, text, self._name)
        return RobotsRules(rules, self._clock() + RULES_LIFETIME_S)


def product_name(user_agent: str) -> str:
    """Returns "csps-llm" of "Csps-LLM/1.0 (+https://…)"."""
    return user_agent.partition("/")[0].strip().lower()


def relevant_groups(text: str, name: str) -> str:
    """Returns the groups for `name` and those for all robots, each joined into one."""
    rules: dict[str, list[str]] = {}
    named: set[str] = set()
    naming = False  # the previous line named a robot too: both share the rules that follow
    for line in text.removeprefix("\ufeff").splitlines():
        field, colon, value = line.partition("#")[0].partition(":")
        if not colon:
            continue
        if field.strip().lower() == "user-agent":
            named = (named if naming else set()) | {product_name(value)} & {name, ANY_ROBOT}
            naming = True
            for robot in named:
                rules.setdefault(robot, [])
            continue
        naming = False
        for robot in named:
            rules[robot].append(f"{field}:{value}")
    return "\n".join("\n".join([f"User-agent: {robot}", *group]) for robot, group in rules.items())


def is_allowed(rules: str, url: str, name: str) -> bool:
    """Tells whether `rules`, from `relevant_groups`, allow the URL."""
    return bool(Protego.parse(rules).can_fetch(url, name))
