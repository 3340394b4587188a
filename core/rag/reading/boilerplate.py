"""Finds the parts of a page around its content: hidden parts, navigation, banners, controls. Pure.

Looks at one element of a parsed page at a time, first at its semantics, then at its class and id.
"""

from __future__ import annotations

import re

from bs4 import Tag


def word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def name_pattern(words: str) -> re.Pattern[str]:
    """Matches a class or id, as words, that contains one of these words."""
    return re.compile(rf"(?:^|\s)(?:{'|'.join(words.split())})(?:$|\s)".replace("~", " "))


IGNORED_TAGS = word_set(
    """
    script style noscript template head iframe object embed applet canvas svg audio video map datalist frameset nav
    aside dialog search menu input select button textarea label legend progress meter rp rt
    """
)
BOILERPLATE_ROLES = word_set(
    """
    navigation banner contentinfo search dialog alertdialog alert complementary menu menubar toolbar tablist tooltip
    button doc-toc doc-pagelist
    """
)
CONTENT_TAGS = ("article", "main", "section")
PAGE_FRAME_TAGS = word_set("html body main article")
TEXT_TAGS = word_set(
    """
    p h1 h2 h3 h4 h5 h6 table tr td th code pre em strong b i a span time small abbr cite dfn kbd samp var q sub sup u
    font img
    """
)
HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
SKIP_LINK = re.compile(
    r"(skip|jump) (to|over|nav)|(passer|aller|sauter) (au|à|aux|directement)|retour en haut|haut de (la )?page|"
    r"(back )?to (the )?top( of (the )?page)?$",
    re.IGNORECASE,
)
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
CONTENT_MIN_WORDS = 40
# Content is never named like this.
BOILERPLATE_NAMES = name_pattern(
    r"""
    breadcrumbs? pagination pager paginator navbox navbar catlinks printfooter headerlink editsection jumplinks? sortkey
    sidebar newsletters? comments? commentaires disqus livefyre onetrust gdpr cookieconsent
    cookie~(?:banner|consent|notice|bar|law) sharethis addthis addtoany sharing sharebar sharedaddy advert\w* adsense
    ads adslot sponsored noprint noexcerpt mw~jump~link site~sub taboola outbrain trending popular mostpopular
    mostviewed skiplinks? skip~link
    """
)
# Content may be named like this; boilerplate is, if it has no prose.
LIKELY_BOILERPLATE_NAMES = name_pattern(
    r"""
    share socials? related recommend\w* promos? promo\w* cookies? consent menu toc tools toolbar widgets? login signin
    subscribe subscription abonnement popup modal banner footer header nav navigation masthead ad tags? keywords? topics
    byline author rss follow feedback rating print bookmarks? links more suggest\w* teasers? carousel gallery slideshow
    sticky utility meta metadata hidden
    """
)


def is_hidden(tag: Tag) -> bool:
    """Tells whether the element declares itself invisible, or silent for screen readers."""
    if tag.get("aria-hidden") == "true":
        return True
    if tag.has_attr("hidden") and tag["hidden"] != "until-found":
        return True
    return HIDDEN_STYLE.search(str(tag.get("style") or "")) is not None


def is_boilerplate(tag: Tag) -> bool:
    """Tells by the element itself: a part of the page's frame, or a control."""
    if tag.name in IGNORED_TAGS or is_hidden(tag):
        return True
    if aria_roles(tag) & BOILERPLATE_ROLES:
        return True
    if tag.name in ("header", "footer"):
        return tag.find_parent(CONTENT_TAGS) is None and tag.find("main") is None
    return tag.name == "a" and is_skip_link(tag)


def aria_roles(tag: Tag) -> set[str]:
    role = tag.get("role")
    return set(role.lower().split()) if isinstance(role, str) else set()


def is_skip_link(tag: Tag) -> bool:
    href = tag.get("href")
    return isinstance(href, str) and href.startswith("#") and SKIP_LINK.match(tag.get_text(" ").strip()) is not None


def class_and_id(tag: Tag) -> str:
    """Returns class and id as words: "share-Tools js_x" → "share tools js x"."""
    classes = tag.get("class") or ()
    words = " ".join([*classes, str(tag.get("id") or "")])
    return CAMEL.sub(" ", words).replace("-", " ").replace("_", " ").lower()


def is_named_boilerplate(tag: Tag, prose_words: int) -> bool:
    """Tells by class and id. `prose_words`: the number of words in the element that read like content."""
    name = class_and_id(tag) if tag.name not in PAGE_FRAME_TAGS else ""
    if not name.strip():
        return False
    if BOILERPLATE_NAMES.search(name):
        return True
    return (
        tag.name not in TEXT_TAGS
        and prose_words < CONTENT_MIN_WORDS
        and LIKELY_BOILERPLATE_NAMES.search(name) is not None
    )
