"""A screen reader's view of the page: what its live regions announce, and the accessibility tree of Chromium."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page

# Records [politeness, language, text] of each announcement, by the rules of ARIA: the nearest live region decides;
# additions and changed text are announced, of an atomic region its whole content; alerts also when they are added.
LISTEN = """() => {
    globalThis.announced = [];
    const POLITENESS = { alert: 'assertive', status: 'polite', log: 'polite' };
    const ATOMIC = { alert: 'true', status: 'true' };
    const role = (element) => element.getAttribute('role');
    const elementOf = (node) => (node.nodeType === 1 ? node : node.parentElement);
    const regionOf = (node) => elementOf(node)?.closest('[aria-live], [role=alert], [role=status], [role=log]');
    const isAtomic = (region) => (region.getAttribute('aria-atomic') ?? ATOMIC[role(region)]) === 'true';
    const announce = (node, region) => {
        const politeness = region.getAttribute('aria-live') ?? POLITENESS[role(region)];
        const element = elementOf(node);
        const text = node.textContent.replace(/[ \\n]+/g, ' ').trim();
        const isHidden = !element.checkVisibility() || element.closest('[aria-hidden=true]');
        if (politeness === 'off' || !text || isHidden) return;
        globalThis.announced.push([politeness, element.closest('[lang]').lang, text]);
    };
    new MutationObserver((records) => {
        const whole = new Set();
        for (const { target, type, addedNodes } of records) {
            const region = regionOf(target);
            for (const node of type === 'childList' ? addedNodes : [target]) {
                if (!node.isConnected) continue;
                const alerts = node.nodeType === 1 ? [node, ...node.querySelectorAll('*')] : [];
                for (const each of alerts) if (role(each) === 'alert') whole.add(each);
                if (region && isAtomic(region)) whole.add(region);
                else if (region) announce(node, region);
            }
        }
        for (const region of whole) announce(region, region);
    }).observe(document, { subtree: true, childList: true, characterData: true });
}"""


async def listen(page: Page) -> None:
    """Records from now on what is announced."""
    await page.evaluate(LISTEN)


async def announced(page: Page) -> list[tuple[str, str, str]]:
    """The announcements so far, each with its politeness and its language."""
    return [(politeness, lang, text) for politeness, lang, text in await page.evaluate("() => globalThis.announced")]


async def accessibility_tree(page: Page) -> list[dict[str, Any]]:
    """The nodes of Chromium's tree that are not ignored, in their order, each with role, name and properties."""
    session = await page.context.new_cdp_session(page)
    nodes = (await session.send("Accessibility.getFullAXTree"))["nodes"]
    await session.detach()
    return [
        {
            "role": node["role"]["value"],
            "name": node.get("name", {}).get("value", ""),
            **{each["name"]: each["value"].get("value") for each in node.get("properties", [])},
        }
        for node in nodes
        if not node["ignored"]
    ]
