"""Checks of the catalogue of texts: that its two files agree, and that the code uses its keys correctly."""

from __future__ import annotations

import ast as python
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

from core.contract import Language
from core.texts import LANGUAGES
from core.texts.catalogue import References, functions

AREAS = (
    *("error", "status", "prompt", "source", "bot", "delivery", "slack", "discord", "teams", "cli"),
    *("start", "form", "page", "privacy", "admin"),
)
KEY = re.compile(rf"(?:{'|'.join(AREAS)})-[a-z0-9_]+(?:-[a-z0-9_]+)*")
CODE_PART = "[a-z0-9_]+"  # the value of a gap in an f-string: one code, without a hyphen
SCRIPT_KEY = re.compile(r"""['"`]((?:page|start|admin)-(?:[\w-]|\$\{[^}]*\})+)['"`]""")

Entries = dict[str, ast.Message | ast.Term]


def parse(source: str) -> tuple[Entries, list[str]]:
    """Returns the entries of a file by key, and its faults: invalid Fluent, repeated keys, malformed keys."""
    entries: Entries = {}
    faults = []
    for entry in FluentParser(with_spans=False).parse(source).body:
        if isinstance(entry, ast.Junk):
            faults.append(f"not valid Fluent: {(entry.content or '').strip()[:60]!r}")
        elif isinstance(entry, ast.Message | ast.Term):
            key = f"-{entry.id.name}" if isinstance(entry, ast.Term) else entry.id.name
            if key in entries:
                faults.append(f"{key}: twice")
            if isinstance(entry, ast.Message) and not KEY.fullmatch(key):
                faults.append(f"{key}: not of the form area-thing")
            entries[key] = entry
    return entries, faults


def catalogue_faults(sources: Mapping[Language, str]) -> list[str]:
    """Returns the faults of a catalogue's files."""
    parsed = {language: parse(source) for language, source in sources.items()}
    faults = [f"{language}: {fault}" for language, (_, own) in parsed.items() for fault in own]
    english, french = (parsed[language][0] for language in LANGUAGES)
    faults += [f"{key}: in one language only" for key in english.keys() ^ french.keys()]
    if not faults and list(english) != list(french):
        faults.append(f"the order differs from {next(a for a, b in zip(english, french, strict=True) if a != b)}")
    for key in english.keys() & french.keys():
        faults += entry_faults(key, english[key], french[key])
    return faults


def entry_faults(key: str, english: ast.Message | ast.Term, french: ast.Message | ast.Term) -> Iterator[str]:
    """Yields a fault for values that differ by language, and for references to anything but functions and terms."""
    values = [References.of(entry).variables for entry in (english, french)]
    if values[0] != values[1]:
        yield f"{key}: values in one language only: {sorted(values[0] ^ values[1])}"
    for entry in (english, french):
        references = References.of(entry)
        is_nested = references.messages or (references.terms and isinstance(entry, ast.Term))
        if entry.value is None or entry.attributes or is_nested:
            yield f"{key}: has attributes, or refers to another message"
        if unknown := references.functions - {*functions("en"), "NUMBER"}:
            yield f"{key}: unknown functions {sorted(unknown)}"


class Passages(Visitor):
    """Collects the prose of an entry: each of its patterns, with `{value}` for a value."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def visit_Pattern(self, node: ast.Pattern) -> None:
        self.texts.append("".join(as_prose(element) for element in node.elements))
        self.generic_visit(node)


def as_prose(element: ast.TextElement | ast.Placeable) -> str:
    if isinstance(element, ast.TextElement):
        return element.value
    expression = element.expression
    return expression.parse()["value"] if isinstance(expression, ast.StringLiteral) else "{value}"


def prose(source: str) -> Iterator[tuple[str, str]]:
    """Yields (key, passage) for each passage of a file."""
    for key, entry in parse(source)[0].items():
        passages = Passages()
        passages.visit(entry)
        yield from ((key, text) for text in passages.texts)


# ---------------------------------------------------------------- uses of keys


@dataclass
class Uses:
    """The keys that a source file contains, the patterns of keys that it builds, and the values that it passes."""

    named: set[str] = field(default_factory=set)
    built: list[str] = field(default_factory=list)
    given: list[tuple[str, set[str]]] = field(default_factory=list)

    def use(self, key: str) -> bool:
        return key in self.named or any(re.fullmatch(pattern, key) for pattern in self.built)


def python_uses(source: str) -> Uses:
    """Finds the uses in a Python module. Without an import of `core.texts`, its keys are only data, as in a table."""
    tree, uses = python.parse(source), Uses()
    reads_texts = any(
        isinstance(node, python.ImportFrom) and (node.module or "").startswith("core.texts")
        for node in python.walk(tree)
    )
    for node in python.walk(tree):
        if isinstance(node, python.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value):
            uses.named.add(node.value)
        elif reads_texts and isinstance(node, python.Call) and node.args and called(node) == "text":
            add_call(uses, node)
    return uses


def called(node: python.Call) -> str:
    return node.func.attr if isinstance(node.func, python.Attribute) else getattr(node.func, "id", "")


def add_call(uses: Uses, node: python.Call) -> None:
    key, values = node.args[0], {str(each.arg) for each in node.keywords}
    if isinstance(key, python.JoinedStr):
        uses.built.append(
            "".join(re.escape(part.value) if isinstance(part, python.Constant) else CODE_PART for part in key.values)
        )
    elif isinstance(key, python.Constant) and isinstance(key.value, str) and "None" not in values:  # not `**values`
        uses.given.append((key.value, values))


def script_uses(source: str) -> Uses:
    """Finds the uses in a file of the page: every quoted key."""
    uses = Uses()
    for key in SCRIPT_KEY.findall(source):
        if "$" in key:
            uses.built.append(re.sub(r"\\\$\\\{.*?\\\}", CODE_PART, re.escape(key)))
        else:
            uses.named.add(key)
    return uses


def usage_faults(source: str, uses: Iterable[tuple[str, Uses]]) -> list[str]:
    """Returns unused keys, and uses of keys or values that do not exist. `uses`: (file, uses of it)."""
    entries, by_file = parse(source)[0], list(uses)
    terms = {term for entry in entries.values() for term in References.of(entry).terms}
    faults = [
        f"{key}: unused" for key in entries if key not in terms and not any(found.use(key) for _, found in by_file)
    ]
    for file, found in by_file:
        faults += [
            f"{file}: no text {key}"
            for key in {key for key, _ in found.given} | page_keys(file, found)
            if key not in entries
        ]
        faults += [
            f"{file}: no text {each}" for each in found.built if not any(re.fullmatch(each, key) for key in entries)
        ]
        for key, values in found.given:
            if key in entries and values != (needed := References.of(entries[key]).variables):
                faults.append(f"{file}: {key} takes the values {sorted(needed)}, not {sorted(values)}")
    return faults


def page_keys(file: str, uses: Uses) -> set[str]:
    """Returns the keys in a file of the page, where every string of a key's form is one."""
    return set() if file.endswith(".py") else uses.named
