"""Searches passages by their words: SQLite's FTS5 by BM25, PostgreSQL's tsvector by inverse frequency.

PostgreSQL's own ranks ignore how rare a word is. There, a passage's score is the sum of the rarities of the question's
words in it. That is BM25 without the count of a word in a passage, which is seldom above one in passages of a hundred
words. So the scores of both databases have one scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.rag.facts.glossary import Phrase
from core.rag.facts.tables import word_mark

Scores = Mapping[int, float]  # by passage
RankFunction = Callable[[sa.Connection, Sequence[Phrase], int, int], Scores]

COUNTED_PASSAGES_LIMIT = 3000  # for one question, rarest words first; more passages add little

BM25 = sa.text(
    "SELECT rowid AS passage, -rank AS score FROM fact_words WHERE fact_words MATCH :query ORDER BY rank LIMIT :limit"
)
WORD_COUNTS = sa.text("SELECT term, doc FROM fact_word_counts WHERE term IN :terms").bindparams(
    sa.bindparam("terms", expanding=True)
)
RARITY = sa.text(
    """
    WITH asked AS (SELECT unnest(CAST(:phrases AS text[])) AS phrase),
    hits AS (
        SELECT fact_passages.id, asked.phrase FROM asked JOIN fact_passages
        ON to_tsvector('simple', fact_passages.stems) @@ CAST(asked.phrase AS tsquery)
    ),
    rarities AS (
        SELECT phrase, ln((CAST(:total AS float8) + 1) / (count(*) + 0.5)) AS rarity FROM hits GROUP BY phrase
    )
    SELECT id AS passage, sum(rarity) AS score
    FROM hits JOIN rarities USING (phrase) GROUP BY id ORDER BY 2 DESC, 1 LIMIT :limit
    """
)
# The thousand most frequent words of all passages, as PostgreSQL last counted them for its query plans.
FREQUENT_WORDS = sa.text(
    """
    SELECT term, greatest(1, frequency * reltuples) AS passages FROM pg_class, pg_stats,
    unnest(CAST(CAST(most_common_elems AS text) AS text[]), most_common_elem_freqs) AS frequent(term, frequency)
    WHERE pg_class.oid = to_regclass('fact_passages') AND schemaname = current_schema()
    AND tablename = 'fact_passages_words' AND term = ANY(:terms)
    """
)


def rank(db: sa.Connection, collections: Sequence[int], phrases: Sequence[Phrase], total: int, limit: int) -> Scores:
    """Returns the best `limit` of `total` passages of the collections; none without phrases."""
    query_phrases = [tuple(word_mark(each) + stem for stem in phrase) for phrase in phrases for each in collections]
    return RANK_BY_DIALECT[db.dialect.name](db, query_phrases, total, limit) if query_phrases else {}


def rank_sqlite(db: sa.Connection, phrases: Sequence[Phrase], _total: int, limit: int) -> Scores:
    counts = {row.term: row.doc for row in db.execute(WORD_COUNTS, {"terms": list(phrase_stems(phrases))})}
    rare = rarest_phrases(phrases, counts)
    if not rare:
        return {}
    query = " OR ".join(f'"{" ".join(phrase)}"' for phrase in rare)
    return {row.passage: row.score for row in db.execute(BM25, {"query": query, "limit": limit})}


def phrase_stems(phrases: Sequence[Phrase]) -> Set[str]:
    return {stem for phrase in phrases for stem in phrase}


def rarest_phrases(phrases: Sequence[Phrase], counts: Mapping[str, float]) -> list[Phrase]:
    """Returns the phrases that occur, rarest first, at least one, within COUNTED_PASSAGES_LIMIT passages together."""
    costs = {phrase: sum(counts[stem] for stem in phrase) for phrase in phrases if all(map(counts.get, phrase))}
    selection: list[Phrase] = []
    budget = float(COUNTED_PASSAGES_LIMIT)
    for phrase in sorted(costs, key=costs.__getitem__):
        budget -= costs[phrase]
        if budget < 0 and selection:
            break
        selection.append(phrase)
    return selection


def rank_postgresql(db: sa.Connection, phrases: Sequence[Phrase], total: int, limit: int) -> Scores:
    words = phrase_stems(phrases)
    # A word that is not among the frequent ones is rare or absent.
    frequent = {row.term: row.passages for row in db.execute(FREQUENT_WORDS, {"terms": list(words)})}
    rare = rarest_phrases(phrases, {**dict.fromkeys(words, 1.0), **frequent})
    query_phrases = [" <-> ".join(f"'{stem}'" for stem in phrase) for phrase in rare]
    rows = db.execute(RARITY, {"phrases": query_phrases, "total": total, "limit": limit})
    return {row.passage: float(row.score) for row in rows}


RANK_BY_DIALECT: Mapping[str, RankFunction] = {
    sqlite.dialect.name: rank_sqlite,
    postgresql.dialect.name: rank_postgresql,
}
