"""Tells whether a question asks for news, which a page may have in its feed. Pure."""

from __future__ import annotations

import re

# "new" and "nouveau" alone ask for other things: a new passport.
NEWS = re.compile(
    r"""
    \bnews\b | \bwhat(?:['’]?s|\ is|\ are)\ (?:\w+\ ){0,2}new\b | \banything\ new\b | \blatest\b | \bmost\ recent\b
    | \brecent(?:ly)?\b | \bupdates?\b | \bheadlines?\b | \bannounce\w* | \bpress\ releases?\b | \bposted\b
    | \bpublished\b | \bthis\ (?:week|month)\b | \btoday\b
    | \bquoi\ de\ (?:neuf|nouveau) | \bdu\ (?:neuf|nouveau)\b | \bnouvelles\b | \bnouveautés?\b
    | \bactualités?\b | \bactus?\b
    | \bderni(?:er|ère)s?\b | \bréce(?:nt|nte|nts|ntes|mment)\b | \bdernièrement\b | \bannonce\w* | \bcommuniqués?\b
    | \bpublié\w* | \bcette\ semaine\b | \bce\ mois\b | \baujourd['’]hui\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def asks_for_news(question: str) -> bool:
    """Tells whether the question asks what was published lately, in English or French."""
    return NEWS.search(question) is not None
