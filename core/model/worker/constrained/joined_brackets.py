"""Finds the tokens that hold an opening bracket together with the byte after it.

A model writes a lone ` [` before white space, which the grammar forbids. What may follow it, `"`, is rare there in
training data, because tokenizers write ` ["`; so the model prefers `""`, an empty string (decision 0045).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.model.worker.constrained.closing_tokens import GrammarMatcher

OPENING = b"[{"


class JoinedBrackets:
    """The tokens of one vocabulary that end with a bracket, and the longer ones. Built once per model."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        opening = {piece: token for token, piece in enumerate(pieces) if piece and piece[-1] in OPENING}
        self._longer: dict[int, dict[int, list[int]]] = {token: {} for token in opening.values()}
        for token, piece in enumerate(pieces):
            for length in range(1, len(piece) if b"[" in piece or b"{" in piece else 0):
                if piece[length - 1] in OPENING and (shorter := opening.get(piece[:length])) is not None:
                    self._longer[shorter].setdefault(piece[length], []).append(token)

    def find(self, document: GrammarMatcher, token: int) -> list[int]:
        """Returns the longer tokens that may stand instead of this one; [] if one of the bytes after it has none."""
        longer = self._longer.get(token)
        if not longer:
            return []
        follows = self._first_bytes_after(document, token)
        if not follows <= longer.keys():
            return []
        return [each for byte in follows for each in longer[byte] if document.allows(each)]

    def _first_bytes_after(self, document: GrammarMatcher, token: int) -> set[int]:
        document = document.copy()
        forced = document.accept(token)
        follow = forced[:1] or [int(each) for each in np.flatnonzero(document.allowed())]
        return {self._pieces[each][0] for each in follow if self._pieces[each]}
