"""Opens the closed parts of a page that its readers open in place: tab panels, and answers below questions. Pure."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag

from core.rag.documents import one_line
from core.rag.reading.pages import boilerplate

TARGETS = ("aria-controls", "data-target", "data-bs-target")
TOGGLED = re.compile(r'"selector"\s*:\s*"#([^"]+)"')  # in Canada.ca's data-toggle, which is JSON
TOGGLES = ("data-toggle", "data-bs-toggle")
NAVIGATION = ("nav", "header", "menu", "dialog")


def open_closed_parts(soup: BeautifulSoup) -> frozenset[int]:
    """Returns the id() of each element that a control shows. Writes the name of each tab above its panel."""
    tags = [tag for tag in soup.descendants if isinstance(tag, Tag) and tag.attrs]
    show_behind_dialog(tags)
    by_id = {str(tag["id"]): tag for tag in tags if "id" in tag.attrs}
    panels = {id(tag): tag for tag in tags if tag.get("role") == "tabpanel"}
    labels = {key: by_id.get(str(panel.get("aria-labelledby") or "")) for key, panel in panels.items()}
    opened = set(panels)
    for control in filter(is_control, tags):
        if (target := shown_by(control, by_id)) is not None:
            opened.add(id(target))
            if id(target) in panels and control.get("role") == "tab":
                labels[id(target)] = labels[id(target)] or control
    for key, tab in labels.items():
        if tab is not None and (name := one_line(tab.get_text(" "))):
            panels[key].insert(0, soup.new_tag("p", string=name))
    return frozenset(opened)


def show_behind_dialog(tags: list[Tag]) -> None:
    """Shows the main part that an open dialog, such as one about cookies, hides from screen readers."""
    for tag in tags:
        if tag.get("aria-hidden") == "true" and (tag.name == "main" or tag.find("main") or tag.find(role="main")):
            del tag["aria-hidden"]


def is_control(tag: Tag) -> bool:
    attributes = tag.attrs
    return any(name in attributes for name in (*TARGETS, *TOGGLES)) or (
        "href" in attributes and attributes.get("role") == "tab"
    )


def shown_by(control: Tag, by_id: dict[str, Tag]) -> Tag | None:
    """Returns the element that the control shows; None for menus and pop-ups, which hold no content."""
    if boilerplate.is_popup_control(control) or control.find_parent(NAVIGATION) is not None:
        return None
    names = [str(control.get(attribute) or "").removeprefix("#") for attribute in (*TARGETS, "href")]
    names += TOGGLED.findall(str(control.get("data-toggle") or ""))
    return next((by_id[name] for name in names if name in by_id), None)
