"""Finds a text by its key and language in Fluent files, and fills in its values.

The shipped texts are in `config/locale/`. An operator's folder may replace single messages (`overlay`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
from fluent.runtime import FluentBundle, resolver
from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

from core import PROJECT_ROOT
from core.contract import LANGUAGES, Language
from core.errors import ConfigError, closest_name
from core.texts.formats import format_date, format_duration, format_moment, format_size

log = structlog.get_logger()

SHIPPED = PROJECT_ROOT / "config" / "locale"
# An entry begins in the first column; its further lines are indented, or close a brace.
ENTRY = re.compile(r"^(-?[A-Za-z][\w-]*) *=.*(?:\n(?![#A-Za-z-]).*)*", re.MULTILINE)
# By default fluent.runtime refuses a value of more than 2,500 characters, against files of texts by strangers. Ours are
# by us and the operator, and values such as a list of file names may be longer.
resolver.MAX_PART_LENGTH = 1_000_000


class TextCatalogue:
    """The messages of one language. Each is parsed at its first use, because all of them take 0.3 s."""

    def __init__(self, language: Language, source: str, own_source: str = "") -> None:
        # Without isolation: Fluent would put U+2068 and U+2069 around each value, for texts that mix directions of
        # writing. English and French do not, and people copy names and commands out of these texts.
        self._bundle = FluentBundle([f"{language}-CA"], functions=functions(language), use_isolating=False)
        self._sources = entries(source) | entries(own_source)
        self._shipped = TextCatalogue(language, source) if own_source else None

    def text(self, key: str, /, **values: Any) -> str:
        """Returns the message `key` with its values. Raises KeyError if there is none, ValueError if a value lacks.

        An operator's message may call a function in a way that fails for a value. Then the shipped one replaces it.
        """
        if not self._bundle.has_message(key):
            self._add(key)
        pattern = self._bundle.get_message(key).value
        assert pattern is not None
        result, errors = self._bundle.format_pattern(pattern, values)
        if errors:
            problem = "; ".join(str(error) or type(error).__name__ for error in errors)
            if self._shipped is None:
                raise ValueError(f"text {key}: {problem}")
            log.warning("own_text_failed", key=key, problem=problem)
            return self._shipped.text(key, **values)
        return str(result)

    def __contains__(self, key: str) -> bool:
        return key in self._sources

    def __iter__(self) -> Iterator[str]:
        """Yields the keys of all messages and, with a leading hyphen, of all terms."""
        return iter(self._sources)

    def entry(self, key: str) -> ast.Message | ast.Term:
        """Parses one message or, with a leading hyphen, one term. Raises KeyError."""
        entry = FluentParser(with_spans=False).parse_entry(self._sources[key])
        if not isinstance(entry, ast.Message | ast.Term):
            raise ValueError(f"text {key}: not valid Fluent")  # noqa: TRY004 - the file is wrong, not a type
        return entry

    def source(self, prefix: str) -> str:
        """Returns the Fluent source of all messages whose keys begin with `prefix`, and of all terms."""
        return "\n".join(source for key, source in self._sources.items() if key.startswith((prefix, "-"))) + "\n"

    def _add(self, key: str) -> None:
        """Adds a message, and the terms that it refers to, to the bundle."""
        entry = self.entry(key)
        self._bundle.add_resource(ast.Resource([entry]))
        for term in References.of(entry).terms:
            self._add(term)


class References(Visitor):
    """Collects the variables, terms (with their hyphens), functions and messages that an entry refers to."""

    def __init__(self) -> None:
        self.variables: set[str] = set()
        self.terms: set[str] = set()
        self.functions: set[str] = set()
        self.messages: set[str] = set()

    @classmethod
    def of(cls, entry: ast.Message | ast.Term) -> References:
        references = cls()
        references.visit(entry)
        return references

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802 - the library's naming
        self.variables.add(node.id.name)

    def visit_TermReference(self, node: ast.TermReference) -> None:  # noqa: N802
        self.terms.add(f"-{node.id.name}")
        self.generic_visit(node)

    def visit_MessageReference(self, node: ast.MessageReference) -> None:  # noqa: N802
        self.messages.add(node.id.name)

    def visit_FunctionReference(self, node: ast.FunctionReference) -> None:  # noqa: N802
        self.functions.add(node.id.name)
        self.generic_visit(node)


def functions(language: Language) -> dict[str, Any]:
    """Returns the functions that a message may call, beside Fluent's NUMBER. The page has the same."""
    return {
        "SIZE": lambda size_bytes: format_size(size_bytes, language),
        "DURATION": lambda seconds, style="long": format_duration(seconds, language, style),
        "DATE": lambda day, time=None: (format_moment if time else format_date)(day, language),
    }


def entries(source: str) -> dict[str, str]:
    """Splits a file into the unparsed source of each message and term, by its key."""
    return {match[1]: match[0] for match in ENTRY.finditer(source)}


# ---------------------------------------------------------------- the process's own catalogue

_own_folder: Path | None = None
_catalogues: dict[Language, TextCatalogue] = {}


def text(key: str, language: Language, /, **values: Any) -> str:
    """Returns the text `key` in `language`. Raises KeyError for an unknown key, ValueError for a value that lacks."""
    return catalogue(language).text(key, **values)


def catalogue(language: Language) -> TextCatalogue:
    """Returns the catalogue of a language, read at the first call."""
    if language not in _catalogues:
        own = _own_folder and _own_folder / f"{language}.ftl"
        own_source = read_source(own) if own and own.exists() else ""
        _catalogues[language] = TextCatalogue(language, read_source(SHIPPED / f"{language}.ftl"), own_source)
    return _catalogues[language]


def overlay(config_folder: Path) -> None:
    """Lays the messages of an operator's `locale/` over the shipped ones. Raises ConfigError with file and line."""
    global _own_folder
    folder = config_folder / "locale"
    own = folder if folder.is_dir() and folder.resolve() != SHIPPED else None
    for file in sorted(own.glob("*.ftl")) if own else ():
        check_own_file(file)
    _own_folder = own
    _catalogues.clear()


def check_own_file(file: Path) -> None:
    """Raises ConfigError unless each of the file's entries replaces a shipped one and can be filled in."""
    language = next((each for each in LANGUAGES if each == file.stem), None)
    if language is None:
        raise ConfigError(f"{file}: the files of texts are en.ftl and fr.ftl")
    source = read_source(file)
    shipped = TextCatalogue(language, read_source(SHIPPED / file.name))
    problems = [
        f"{file}:{source.count(chr(10), 0, start) + 1}: {problem}"
        for start, problem in own_problems(FluentParser().parse(source), shipped, language)
    ]
    if problems:
        raise ConfigError("\n".join(problems))


def own_problems(resource: ast.Resource, shipped: TextCatalogue, language: Language) -> Iterator[tuple[int, str]]:
    """Yields the offset and a sentence for each problem in an operator's file."""
    for entry in resource.body:
        assert entry.span is not None
        if isinstance(entry, ast.Junk):
            for annotation in entry.annotations:
                yield annotation.span.start if annotation.span else entry.span.start, annotation.message or "not valid"
        elif isinstance(entry, ast.Message | ast.Term) and (problem := own_problem(entry, shipped, language)):
            yield entry.id.span.start if entry.id.span else entry.span.start, problem


def own_problem(entry: ast.Message | ast.Term, shipped: TextCatalogue, language: Language) -> str | None:
    """Returns what is wrong with an entry that replaces a shipped one; None if nothing is."""
    key = f"-{entry.id.name}" if isinstance(entry, ast.Term) else entry.id.name
    if key not in shipped:
        closest = closest_name(key, shipped)
        return f"`{key}` is not a text" + (f"; did you mean `{closest}`?" if closest else "")
    references, original = References.of(entry), References.of(shipped.entry(key))
    if entry.value is None or entry.attributes:
        return f"`{key}` needs a text and takes no attributes"
    if unknown := references.variables - original.variables:
        return f"`{key}` has no value ${min(unknown)}"
    if unknown := references.functions - {*functions(language), "NUMBER"}:
        return f"`{key}`: there is no function {min(unknown)}"
    # A term of its own language is all that an entry may refer to, and a term refers to none: so there are no circles.
    if references.messages or references.terms - set(shipped) or (references.terms and isinstance(entry, ast.Term)):
        return f"`{key}` refers to a text that it cannot use: {min(references.messages | references.terms)}"
    return None


def read_source(file: Path) -> str:
    """Reads a file of texts. Raises ConfigError."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"{file}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{file}: expected text in UTF-8") from exc
