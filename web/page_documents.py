"""Completes the page's HTML files: addresses of a version's files, modules to load ahead, texts. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import cast

from core.contract import Language
from web.module_imports import modules_needed

ADDRESS = re.compile(r'\b(href|src)="(\./)?([^"#:?]*)"')
MODULE = re.compile(r'<script type="module" src="([^"]+)"')
# An element whose text the page's modules cannot bring, because it says why they are not there.
FILLED = re.compile(r'\blang="(?P<language>en|fr)"|data-filled="(?P<key>[\w-]+)"[^>]*>')


@dataclass(frozen=True)
class Completion:
    """`root`: the address of the service, "./" or a path between slashes. `sources`: the modules' texts, by path."""

    root: str
    version: str
    paths: frozenset[str]
    sources: Mapping[str, str]
    text: Callable[[str, Language], str]

    def complete(self, html: str) -> str:
        modules = [path for entry in MODULE.findall(html) for path in modules_needed(entry, self.sources.get)]
        head = [f'<meta name="service" content="{escape(self.root)}">']
        head += [f'<link rel="modulepreload" href="{escape(self.address(path))}">' for path in dict.fromkeys(modules)]
        linked = ADDRESS.sub(self.link, self.fill(html))
        return linked.replace("</head>", "".join(f"  {each}\n" for each in head) + "</head>", 1)

    def address(self, path: str) -> str:
        """Returns the address of a file of this version."""
        return file_address(self.root, self.version, path)

    def link(self, match: re.Match[str]) -> str:
        attribute, of_service, path = match.groups()
        if of_service:  # "./gpt": a path of the service
            return f'{attribute}="{self.root}{path}"'
        return f'{attribute}="{self.address(path)}"' if path in self.paths else match[0]

    def fill(self, html: str) -> str:
        """Writes the texts of `data-filled` in the language of the nearest `lang` before it."""
        language: Language = "en"

        def write(match: re.Match[str]) -> str:
            nonlocal language
            if match["language"]:
                language = cast(Language, match["language"])
                return match[0]
            return match[0] + escape(self.text(match["key"], language), quote=False)

        return FILLED.sub(write, html)


def file_address(root: str, version: str, path: str) -> str:
    """Returns the address of a version's file, for a document at the level of the page."""
    return f"{root.removeprefix('./')}static/{version}/{path}"
