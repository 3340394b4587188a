"""The HTML of the form without JavaScript, piece by piece, so that an answer can be streamed into it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from core.contract import LANGUAGES, Description, Language, Source
from core.texts import text

STYLES = ("base.css", "layout.css", "messages.css", "plain_form.css")


@dataclass(frozen=True, slots=True)
class FormFiles:
    """The addresses of the icon and of the style sheets."""

    icon: str
    styles: tuple[str, ...]

    @classmethod
    def build(cls, address: Callable[[str], str]) -> FormFiles:
        """`address(path)`: that of a file of the page."""
        return cls(address("icon.svg"), tuple(address(f"styles/{name}") for name in STYLES))


@dataclass(frozen=True, slots=True)
class FormPage:
    """`personality` and `question`: those that the person chose and wrote."""

    language: Language
    files: FormFiles
    personalities: tuple[Description, ...]
    personality: str
    question: str = ""

    @property
    def chosen(self) -> Description | None:
        return next((each for each in self.personalities if each.personality == self.personality), None)

    def head(self, title: str) -> str:
        """Returns everything up to the content of the page."""
        other = next(each for each in LANGUAGES if each != self.language)
        query = escape(urlencode({"personality": self.personality, "language": other}))
        return (
            f"{document_head(title, self.language, self.files)}"
            f'<header class="top"><h1>{escape(text("form-heading", self.language))}</h1>'
            f'<a href="?{query}" lang="{other}" hreflang="{other}">{escape(text("form-this-language", other))}</a>'
            "</header>\n<main>\n"
        )

    def form(self) -> str:
        options = "".join(
            f'<option value="{escape(each.personality)}" lang="{each.language}"'
            f"{' selected' if each.personality == self.personality else ''}>{escape(each.title)}</option>"
            for each in self.personalities
        )
        words = {key: escape(text(f"form-{key}", self.language)) for key in FORM_WORDS}
        return (
            '<form class="plain-form" method="post" action="gpt">'
            f'<input type="hidden" name="language" value="{self.language}">'
            f'<p><label for="personality">{words["personality"]}</label>'
            f'<select id="personality" name="personality">{options}</select></p>'
            f'<p><label for="prompt">{words["question"]}</label>'
            '<textarea id="prompt" name="prompt" rows="6" required aria-describedby="caution">\n'
            f'{escape(self.question)}</textarea></p><p id="caution" class="note">{words["caution"]}</p>'
            f'<p><button class="primary">{words["send"]}</button></p></form>\n'
        )

    def answer_start(self) -> str:
        """Returns the question, and the beginning of the answer."""
        language = self.chosen.language if self.chosen else self.language
        return (
            f'<section class="plain-answer"><h2>{escape(text("form-your-question", self.language))}</h2>'
            f'<p class="body">{escape(self.question)}</p>'
            f'<h2>{escape(text("form-answer", self.language))}</h2><p class="body" lang="{language}">'
        )

    def answer_end(self, sources: Iterable[Source]) -> str:
        """Ends the answer with its sources and with the form for the next question."""
        items = "".join(f'<li value="{each.number}">{source_link(each)}</li>' for each in sources)
        title = escape(text("form-sources", self.language))
        listed = f"<h2>{title}</h2><ol>{items}</ol>" if items else ""
        return f"</p>{listed}</section>\n<h2>{escape(text('form-next', self.language))}</h2>\n"

    def error(self, message: str) -> str:
        return f'<p class="error" role="alert">{escape(message)}</p>\n'


FORM_WORDS = ("personality", "question", "caution", "send")
END = "</main>\n</body>\n</html>\n"


def document_head(title: str, language: Language, files: FormFiles) -> str:
    """Returns everything before the content of the body."""
    icon = f'<link rel="icon" href="{escape(files.icon)}" type="image/svg+xml">'
    links = icon + "".join(f'<link rel="stylesheet" href="{escape(each)}">' for each in files.styles)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title>{links}</head>\n<body>\n"
    )


def missing_page(language: Language, files: FormFiles, root: str) -> str:
    """Returns the page for an address without one. `root`: the address of the service, with a slash at its end."""
    words = {key: escape(text(f"form-missing-{key}", language)) for key in ("heading", "why", "chat", "form")}
    return (
        f"{document_head(text('form-missing-title', language), language, files)}"
        f"<main>\n<h1>{words['heading']}</h1>\n<p>{words['why']}</p>\n"
        f'<ul><li><a href="{escape(root)}">{words["chat"]}</a></li>'
        f'<li><a href="{escape(root)}gpt">{words["form"]}</a></li></ul>\n{END}'
    )


def source_link(source: Source) -> str:
    lang = f' lang="{source.language}"' if source.language else ""
    if source.url is None or urlsplit(source.url).scheme not in ("http", "https"):
        return f"<span{lang}>{escape(source.title)}</span>"
    host = escape(urlsplit(source.url).hostname or "")
    return (
        f'<a href="{escape(source.url)}" rel="noopener noreferrer nofollow"{lang}>{escape(source.title)}</a> ({host})'
    )
