"""The pages of an export that people read: HTML without scripts, in English and French. Pure.

Everything that people or models wrote is escaped, and a policy in each page forbids scripts and requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from core.texts import LANGUAGES, text

Record = dict[str, Any]

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff}"
    "pre{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere;border-inline-start:.25rem solid #767676;"
    "padding-inline-start:.75rem;margin:.25rem 0 1rem}"
    "dt{font-weight:bold}dd{margin:0 0 .5rem;overflow-wrap:anywhere}a{color:#0535d2}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"


def both(key: str, **values: object) -> str:
    """A label in English and French, each marked with its language."""
    return " / ".join(f'<span lang="{each}">{escape(text(key, each, **values))}</span>' for each in LANGUAGES)


def page(title: str, body: Iterable[str]) -> bytes:
    """`title`: plain text. Lone surrogates, which no file can hold, become question marks."""
    html = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )
    return html.encode("utf-8", "replace")


def quote(words: str) -> str:
    return f'<pre lang="">{escape(words)}</pre>'


def fields(values: Iterable[tuple[str, object]]) -> str:
    """A list of labels (keys) and values, without those that are missing."""
    shown = (f"<dt>{both(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in values if value not in (None, ""))
    return f"<dl>{''.join(shown)}</dl>"


def conversation_page(record: Record, deleted_at: str | None = None) -> bytes:
    title = record["title"] or f"{text('cli-export-conversation', 'en')} {record['conversation'][:16]}"
    return page(title, conversation_parts(record, title, deleted_at))


def conversation_parts(record: Record, title: str, deleted_at: str | None) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    yield fields(
        (
            ("cli-export-conversation", record["conversation"]),
            ("cli-export-personality", record["personality"]),
            ("cli-export-used", record["used_at"]),
            ("cli-export-deleted", deleted_at),
        )
    )
    if record["context"]:
        yield f"<h2>{both('cli-export-context')}</h2>{quote(record['context'])}"
    for exchange in record["exchanges"]:
        yield from exchange_parts(exchange)


def exchange_parts(exchange: Record) -> Iterator[str]:
    yield f"<h2>{both('cli-export-question', number=exchange['number'])}</h2>"
    yield fields((("cli-export-at", exchange["asked_at"]),))
    yield quote(exchange["question"])
    for each in exchange["attachments"]:
        yield f"<h3>{both('cli-export-attachment')}: {escape(each['name'])}</h3>{quote(each['text'])}"
    for each in exchange["thread_messages"]:
        yield f"<h3>{both('cli-export-thread')}: {escape(each.get('speaker') or '')}</h3>{quote(each['text'])}"
    yield f"<h3>{both('cli-export-answer', number=exchange['number'])}</h3>"
    yield fields((("cli-export-model", exchange["model"]), ("cli-export-ended", exchange["ended"])))
    yield quote(exchange["answer"])
    if exchange["sources"]:
        yield f"<h4>{both('cli-export-sources')}</h4><ol>{''.join(map(source_item, exchange['sources']))}</ol>"
    if rating := exchange["rating"]:
        yield f"<h4>{both('cli-export-rating')}</h4>"
        yield fields((("cli-export-verdict", rating["verdict"]), ("cli-export-comment", rating["comment"])))


def feedback_page(records: Iterable[Record]) -> bytes:
    """The feedback that people gave to bots."""
    parts = [f"<h1>{both('cli-export-feedback')}</h1>"]
    for record in records:
        given = (("cli-export-answer-id", record["answer"]), ("cli-export-at", record["at"]))
        parts.append(fields((*given, ("cli-export-verdict", record["value"]))))
        parts.append(quote(record["comment"]))
    return page(text("cli-export-feedback", "en"), parts)


def source_item(source: Record) -> str:
    """An address as text: whoever reads an export asks no other site by accident."""
    url = f" ({escape(source['url'])})" if source["url"] else ""
    return f'<li value="{int(source["number"])}">{escape(source["title"])}{url}</li>'


def index_page(subject: str, exported_at: str, who: str, links: Sequence[tuple[str, str]]) -> bytes:
    """`links`: file name and label of each conversation."""
    title = f"{text('cli-export-title', 'en')} / {text('cli-export-title', 'fr')}"
    items = "".join(f'<li><a href="{escape(name)}">{escape(label)}</a></li>' for name, label in links)
    return page(
        title,
        (
            f"<h1>{both('cli-export-title')}</h1>",
            fields((("cli-export-subject", subject), ("cli-export-at", exported_at), ("cli-export-who", who))),
            f"<h2>{both('cli-export-conversations')}</h2>",
            f"<ul>{items}</ul>" if items else f"<p>{both('cli-export-none')}</p>",
            f'<p><a href="feedback.html">{both("cli-export-feedback")}</a></p>',
            f"<p>{both('cli-export-files')}</p>",
        ),
    )
