"""The documents of the benchmark with known words: all of them are found, in order."""

from __future__ import annotations

import pytest

from benchmarks.corpus import Sample, samples_of_kind
from core.rag.reading.formats import read_document
from tests.support.known_words import match_words
from tests.support.written_pages import plain_text


@pytest.mark.parametrize(
    "sample",
    [sample for kind in ("slides", "mail", "code") for sample in samples_of_kind(kind)],
    ids=lambda sample: sample.name,
)
def test_all_known_words_are_read_in_order(sample: Sample) -> None:
    """Whatever the media type says: the bytes and the name are enough."""
    document = read_document(sample.body, "application/octet-stream", name=sample.name)

    assert match_words(sample.words, plain_text(document)).share == 1
