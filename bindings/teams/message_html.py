"""Parses the HTML of a message into Markdown, quoted messages, and parts that cannot be read. Pure.

Teams sends a message twice: as text, and as HTML in an attachment. The text has no code blocks, tables or addresses of
links, and `a <b> c` became "a c". Therefore the HTML counts where there is one. It is never shown as HTML.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from bindings.incoming import UnreadKind, UnreadPart
from bindings.teams.html_frames import BLOCKS, CLOSING, CODE_BLOCKS, LISTS, Frame, begin_frame
from bindings.teams.html_tokens import HtmlToken, decode_entities, split_tokens

LIMIT_CHARS = 1 << 17  # a message of Teams has less than 100 KB
TEXT_LIMIT_CHARS = 1 << 18
DEPTH_LIMIT = 30
PARTS_LIMIT = 50
NAME_CHARS = 200
MENTION, CODE_EDITOR = "/mention", "/codeblockeditor"  # ends of `itemtype`: "http://schema.skype.com/…"
MESSAGES = {"/reply": "reply", "/forward": "forward"}  # messages within the message, by the end of `itemtype`
PICTURES: dict[str, UnreadKind] = {"amsimage": "image", "giphy": "image", "gif": "image", "sticker": "sticker"}
OBJECTS: dict[str, UnreadKind] = {
    "picture": "image",
    "video": "video",
    "audio": "audio",
    "file": "file",
    "swift": "card",
}
NAMELESS = frozenset({"image", "img", "picture", "no alternative text description for image"})
IGNORED = frozenset({"script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg"})
CODE = CODE_BLOCKS | {"code"}
BREAKS = re.compile(r"\n{3,}")
CHECKED = re.compile(r"(?<![\w-])checked(?![\w-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class QuotedReply:
    """A message that this one replies to or forwards. `message` is its id and `sender` its author's account, or ""."""

    message: str
    author: str
    text: str
    sender: str = ""


@dataclass(frozen=True, slots=True)
class MessageHtml:
    """The content of a message's HTML. `images` are those within the text; `attachments` the ids of placeholders."""

    text: str = ""
    quotes: tuple[QuotedReply, ...] = ()
    forwards: tuple[QuotedReply, ...] = ()
    images: tuple[UnreadPart, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    attachments: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.quotes or self.forwards or self.images or self.unread or self.attachments)


@dataclass(frozen=True, slots=True)
class HtmlContext:
    """The references of the HTML: the bot's mentions by index from 0 and by name, and links in place of attachments."""

    bot_mentions: frozenset[int] = frozenset()
    bot_name: str = ""
    links: Mapping[str, str] = field(default_factory=dict)


def parse_html(html: str, context: HtmlContext | None = None) -> MessageHtml:
    """Ignores HTML above LIMIT_CHARS."""
    if len(html) > LIMIT_CHARS:
        return MessageHtml()
    tokens = list(split_tokens(html))
    reader = HtmlReader(context or HtmlContext(), frozenset(token.tag for token in tokens if token.is_end))
    for token in tokens:
        reader.take(token)
    return reader.finish()


class HtmlReader:
    """Collects the content, token by token. Elements deeper than DEPTH_LIMIT lose their form, not their text.

    `closable`: the tags that end somewhere. Without an end, no element is skipped, because all that follows would be.
    """

    def __init__(self, context: HtmlContext, closable: frozenset[str]) -> None:
        self._context = context
        self._closable = closable
        self._frames = [Frame("")]
        self._code_frames = 0
        self._too_deep: Counter[str] = Counter()  # open elements without a frame
        self._skipped = ""  # the tag whose content is ignored
        self._skip_depth = 0
        self._after_mention = False
        self._messages: dict[str, list[QuotedReply]] = {name: [] for name in MESSAGES.values()}
        self._images: list[UnreadPart] = []
        self._unread: list[UnreadPart] = []
        self._attachments: dict[str, None] = {}

    def take(self, token: HtmlToken) -> None:
        if self._skipped:
            self._skip(token)
        elif not token.tag:
            self._take_text(token.text)
        elif token.is_end:
            self._close(token.tag)
        else:
            self._open(token.tag, token)

    def finish(self) -> MessageHtml:
        while len(self._frames) > 1:
            self._pop()
        lines = self._frames[0].text[:TEXT_LIMIT_CHARS].split("\n")
        text = BREAKS.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()
        return MessageHtml(
            text,
            tuple(self._messages["reply"][:PARTS_LIMIT]),
            tuple(self._messages["forward"][:PARTS_LIMIT]),
            tuple(self._images[:PARTS_LIMIT]),
            tuple(self._unread[:PARTS_LIMIT]),
            tuple(self._attachments)[:PARTS_LIMIT],
        )

    @property
    def _top(self) -> Frame:
        return self._frames[-1]

    @property
    def _in_code(self) -> bool:
        return self._code_frames > 0

    def _skip(self, token: HtmlToken) -> None:
        if token.tag == self._skipped:
            self._skip_depth += -1 if token.is_end else 1
            if self._skip_depth <= 0:
                self._skipped = ""

    def _begin_skip(self, tag: str) -> None:
        if tag in self._closable:
            self._skipped, self._skip_depth = tag, 1

    def _take_text(self, text: str) -> None:
        words = decode_entities(text)
        if self._in_code:
            return self._top.write(words)
        if self._after_mention and words:
            self._after_mention = False
            if self._top.at_line_start or (self._top.parts and self._top.parts[-1].endswith(" ")):
                words = words.lstrip(" \t\r\n\xa0")
        return self._top.write_words(words)

    def _open(self, tag: str, token: HtmlToken) -> None:
        if tag in ("br", "hr", "input"):
            self._take_empty(tag, token)
        elif tag in IGNORED:
            self._begin_skip(tag)
        elif tag in ("img", "emoji", "customemoji"):
            self._take_picture(tag, token.attributes())
        elif tag in ("video", "audio", "uriobject"):
            self._take_object(tag, token.attributes())
        elif tag == "attachment":
            self._take_attachment(token.attributes().get("id", ""))
        elif tag in ("span", "at", "p"):
            self._open_typed(tag, token.attributes())
        elif tag in CLOSING or tag in ("strong", "b"):
            self._open_frame(tag, token)
        elif tag in BLOCKS:
            self._begin_block(tag)

    def _open_typed(self, tag: str, attributes: dict[str, str]) -> None:
        """Opens a mention or a paragraph, or the mark of a code block, which has no content."""
        kind = attributes.get("itemtype", "").lower()
        if kind.endswith(CODE_EDITOR):
            self._begin_skip(tag)
        elif tag == "at" or kind.endswith(MENTION):
            self._open_mention(tag, attributes)
        elif tag == "p":
            self._begin_block(tag)

    def _open_mention(self, tag: str, attributes: dict[str, str]) -> None:
        index = attributes.get("itemid") or attributes.get("id") or ""
        if index.isascii() and index.isdigit() and len(index) < 6:
            if int(index) in self._context.bot_mentions:
                self._begin_skip(tag)
                self._after_mention = True
        elif self._context.bot_name and tag == "at":
            self._push(begin_frame("mention", {}, begins_line=self._top.at_line_start), tag)

    def _begin_block(self, tag: str) -> None:
        if tag == "tr" and (table := self._nearest("table")) is not None:
            self._pop_above(table)
            table.rows.append([])
        elif not self._in_code or not self._top.at_line_start:
            self._top.end_line()

    def _open_frame(self, tag: str, token: HtmlToken) -> None:
        if tag in ("strong", "b"):
            if self._names_author(token.attributes()):
                self._push(begin_frame("author", token.attributes(), begins_line=True), tag)
        elif not self._in_code:
            self._open_element(tag, token.attributes())
        elif tag in LISTS or tag in ("li", "blockquote", "table", "td"):
            self._top.end_line()

    def _names_author(self, attributes: dict[str, str]) -> bool:
        """True for the bold name above a quoted message. Forwarded ones mostly come without: there a name is marked."""
        is_first = self._top.tag in self._messages and not self._top.author and not self._top.text.strip()
        return is_first and (self._top.tag == "reply" or attributes.get("itemprop") == "mri")

    def _open_element(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in ("td", "th") and (table := self._nearest("table")) is not None:
            self._pop_above(table)
        elif tag == "li" and (opened := self._nearest("ol", "ul")) is not None:
            self._pop_above(opened)
        kind = attributes.get("itemtype", "").lower() if tag == "blockquote" else ""
        name = next((name for end, name in MESSAGES.items() if kind.endswith(end)), tag)
        if name != tag and self._nearest(*MESSAGES.values()) is not None:
            name = tag  # a message in another one is a quotation in it
        self._push(begin_frame(name, attributes, begins_line=self._top.at_line_start), tag)

    def _push(self, frame: Frame, tag: str) -> None:
        if len(self._frames) > DEPTH_LIMIT:
            self._too_deep[tag] += 1
        else:
            self._frames.append(frame)
            self._code_frames += frame.tag in CODE

    def _nearest(self, *tags: str) -> Frame | None:
        return next((frame for frame in reversed(self._frames) if frame.tag in tags), None)

    def _pop_above(self, frame: Frame) -> None:
        while self._top is not frame:
            self._pop()

    def _close(self, tag: str) -> None:
        names = {
            "at": ("mention",),
            "strong": ("author",),
            "b": ("author",),
            "blockquote": ("blockquote", *self._messages),
        }
        if self._too_deep[tag] > 0:
            self._too_deep[tag] -= 1
        elif (frame := self._nearest(*names.get(tag, (tag,)))) is not None and frame is not self._frames[0]:
            self._pop_above(frame)
            self._pop()
        elif tag in BLOCKS:
            self._top.end_line()

    def _pop(self) -> None:
        frame = self._frames.pop()
        self._code_frames -= frame.tag in CODE
        if frame.tag in self._messages:
            text = frame.text.strip()
            message = QuotedReply(frame.attributes.get("itemid", ""), frame.author, text, frame.sender)
            self._messages[frame.tag].append(message)
        elif frame.tag == "author":
            self._top.author = " ".join(frame.text.split())[:NAME_CHARS]
            self._top.sender = frame.attributes.get("itemid", "")[:NAME_CHARS]
        elif frame.tag == "mention":
            self._after_mention = frame.text.strip().casefold() == self._context.bot_name.casefold()
            self._top.write("" if self._after_mention else frame.text)
        else:
            CLOSING[frame.tag](frame, self._top)

    def _take_empty(self, tag: str, token: HtmlToken) -> None:
        """Writes the end of a line, a line across the text, or the box of a task, as Markdown has them."""
        if tag == "hr" and not self._in_code:
            self._top.write_block("---", "\n\n")
        elif tag == "hr":
            self._top.end_line()
        elif tag == "br":
            self._top.write("\n")
        elif token.attributes().get("type", "").lower() == "checkbox":
            self._top.write("[x] " if CHECKED.search(token.rest) else "[ ] ")

    def _take_picture(self, tag: str, attributes: dict[str, str]) -> None:
        """Writes an emoji as text. Pictures cannot be read; they are named."""
        kind, _, name = attributes.get("itemtype", "").lower().rpartition("/")
        alt = " ".join(attributes.get("alt", "").split())[:NAME_CHARS]
        if tag == "emoji" or name == "emoji":
            self._top.write(alt or attributes.get("title", "")[:NAME_CHARS])
        elif tag == "customemoji":
            self._top.write(f":{alt}:" if alt else "")
        elif attributes.get("src") or kind or alt:
            shown = "" if alt.casefold() in NAMELESS else alt
            self._images.append(UnreadPart(PICTURES.get(name, "image"), shown))

    def _take_object(self, tag: str, attributes: dict[str, str]) -> None:
        """Records a clip or a recording. Its content is a fallback for old clients."""
        kind = attributes.get("type", "").lower().partition(".")[0] if tag == "uriobject" else tag
        name = attributes.get("title") or attributes.get("data-name") or ""
        self._unread.append(UnreadPart(OBJECTS.get(kind, "other"), name[:NAME_CHARS]))
        self._begin_skip(tag)

    def _take_attachment(self, name: str) -> None:
        if name:
            self._attachments[name[:NAME_CHARS]] = None
            self._top.write(self._context.links.get(name, ""))
