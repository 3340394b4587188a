"""A page → Slack's blocks. Pure.

The model's text has a `markdown` block to itself: whatever it opens, it closes nothing of ours. Note, sources, notice,
footer and buttons are blocks of other kinds, which no Markdown can imitate.

https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from bindings.delivery.outlet import Closing, Page
from bindings.slack import words
from bindings.slack.defuse import defused, seen
from bindings.slack.interactions import AGAIN, JUDGE
from bindings.slack.mrkdwn import escaped
from core.contract import Language, Source

Block = dict[str, Any]

PAGE_CHARS = 11_000  # of the 12,000 that Slack allows in `markdown` blocks and in a call of a stream
SECTION_CHARS = 2800  # of 3,000
CONTEXT_CHARS = 1900  # of 2,000
PREVIEW_CHARS = 2000  # of the text for notifications and screen readers
PREVIEW_BYTES = 3900  # of the 4,000 that chat.update allows, escaped
TITLE_CHARS = 150
URL_CHARS = 1500
CUT_ENTITY = re.compile(r"&[a-z]{0,3}\Z")
NOTHING_YET = "…"


def body(page: Page) -> str:
    """The text as Slack gets it."""
    return defused(page.text).strip("\n")


def length(page: Page) -> int:
    """Of all that people read: the Markdown has 12,000 characters, and all blocks together little more.

    https://github.com/slackapi/bolt-js/issues/2509
    """
    return len(body(page)) + sum(len(text) for text in under(page))


def blocks(page: Page) -> list[Block]:
    """At least one: Slack refuses a message of nothing."""
    text = body(page)
    made = [{"type": "markdown", "text": text}] if text.strip() else []
    if page.status:
        made.append(context(page.status))
    made += closing_blocks(page)
    return made or [context(NOTHING_YET)]


def closing_blocks(page: Page) -> list[Block]:
    """What stands under the text; also what ends a stream."""
    closing = page.closing
    if closing is None:
        return []
    made: list[Block] = [context(closing.note)] if closing.note else []
    made += sections(source_lines(closing.sources, page.language))
    made += [context(text) for text in (closing.notice, closing.footer) if text]
    return made + buttons(closing, page.language)


def under(page: Page) -> list[str]:
    """What stands under the text, buttons apart."""
    closing = page.closing
    if closing is None:
        return []
    lines = [each for each in (closing.note, closing.notice, closing.footer) if each]
    return [*lines, *source_lines(closing.sources, page.language)]


def preview(page: Page) -> str:
    """For notifications. Slack reads it as mrkdwn, so nothing in it is left to be read."""
    text = body(page) or page.status or (page.closing.note if page.closing else None) or NOTHING_YET
    whole = escaped(text[:PREVIEW_CHARS])
    cut = whole.encode("utf-8", "ignore")[:PREVIEW_BYTES].decode("utf-8", "ignore")
    return cut if cut == whole else CUT_ENTITY.sub("", cut)


def context(text: str) -> Block:
    return {"type": "context", "elements": [plain_text(seen(text)[:CONTEXT_CHARS])]}


def plain_text(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def source_lines(sources: Sequence[Source], language: Language) -> list[str]:
    lines = [f"{source.number}. {linked(source)}" for source in sources]
    return [f"*{words.SOURCES[language]}*", *lines] if lines else []


def linked(source: Source) -> str:
    """A title is another's words: the host stands beside it."""
    title = escaped(" ".join(seen(source.title).split())[:TITLE_CHARS])
    address, host = address_of(source.url or "")
    return f"<{address}|{title.replace('|', '¦')}> ({host})" if address else title


def address_of(url: str) -> tuple[str, str]:
    """As it stands in a link, and its host; "" for what Slack would not take or nobody could open."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    address = escaped(quote(seen(url), safe="%/:=&?~#+!$,;'@()*[]-._"))
    is_web = parts.scheme in ("http", "https") and len(address) <= URL_CHARS
    return (address, escaped(parts.hostname or "")) if is_web else ("", "")


def sections(lines: Sequence[str]) -> list[Block]:
    """Lines in as few sections as hold them."""
    made: list[str] = []
    for line in lines:
        if made and len(made[-1]) + len(line) < SECTION_CHARS:
            made[-1] += f"\n{line}"
        else:
            made.append(line)
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}} for text in made]


def buttons(closing: Closing, language: Language) -> list[Block]:
    """A notice has none."""
    if not closing.answer:
        return []
    again = {
        "type": "button",
        "action_id": AGAIN,
        "text": plain_text(words.AGAIN[language]),
        "value": closing.answer,
    }
    return [
        {"type": "context_actions", "elements": [judging(closing.answer, language)]},
        {"type": "actions", "elements": [again]},
    ]


def judging(answer: str, language: Language) -> Block:
    return {
        "type": "feedback_buttons",
        "action_id": JUDGE,
        "positive_button": judge("good", "👍", words.GOOD[language], answer),
        "negative_button": judge("bad", "👎", words.BAD[language], answer),
    }


def judge(value: str, sign: str, label: str, answer: str) -> Block:
    text = {"type": "plain_text", "text": sign, "emoji": True}
    return {"text": text, "accessibility_label": label, "value": f"{value} {answer}"}


def question(name: str, asked: str) -> list[Block]:
    """What a person asked by command, for everybody to see. A person's text: it must not ping either."""
    who = context(words.ASKED.format(name=seen(name)))
    return [who, {"type": "section", "text": plain_text(seen(asked)[:SECTION_CHARS] or NOTHING_YET)}]
