"""The components of a message: text, sections, galleries, files, and the labels of buttons and menus. Pure.

https://discord.com/developers/docs/components/reference
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bindings.discord.attachments import parse_component_file, parse_media
from bindings.discord.payloads import Payload, as_mapping, as_mappings, as_number, as_text
from bindings.incoming import AttachedFile, UnreadPart

LAYOUTS = (1, 9, 17)  # an action row, a section, a container
DEPTH_LIMIT = 6  # Discord nests three deep

ContentItem = str | AttachedFile | UnreadPart  # a line of text, a file, or something that cannot be read


def read_components(components: object, depth: int = DEPTH_LIMIT) -> Iterator[ContentItem]:
    """Yields the content in the order in which people see it."""
    for component in as_mappings(components) if depth > 0 else ():
        yield from read_component(component, depth - 1)


def read_component(component: Payload, depth: int) -> Iterator[ContentItem]:
    kind = as_number(component.get("type"))
    if kind in LAYOUTS:
        yield from read_components(component.get("components"), depth)
        yield from read_components([component.get("accessory")], depth)
    elif kind in READERS:
        yield from READERS[kind](component)
    else:
        yield UnreadPart("other")


def read_text(display: Payload) -> Iterator[str]:
    yield as_text(display.get("content"))


def read_button(button: Payload) -> Iterator[str]:
    label = as_text(button.get("label")) or as_text(as_mapping(button.get("emoji")).get("name"))
    url = as_text(button.get("url"))
    yield f"[{label}]({url})" if url else f"[{label}]" if label else ""


def read_menu(menu: Payload) -> Iterator[str]:
    yield as_text(menu.get("placeholder"))
    for option in as_mappings(menu.get("options")):
        parts = (as_text(option.get("label")), as_text(option.get("description")))
        yield f"- {': '.join(filter(None, parts))}"


def read_gallery(gallery: Payload) -> Iterator[str | UnreadPart]:
    for item in as_mappings(gallery.get("items")):
        yield from parse_media(item)


def read_file(component: Payload) -> Iterator[AttachedFile]:
    yield parse_component_file(component)


def read_separator(_: Payload) -> Iterator[str]:
    yield "---"


READERS: dict[int, Callable[[Payload], Iterator[ContentItem]]] = {
    2: read_button,
    3: read_menu,
    **dict.fromkeys((5, 6, 7, 8), read_menu),  # of people, roles, both, and channels
    10: read_text,
    11: parse_media,
    12: read_gallery,
    13: read_file,
    14: read_separator,
}
