"""All detectors together: the personal information in a text, by its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.privacy import (
    birth_dates,
    email_addresses,
    health_cards,
    passports,
    payment_cards,
    postal_codes,
    social_insurance,
    telephones,
)
from core.privacy.allowances import Allowances
from core.privacy.detection_context import TextInContext
from core.privacy.findings import BUILT_IN_KINDS, Finding, without_overlaps
from core.privacy.own_patterns import OwnPattern

# Each of these kinds has digits.
NUMBERED = (payment_cards, social_insurance, health_cards, passports, telephones, postal_codes, birth_dates)


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds the built-in kinds and an operator's own ones, without what the operator allows."""

    allowances: Allowances = field(default_factory=Allowances)
    own_patterns: Sequence[OwnPattern] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        return (*BUILT_IN_KINDS, *(pattern.name for pattern in self.own_patterns))

    def find(self, text: str) -> list[Finding]:
        """The passages in order, none within another."""
        context = TextInContext(text)
        found = without_overlaps(each for each in self._find(context) if not self._is_allowed(each, context))
        if context.readable.is_unchanged:
            return found
        return [Finding(each.kind, *context.readable.span(each.start, each.end)) for each in found]

    def _find(self, context: TextInContext) -> Iterator[Finding]:
        yield from email_addresses.find(context)
        if context.readable.has_digits:
            for detector in NUMBERED:
                yield from (each for each in detector.find(context) if not context.is_in_url(each.start))
        for pattern in self.own_patterns:
            yield from pattern.find(context.plain)

    def _is_allowed(self, finding: Finding, context: TextInContext) -> bool:
        return self.allowances.allows(finding, context.folded[finding.start : finding.end])
