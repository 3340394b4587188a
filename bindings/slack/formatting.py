"""Renders a page as Slack's blocks. Pure.

The model's text has a `markdown` block of its own, so its Markdown cannot close or imitate ours. Note, sources, notice,
footer and buttons are blocks of other types.

https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from bindings.delivery.outlet import Closing, Page
from bindings.slack.interactions import FEEDBACK_ACTION, REGENERATE_ACTION
from bindings.slack.markup import escape
from bindings.slack.sanitize import remove_invisible, sanitize_markdown
from bindings.slack.tables import SplitTable, split_table
from core.contract import Language, Source
from core.texts import LANGUAGES, text

BlockKitBlock = dict[str, Any]

PAGE_CHARS = 11_000  # Slack's limit for `markdown` blocks and for a call of a stream: 12,000
SECTION_CHARS = 2800  # limit: 3,000
CONTEXT_CHARS = 1900  # limit: 2,000
TEXT_CHARS = 40_000  # of the text beside blocks; Slack cuts off the rest
TEXT_ONLY_BYTES = 3_900  # of a page without blocks, so that it can be edited
UPDATED_TEXT_BYTES = 4_000  # of that text in chat.update; Slack refuses more
TITLE_CHARS = 150
URL_CHARS = 1500
CUT_ENTITY = re.compile(r"&[a-z]{0,3}\Z")
ELLIPSIS = "…"


def render_markdown(page: Page) -> str:
    return sanitize_markdown(page.text).strip("\n")


def page_length(page: Page) -> int:
    """Counts all visible characters: Slack's limit for all blocks is little above that for `markdown` blocks.

    https://github.com/slackapi/bolt-js/issues/2509
    """
    return len(render_markdown(page)) + sum(len(line) for line in closing_lines(page))


def build_blocks(page: Page, *, table: bool = True) -> list[BlockKitBlock]:
    """Returns at least one block, because Slack refuses an empty message. `table`: the page may have a table block."""
    split = find_table(page) if table else None
    if split:
        blocks = [*markdown_blocks(split.before), split.block, *markdown_blocks(split.after)]
    else:
        blocks = markdown_blocks(render_markdown(page))
    if page.status:
        blocks.append(context_block(page.status))
    blocks += build_closing_blocks(page)
    return blocks or [context_block(ELLIPSIS)]


def markdown_blocks(markdown: str) -> list[BlockKitBlock]:
    return [{"type": "markdown", "text": markdown}] if markdown.strip() else []


def find_table(page: Page) -> SplitTable | None:
    """The table of a finished page, which may be shown as a block. A growing table stays Markdown."""
    return split_table(render_markdown(page)) if page.final else None


def build_closing_blocks(page: Page) -> list[BlockKitBlock]:
    """Returns the blocks below the text, which also end a stream."""
    closing = page.closing
    if closing is None:
        return []
    blocks = [context_block(closing.note)] if closing.note else []
    blocks += section_blocks(source_lines(closing.sources, page.language))
    blocks += [context_block(line) for line in (closing.notice, closing.footer) if line]
    return blocks + button_blocks(closing, page.language)


def closing_lines(page: Page) -> list[str]:
    """Returns the lines below the text as mrkdwn, in the order of their blocks, without buttons."""
    closing = page.closing
    if closing is None:
        return []
    sources = source_lines(closing.sources, page.language)
    lines = (escape_line(closing.note), *sources, escape_line(closing.notice), escape_line(closing.footer))
    return [line for line in lines if line]


def escape_line(line: str | None) -> str:
    return escape(remove_invisible(line or ""))


def page_text(page: Page) -> str:
    """Returns the whole page as mrkdwn: screen readers and notifications use this text instead of the blocks.

    https://docs.slack.dev/reference/methods/chat.postMessage
    """
    parts = (escape(render_markdown(page)), escape_line(page.status), "\n".join(closing_lines(page)))
    whole = "\n\n".join(part for part in parts if part.strip()) or ELLIPSIS
    return whole if len(whole) <= TEXT_CHARS else CUT_ENTITY.sub("", whole[:TEXT_CHARS])


def page_markdown(page: Page) -> str:
    """Returns the whole page as Markdown, for another message."""
    closing = page.closing
    if closing is None:
        return page.text
    sources = [f"{each.number}. {each.title} {each.url or ''}".rstrip() for each in closing.sources]
    listed = [text("slack-sources", page.language), *sources] if sources else []
    lines = (closing.note, "\n".join(listed), closing.footer)
    return "\n\n".join(part for part in (page.text, *lines) if part)


def page_bytes(page: Page) -> int:
    """Counts a page that is shown as text alone."""
    return len(page_text(page).encode())


def updated_text(page: Page) -> str | None:
    """Returns the text for chat.update. None: the page is too long for one, and Slack builds it from the blocks."""
    whole = page_text(page)
    return whole if len(whole.encode()) <= UPDATED_TEXT_BYTES else None


def context_block(line: str) -> BlockKitBlock:
    return {"type": "context", "elements": [plain_text_object(remove_invisible(line)[:CONTEXT_CHARS])]}


def plain_text_object(value: str) -> BlockKitBlock:
    return {"type": "plain_text", "text": value, "emoji": False}


def source_lines(sources: Sequence[Source], language: Language) -> list[str]:
    lines = [f"{source.number}. {link_source(source)}" for source in sources]
    return [f"*{text('slack-sources', language)}*", *lines] if lines else []


def link_source(source: Source) -> str:
    """Links the title. The host stands beside it, because a title can imitate another site."""
    title = escape(" ".join(remove_invisible(source.title).split())[:TITLE_CHARS])
    address, host = link_address(source.url or "")
    return f"<{address}|{title.replace('|', '¦')}> ({host})" if address else title


def link_address(url: str) -> tuple[str, str]:
    """Returns the encoded address and the host; ("", "") for an address that Slack refuses or nobody can open."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    address = escape(quote(remove_invisible(url), safe="%/:=&?~#+!$,;'@()*[]-._"))
    is_web = parts.scheme in ("http", "https") and len(address) <= URL_CHARS
    return (address, escape(parts.hostname or "")) if is_web else ("", "")


def section_blocks(lines: Sequence[str]) -> list[BlockKitBlock]:
    """Returns the smallest number of sections for the lines."""
    sections: list[str] = []
    for line in lines:
        if sections and len(sections[-1]) + len(line) < SECTION_CHARS:
            sections[-1] += f"\n{line}"
        else:
            sections.append(line)
    return [{"type": "section", "text": {"type": "mrkdwn", "text": each, "verbatim": True}} for each in sections]


def button_blocks(closing: Closing, language: Language) -> list[BlockKitBlock]:
    """Returns feedback and regenerate buttons; none for a notice."""
    answer = closing.answer_id
    if not answer:
        return []
    feedback = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK_ACTION,
        "positive_button": feedback_button("👍", text("slack-answer-good", language), f"good {answer}"),
        "negative_button": feedback_button("👎", text("slack-answer-bad", language), f"bad {answer}"),
    }
    label = plain_text_object(text("slack-regenerate", language))
    regenerate = {"type": "button", "action_id": REGENERATE_ACTION, "text": label, "value": answer}
    return [{"type": "context_actions", "elements": [feedback]}, {"type": "actions", "elements": [regenerate]}]


def feedback_button(emoji: str, label: str, value: str) -> BlockKitBlock:
    return {"text": {"type": "plain_text", "text": emoji, "emoji": True}, "accessibility_label": label, "value": value}


def question_blocks(name: str, question: str) -> list[BlockKitBlock]:
    """Shows a slash command's question to everybody, as plain text, which pings nobody.

    Slack does not give the person's language, so the line above it is in both.
    """
    author = " · ".join(text("slack-question-author", each, name=remove_invisible(name)) for each in LANGUAGES)
    visible = remove_invisible(question)[:SECTION_CHARS] or ELLIPSIS
    return [context_block(author), {"type": "section", "text": plain_text_object(visible)}]
