"""What is said about objects: which names, which values under them, how many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.toil.schema import patterns
from core.toil.schema.pieces import UNKNOWN, Written, both, either
from core.toil.schema.place import Place
from core.toil.schema.references import References, Target

if TYPE_CHECKING:
    from core.toil.schema.writing import Writer

WORDS = {"properties", "patternProperties", "additionalProperties", "propertyNames"}
DEPENDENTS_LIMIT = 6  # each doubles the ways to write the object
TARGETS_LIMIT = 200


def objects(writer: Writer, place: Place) -> Iterator[Written]:
    if "object" not in place.types:
        return
    required = [name for name in place.words.get("required", ()) if isinstance(name, str)]
    if required:
        writer.note(place.where("required"), True)
        yield Written({"required": required})
    shape = _Shape(writer, place, set(required))
    if WORDS & place.words.keys():
        yield shape.written()
    yield from shape.counted()
    yield from dependents(writer, place, set(required))
    if "unevaluatedProperties" in place.words or (writer.narrow and place.alone and not closes_itself(place)):
        yield unevaluated(writer, place)


def closes_itself(place: Place) -> bool:
    """Or what it refers to does."""
    only_a_reference = len(place.words) == 1 and "$ref" in place.words
    return only_a_reference or place.words.get("additionalProperties") is False


@dataclass
class _Shape:
    """`properties` and the keywords that depend on them."""

    writer: Writer
    place: Place
    required: set[str]
    names: dict[str, Written] = field(default_factory=dict)
    closed: bool = False

    def written(self) -> Written:
        self.names = {name: self._property(name, each) for name, each in self.place.named("properties").items()}
        self.writer.note_if_there(self.place, "properties", held=True)
        by_pattern, whole = self._patterns()
        rest = self._rest()
        names_held = True
        if "propertyNames" in self.place.words:
            by_pattern, rest, names_held = self._only_names(by_pattern, rest)
        self.closed = rest.schema is False and not by_pattern
        schema: dict[str, Any] = {}
        if self.names:
            schema["properties"] = {name: part.schema for name, part in self.names.items()}
        if by_pattern:
            schema["patternProperties"] = {pattern: part.schema for pattern, part in by_pattern.items()}
        if rest.schema is not True:
            schema["additionalProperties"] = rest.schema
        exact = whole and names_held and rest.exact
        return Written(schema or True, exact and all(p.exact for p in (*self.names.values(), *by_pattern.values())))

    def _property(self, name: str, target: Target) -> Written:
        written = self.writer.write(target)
        # When narrow, what cannot be held is not written at all.
        return Written(False) if self.writer.narrow and not written.exact and name not in self.required else written

    def _rest(self) -> Written:
        written = self.writer.write(self.place.one("additionalProperties"))
        self.writer.note_if_there(self.place, "additionalProperties", held=True)
        return Written(False) if self.writer.narrow and not written.exact else written

    def _patterns(self) -> tuple[dict[str, Written], bool]:
        """Those that the engine can keep apart; of the others, no name is written where names are limited at all."""
        found: dict[str, Written] = {}
        complete = True
        for original, target in self.place.named("patternProperties").items():
            translated = patterns.translate(original)
            part = self.writer.write(target)
            texts = translated.patterns
            apart = all(patterns.disjoint(original, other) for other in found)
            held = translated.exact and len(texts) == 1 and apart
            self.writer.note(self.place.where("patternProperties", original), held)
            complete = complete and held
            if held and not (self.writer.narrow and not part.exact):
                found[texts[0]] = part
        return found, complete

    def _only_names(self, by_pattern: dict[str, Written], rest: Written) -> tuple[dict[str, Written], Written, bool]:
        """`propertyNames` as one pattern for every name that is not declared."""
        allowed = name_pattern(self.place.words["propertyNames"])
        held = allowed is not None and not by_pattern
        self.writer.note(self.place.where("propertyNames"), held)
        if allowed is None or by_pattern:
            return by_pattern, rest, False
        for name in self.names:
            if not surely_matches(self.place.words["propertyNames"], name):
                self.names[name] = Written(False)
        return ({allowed: rest} if allowed and rest.schema is not False else {}), Written(False), True

    def counted(self) -> Iterator[Written]:
        """`minProperties` and `maxProperties`, where the engine can count: see llguidance's docs/json_schema.md."""
        low, high = (self.place.words.get(word) for word in ("minProperties", "maxProperties"))
        possible = [name for name, part in self.names.items() if part.schema is not False]
        if low is not None and low <= len(self.required):
            low = None
            self.writer.note(self.place.where("minProperties"), True)
        if high is not None and self.closed and high >= len(possible):
            high = None
            self.writer.note(self.place.where("maxProperties"), True)
        if low is None and high is None:
            return
        optional = [name for name in possible if name not in self.required]
        countable = not optional or (self.closed and low in (None, 0, 1) and high in (None, 0, 1))
        for word, limit in (("minProperties", low), ("maxProperties", high)):
            if limit is not None:
                self.writer.note(self.place.where(word), countable or self.writer.narrow)
        if countable:
            limits = {"minProperties": low, "maxProperties": high}
            yield Written({word: int(limit) for word, limit in limits.items() if limit is not None})
        else:
            yield self._some(optional, low, high) if self.writer.narrow else UNKNOWN

    def _some(self, optional: list[str], low: int | None, high: int | None) -> Written:
        """As many of the optional names as it takes, always the same ones."""
        wanted = max(0, int(low or 0) - len(self.required))
        room = len(optional) if high is None else max(0, int(high) - len(self.required))
        chosen, left_out = optional[:wanted], optional[max(wanted, room) :]
        without: dict[str, Any] = {"properties": dict.fromkeys(left_out, False)} if left_out else {}
        return Written({**without, "required": chosen} if chosen else without or True)


def name_pattern(names: Any) -> str | None:
    """A pattern for exactly the names that a schema allows; "" if it allows none, None if that is not known."""
    if isinstance(names, bool):
        return "^" if names else ""
    told = {
        word: value for word, value in names.items() if word in {"enum", "const", "pattern", "minLength", "maxLength"}
    }
    others = names.keys() - told.keys() - {"type", "title", "description", "$comment"}
    if others or names.get("type", "string") != "string" or len(told) > 2:
        return None
    if told.keys() <= {"minLength", "maxLength"}:
        return rf"^[\s\S]{{{int(told.get('minLength', 0))},{told.get('maxLength', '')}}}$" if told else "^"
    if len(told) > 1:
        return None
    if "pattern" in told:
        found = patterns.translate(told["pattern"])
        return found.patterns[0] if found.exact and len(found.patterns) == 1 else None
    allowed = [each for each in told.get("enum", [told.get("const")]) if isinstance(each, str)]
    return patterns.one_of(allowed) if allowed else ""


def surely_matches(names: Any, name: str) -> bool:
    """For a declared name; where a pattern decides, the name is believed: the check looks at it."""
    if isinstance(names, bool):
        return names
    low, high = names.get("minLength", 0), names.get("maxLength", len(name))
    allowed = names.get("enum", [names["const"]] if "const" in names else [name])
    return low <= len(name) <= high and name in allowed


def dependents(writer: Writer, place: Place, required: set[str]) -> Iterator[Written]:
    """Without the name, or with it and what it asks for."""
    told = [("dependentRequired", name, names) for name, names in place.words.get("dependentRequired", {}).items()]
    told += [("dependentSchemas", name, each) for name, each in place.named("dependentSchemas").items()]
    for number, (word, name, asked) in enumerate(told):
        if isinstance(asked, Target):
            then = both([Written({"properties": {name: True}, "required": [name]}), writer.write(asked, alone=False)])
        else:
            then = Written({"required": [name, *asked]})
        held = number < DEPENDENTS_LIMIT or name in required or writer.narrow
        writer.note(place.where(word, name), held)
        without = Written({"properties": {name: False}})
        if name in required:
            yield either([then])
        elif number < DEPENDENTS_LIMIT and not (writer.narrow and not then.exact):
            yield either([without, then])
        else:
            yield without if writer.narrow else UNKNOWN


@dataclass
class Evaluated:
    """The names that some schema about the same object speaks of. `certain`: whatever the object."""

    names: dict[str, None] = field(default_factory=dict)
    required: dict[str, None] = field(default_factory=dict)
    patterns: set[str] = field(default_factory=set)
    all: bool = False
    certain: bool = True


def evaluated(target: Target, references: References) -> Evaluated:
    found = Evaluated()
    waiting, seen = [(target, True)], set[str]()
    while waiting and len(seen) < TARGETS_LIMIT:
        each, certain = waiting.pop(0)
        if isinstance(each.schema, bool) or each.at in seen:
            continue
        seen.add(each.at)
        place = Place(each.schema, each.at, references.draft)
        found.names |= dict.fromkeys(place.words.get("properties", {}))
        found.required |= dict.fromkeys(place.words.get("required", ()))
        found.patterns |= place.words.get("patternProperties", {}).keys()
        speaks = {"properties", "patternProperties"} & place.words.keys()
        rests = [w for w in ("additionalProperties", "unevaluatedProperties") if each is not target or w[0] == "a"]
        found.all = found.all or any(place.words.get(word, False) is not False for word in rests)
        found.certain = found.certain and (certain or not speaks)
        waiting.extend((inner, certain and sure) for inner, sure in in_place(place, references))
    return found


def in_place(place: Place, references: References) -> Iterator[tuple[Target, bool]]:
    """The schemas that speak of the same value, and whether they always count."""
    if isinstance(reference := place.words.get("$ref"), str):
        found = references.resolve(reference, place.where("$ref"))
        yield from [(found, True)] if found else []
    yield from ((each, True) for each in place.inside("allOf"))
    yield from ((each, False) for word in ("anyOf", "oneOf") for each in place.inside(word))
    yield from ((place.one(word), False) for word in ("if", "then", "else") if word in place.words)
    yield from ((each, False) for each in place.named("dependentSchemas").values())


def unevaluated(writer: Writer, place: Place) -> Written:
    """`unevaluatedProperties` as `additionalProperties` over all names that are spoken of.

    When narrow, an object that says nothing of other names gets none: a weak model would go on inventing them.
    """
    asked = "unevaluatedProperties" in place.words
    found = evaluated(Target(place.schema, place.at), writer.references)
    dynamic = "$dynamicRef" in place.words
    if found.all or found.patterns or dynamic or (not asked and not found.names):
        if asked:
            writer.note(place.where("unevaluatedProperties"), found.all and found.certain)
        return UNKNOWN if asked and not (found.all and found.certain) else Written(True)
    rest = writer.write(place.one("unevaluatedProperties")) if asked else Written(False)
    if asked:
        writer.note(place.where("unevaluatedProperties"), found.certain)
    names = found.names if asked else found.names | found.required
    schema = {"properties": dict.fromkeys(names, True), "additionalProperties": rest.schema}
    return Written(schema, rest.exact and (found.certain or not asked))
