"""Turns a schema into one that llguidance 1.9 enforces whole and that allows the same values, or more of them.

`Writer` goes through the document once; what is said about objects, arrays and plain values has modules of its own.
It notes for each keyword whether it is held. When `narrow`, it gives up values instead: what it cannot hold is left
out of the document wherever it may be left out, so that even a weak model comes to a value that conforms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from core.errors import SchemaRefused
from core.toil.schema import arrays, objects, plain
from core.toil.schema.denial import deny
from core.toil.schema.drafts import Schema
from core.toil.schema.facts import Known, disjoint
from core.toil.schema.pieces import UNKNOWN, Written, both, either
from core.toil.schema.place import Place
from core.toil.schema.references import References, Target

STEPS_LIMIT = 50_000
BRANCHES_LIMIT = 100  # of a `oneOf`; each is compared to each
OVERLAPS_LIMIT = 12  # pairs of `oneOf` whose difference is spelled out; each makes the grammar larger


class Writer:
    def __init__(self, references: References, *, narrow: bool = False) -> None:
        self.references = references
        self.draft = references.draft
        self.narrow = narrow
        self.definitions: dict[str, Schema] = {}
        self.notes: dict[str, bool] = {}  # by a keyword's pointer: whether it is held
        self._names: dict[tuple[str, bool], str] = {}
        self._exact: dict[str, bool] = {}
        self._silent = 0
        self._steps = 0

    def write(self, target: Target, *, alone: bool = True) -> Written:
        self.step(target.at)
        if isinstance(target.schema, bool):
            return Written(target.schema)
        place = Place(target.schema, target.at, self.draft, alone)
        parts = [*self._references(place), *plain.values(self, place)]
        parts += [*objects.objects(self, place), *arrays.arrays(self, place), *self._applicators(place)]
        return both(parts)

    def silently(self, target: Target, *, alone: bool = False) -> Written:
        """As `write`, and nothing is noted: the keyword round it answers for what is inside."""
        with self.silence():
            return self.write(target, alone=alone)

    def deny(self, target: Target) -> Written:
        """What the target does not allow, or more."""
        with self.silence():
            return deny(self, target)

    @contextmanager
    def silence(self) -> Iterator[None]:
        self._silent += 1
        try:
            yield
        finally:
            self._silent -= 1

    def note(self, where: str, held: bool) -> None:
        if not self._silent:
            self.notes[where] = self.notes.get(where, True) and held

    def step(self, at: str) -> None:
        self._steps += 1
        if self._steps > STEPS_LIMIT:
            raise SchemaRefused(f"{at or 'the root'}: the schema unfolds to too many parts; split or simplify it")

    # ---- references

    def _references(self, place: Place) -> Iterator[Written]:
        alone = place.alone and len(place.words) == 1
        if isinstance(reference := place.words.get("$ref"), str):
            yield self._held(place, "$ref", self.references.resolve(reference, place.where("$ref")), alone)
        if isinstance(reference := place.words.get("$dynamicRef"), str):
            found = self.references.resolve_dynamic(reference, place.where("$dynamicRef"))
            yield self._held(place, "$dynamicRef", found, alone)

    def _held(self, place: Place, word: str, target: Target | None, alone: bool) -> Written:
        written = UNKNOWN if target is None else self.definition(target, alone=alone)
        self.note(place.where(word), written is not UNKNOWN)
        return written

    def definition(self, target: Target, *, alone: bool) -> Written:
        """A reference to the target, which is written once."""
        key = (target.at, alone)
        if key not in self._names:
            name = self._names[key] = f"d{len(self._names)}"
            self._exact[name] = True  # until its own end says otherwise
            written = self.write(target, alone=alone)
            self.definitions[name], self._exact[name] = written
        name = self._names[key]
        schema = self.definitions.get(name)
        return Written(schema if isinstance(schema, bool) else {"$ref": f"#/$defs/{name}"}, self._exact[name])

    # ---- schemas about the same value

    def _applicators(self, place: Place) -> Iterator[Written]:
        yield from (self.write(each, alone=False) for each in place.inside("allOf"))
        self.note_if_there(place, "allOf", held=True)
        if "anyOf" in place.words:
            yield self._any_of(place)
        if "oneOf" in place.words:
            yield self._one_of(place)
        if "not" in place.words:
            denied = self.deny(place.one("not"))
            self.note(place.where("not"), denied.exact)
            yield denied
        if "if" in place.words and ("then" in place.words or "else" in place.words):
            yield self._if(place)

    def note_if_there(self, place: Place, word: str, *, held: bool) -> None:
        if word in place.words:
            self.note(place.where(word), held)

    def _any_of(self, place: Place) -> Written:
        ways = [self.write(each, alone=False) for each in place.inside("anyOf")]
        written = either(self._certain(ways))
        self.note(place.where("anyOf"), written != UNKNOWN)
        return written

    def _certain(self, ways: list[Written]) -> list[Written]:
        """When narrow, the ways that are held whole, if there are any."""
        certain = [way for way in ways if way.exact and way.schema is not False]
        return certain if self.narrow and certain else ways

    def _one_of(self, place: Place) -> Written:
        branches = place.inside("oneOf")
        here = Target(place.schema, place.at)
        if len(branches) > BRANCHES_LIMIT:
            self.note(place.where("oneOf"), False)
            return Written(either([self.write(branch, alone=False) for branch in branches]).schema, exact=False)
        known: Known = {}
        overlaps = [
            (n, m)
            for n in range(len(branches))
            for m in range(n)
            if not disjoint([here, branches[n]], [here, branches[m]], self.references, known)
        ]
        spelled = overlaps if len(overlaps) <= OVERLAPS_LIMIT else []
        ways = [
            both([self.write(branch, alone=False), *(self.deny(branches[m]) for m in others(n, spelled))])
            for n, branch in enumerate(branches)
        ]
        apart = len(spelled) == len(overlaps) and all(self.deny(branches[m]).exact for pair in spelled for m in pair)
        self.note(place.where("oneOf"), apart)
        written = either(self._certain(ways) if apart else ways)
        return Written(written.schema, written.exact and apart)

    def _if(self, place: Place) -> Written:
        condition = place.one("if")
        then, otherwise = (self.write(place.one(word), alone=False) for word in ("then", "else"))
        met, unmet = self.silently(condition), self.deny(condition)
        written = either([both([met, then]), both([unmet, otherwise])])
        decided = met.exact and unmet.exact
        if self.narrow and not decided:
            written = both([then, otherwise])  # then it does not matter
        for word in ("if", "then", "else"):
            self.note_if_there(place, word, held=decided or self.narrow)
        return written


def others(number: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    return [n if m == number else m for n, m in pairs if number in (n, m)]
