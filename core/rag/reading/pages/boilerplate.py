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
    dialog search menu input select button textarea progress meter rp rt del s strike annotation annotation-xml
    """
)
BOILERPLATE_ROLES = word_set(
    """
    navigation banner contentinfo search dialog alertdialog menu menubar toolbar tablist tooltip button doc-toc
    doc-pagelist doc-backlink
    """
)
ASIDE_ROLES = word_set("complementary")
NOTE_ROLES = word_set("note doc-footnote doc-endnotes doc-tip doc-notice doc-errata doc-example region alert status")
CONTENT_TAGS = ("article", "main", "section")
PAGE_FRAME_TAGS = word_set("html body main article")
TEXT_TAGS = word_set(
    """
    p h1 h2 h3 h4 h5 h6 table tr td th code pre em strong b i a span time small abbr cite dfn kbd samp var q sub sup u
    font img
    """
)
HEADING_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6", "summary", "dt", "legend", "caption", "figcaption")
CONTROL_TAGS = ("a", "button", "input", "form", "img", "iframe")
DISCLOSING = ("aria-expanded", "aria-controls", "data-target", "data-bs-target")
POPUPS = word_set("modal dropdown offcanvas tooltip popover")
HIDING_CLASSES = word_set("hidden hide d-none is-hidden invisible")
# Frameworks hide on small screens alone with "hidden lg:block" and "d-none d-md-block".
SHOWN_AGAIN = re.compile(r"(?:\w+:|d-\w+-)(?:block|flex|grid|inline|inline-block|inline-flex|table\S*|contents)")
# Inside the main part, what is named like this leads elsewhere if it is links, or stands around the article.
SERVICE_NAMES = name_pattern(
    r"""
    related recommend\w* share socials? login signin logged subscribe authors? byline actions? rss promos? promo\w*
    teasers? follow suggest\w* extranav
    """
)
HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
FIGURE = re.compile(r"\d")
STRUCK_STYLE = re.compile(r"text-decoration[a-z-]*\s*:[^;]*line-through", re.IGNORECASE)
# Classes of texts for screen readers alone, in the frameworks of governments and the common ones.
SPOKEN_CLASS = re.compile(
    r"(?:.*-)?(?:wb-inv|wb-invisible|sr-only|visually-?hidden|hidden-visually|screen-?reader(?:-(?:text|only))?|element-invisible"
    r"|off-?screen|assistive-text|accessibly-hidden)"
)
SKIP_LINK = re.compile(
    r"(skip|jump) (to|over|nav)|(passer|aller|sauter) (au|à|aux|directement)|retour en haut|haut de (la )?page|"
    r"(back )?to (the )?top( of (the )?page)?$",
    re.IGNORECASE,
)
RETURN_LINK = re.compile(
    r"(return|back) to (the )?(\w+ )?(footnote|endnote|note|reference|referrer|text|content)\b|"
    r"retour (à|au|aux|vers) (la |le |l[’'])?(\w+ ){0,3}(référence|renvoi|note|texte|appel)|[↩↑^⤴]\ufe0e?$",
    re.IGNORECASE,
)
LANGUAGE_NAMES = word_set("en fr eng fra english français francais anglais french")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
CONTENT_MIN_WORDS = 40
# Content is never named like this.
MACHINERY = r"""
    breadcrumbs? pagination pager paginator navbox navbar catlinks printfooter headerlink editsection jumplinks? sortkey
    disqus livefyre onetrust gdpr cookieconsent cookie~(?:banner|consent|notice|bar|law) sharethis addthis addtoany
    sharing sharebar sharedaddy advert\w* adsense ads adslot mw~jump~link site~sub taboola outbrain mostviewed
    skiplinks? skip~link jump~to~nav recirc pull~?quote not~logged~in
    """
MACHINERY_NAMES = name_pattern(MACHINERY)
# In the main part, a page about comments or a newsletter is content.
BOILERPLATE_NAMES = name_pattern(
    MACHINERY
    + r"""
    sidebar newsletters? comments? commentaires sponsored noprint noexcerpt trending popular mostpopular toc
    """
)
THREAD_NAMES = name_pattern(r"comments? commentaires?")
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
        return not is_figure_seen_only(tag)
    if tag.has_attr("hidden") and tag["hidden"] != "until-found":
        return True
    # Wikis hide the formula below its picture, which has no text.
    return HIDDEN_STYLE.search(str(tag.get("style") or "")) is not None and tag.find("math", recursive=False) is None


def is_figure_seen_only(tag: Tag) -> bool:
    """Tells whether the element shows a number, such as a price, beside its wording for screen readers."""
    beside = tag.parent.find_all(True, recursive=False) if tag.parent else []
    return tag.name == "span" and FIGURE.search(tag.get_text()) is not None and any(map(is_spoken_only, beside))


def is_hidden_by_class(tag: Tag) -> bool:
    """Tells by the classes of common frameworks."""
    classes = tag.get("class") or ()
    return not HIDING_CLASSES.isdisjoint(classes) and not any(map(SHOWN_AGAIN.fullmatch, classes))


def is_spoken_only(tag: Tag) -> bool:
    """Tells whether only screen readers present the element. Tables stay: they stand for a chart."""
    if tag.name in ("table", "caption") or not any(map(SPOKEN_CLASS.fullmatch, tag.get("class") or ())):
        return False
    return tag.find("table") is None


def is_struck(tag: Tag) -> bool:
    return STRUCK_STYLE.search(str(tag.get("style") or "")) is not None


def is_boilerplate(tag: Tag) -> bool:
    """Tells by the element itself: a part of the page's frame, a control, or text that is not shown or struck out."""
    if is_discloser(tag):
        return False
    if tag.name in IGNORED_TAGS and not is_shadow_root(tag):
        return True
    if aria_roles(tag) & BOILERPLATE_ROLES and not (tag.name == "a" and is_link(tag)):
        return True
    if is_struck(tag) or is_spoken_only(tag):
        return True
    if tag.name in ("header", "footer"):
        return tag.find_parent(CONTENT_TAGS) is None and tag.find("main") is None
    return tag.name == "a" and is_service_link(tag)


def is_aside(tag: Tag) -> bool:
    """Tells whether the element stands beside the content; notes and footnotes are a part of it."""
    roles = aria_roles(tag)
    return bool(roles & ASIDE_ROLES) or (tag.name == "aside" and not roles & NOTE_ROLES)


def is_shadow_root(tag: Tag) -> bool:
    """Tells whether browsers show the template."""
    return tag.name == "template" and (tag.has_attr("shadowrootmode") or tag.has_attr("shadowroot"))


def is_discloser(tag: Tag) -> bool:
    """Tells whether the element is a button that shows text below it, such as the question of a list of questions."""
    if tag.name != "button" and "button" not in aria_roles(tag):
        return False
    if tag.name in HEADING_TAGS or tag.find_parent((*HEADING_TAGS, "th")) is not None:
        return True  # in a header cell, the button sorts by its column
    return any(map(tag.has_attr, DISCLOSING)) and not is_popup_control(tag)


def is_popup_control(tag: Tag) -> bool:
    """Tells whether the element opens a menu or a dialog."""
    toggles = {str(tag.get(name) or "") for name in ("data-toggle", "data-bs-toggle")}
    return tag.has_attr("aria-haspopup") or bool(toggles & POPUPS)


def is_link(tag: Tag) -> bool:
    return str(tag.get("href") or "#") != "#"


def aria_roles(tag: Tag) -> set[str]:
    role = tag.get("role")
    return set(role.lower().split()) if isinstance(role, str) else set()


def is_service_link(tag: Tag) -> bool:
    """Tells whether the link leads to another place of this page, back from a footnote, or to another language."""
    text = " ".join(tag.get_text(" ").split())
    if str(tag.get("href") or "").startswith("#"):
        return SKIP_LINK.match(text) is not None or RETURN_LINK.match(text) is not None
    return (tag.has_attr("hreflang") or tag.has_attr("lang")) and text.lower() in LANGUAGE_NAMES


def class_and_id(tag: Tag) -> str:
    """Returns class and id as words: "share-Tools js_x" → "share tools js x"."""
    classes = tag.get("class") or ()
    words = " ".join([*classes, str(tag.get("id") or "")])
    return CAMEL.sub(" ", words).replace("-", " ").replace("_", " ").lower()


def is_named_boilerplate(tag: Tag, prose_words: int, *, in_article: bool) -> bool:
    """Tells by class and id. `prose_words`: the number of words in the element that read like content.

    `in_article`: the element is in an article, where plain text is content under any likely name.
    """
    name = class_and_id(tag) if tag.name not in PAGE_FRAME_TAGS else ""
    if not name.strip():
        return False
    if BOILERPLATE_NAMES.search(name):
        return True
    return (
        tag.name not in TEXT_TAGS
        and prose_words < CONTENT_MIN_WORDS
        and LIKELY_BOILERPLATE_NAMES.search(name) is not None
        and not (in_article and tag.find(CONTROL_TAGS) is None)
    )


def is_named_service(tag: Tag, prose_words: int, *, is_beside: bool, is_linked: bool) -> bool:
    """Tells by class and id inside the main part. Authors have marked the content, so few names say anything there.

    `is_linked`: most of its words are links. `is_beside`: it is a group of links, or stands beside the article that
    the page is about.
    """
    name = class_and_id(tag) if tag.name not in PAGE_FRAME_TAGS else ""
    if not name.strip():
        return False
    if MACHINERY_NAMES.search(name) or is_thread(tag, name):
        return True
    if is_beside and prose_words < CONTENT_MIN_WORDS and SERVICE_NAMES.search(name):
        return True
    is_service = is_beside or is_linked or tag.find(("form", "input")) is not None
    return is_service and BOILERPLATE_NAMES.search(name) is not None


def is_thread(tag: Tag, name: str) -> bool:
    """Tells whether the element holds readers' comments. One with a heading may as well say how to comment."""
    if not THREAD_NAMES.search(name) or tag.find(("h1", "h2", "h3", "h4")) is None:
        return THREAD_NAMES.search(name) is not None
    return any(THREAD_NAMES.search(class_and_id(part)) for part in tag.find_all(True, class_=True))
