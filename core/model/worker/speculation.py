"""Drafts the next tokens of answers that copy earlier text, where computing them at once is expected to save time.

A draft rides in its sequence's decode row. The sequence's own sampler then draws from the logits after each token, as
long as it draws what was drafted, so the text is the same as without drafts. A refused draft costs time alone.

A draft is worth the tokens that it probably saves, each at the time that a token takes without drafts. It costs the
measured time by which steps with such drafts are longer. Knows no KV cache and no clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence as SequenceOf

from core.model.worker.prompt_lookup import PromptLookup
from core.model.worker.sequence import Sequence

DRAFT_TOKENS = (3, 7, 15)  # with the token before them 4, 8 and 16 rows: matrix kernels work on tiles of four
UNMEASURED_SHARE = 0.5  # of a token's time, assumed for a drafted one until it was measured
MARGIN = 1.3  # by which the expected saving must exceed the cost
DOUBTED_AFTER_STEPS = 2000  # a cost that was not measured for so long is tried again
PRIOR_TOKENS = 8.0  # of a sequence's first drafts, assumed to be accepted as expected
MEMORY = 0.8  # of a sequence's earlier drafts, at each new one


class StepCosts:
    """Moving averages: seconds of a step by its number of sequences, and of a drafted token by the draft's length."""

    def __init__(self) -> None:
        self._steps: dict[int, float] = {}
        self._drafted: dict[tuple[int, int], tuple[float, int]] = {}  # with the number of the step that measured it
        self._step = 0

    def measure(self, sequences: int, drafts: SequenceOf[int], took_s: float) -> None:
        """`drafts`: the lengths of the step's drafts."""
        self._step += 1
        if not drafts:
            known_s = self._steps.get(sequences, took_s)
            self._steps[sequences] = known_s + 0.1 * (min(took_s, 3 * known_s) - known_s)
        elif sequences in self._steps:
            added_s = max(0.0, took_s - self._steps[sequences]) / sum(drafts)
            key = sequences, max(drafts)
            known_s, _ = self._drafted.get(key, (added_s, 0))
            self._drafted[key] = known_s + 0.3 * (added_s - known_s), self._step

    def token_s(self, sequences: int) -> float:
        """Returns the seconds of one sequence's share of a step without drafts; 0 if there was none yet."""
        return self._steps.get(sequences, 0.0) / sequences

    def draft_s(self, sequences: int, length: int) -> float:
        """Returns the seconds by which a draft of this length makes a step longer."""
        added_s, measured = self._drafted.get((sequences, length), (0.0, -DOUBTED_AFTER_STEPS))
        if self._step - measured >= DOUBTED_AFTER_STEPS:
            added_s = UNMEASURED_SHARE * self.token_s(sequences)
        return length * added_s


class DraftRecord:
    """One sequence's text, and the fate of its drafts."""

    def __init__(self, sequence: Sequence) -> None:
        self._lookup = PromptLookup(sequence.prompt)
        self._seen = 0  # tokens of the answer
        self._expected = self._accepted = 0.0

    def follow(self, sequence: Sequence) -> bool:
        """Reads the answer's new tokens. True if the last ones stand at an earlier place, too."""
        self._lookup.add(sequence.generated[self._seen :])
        self._seen = len(sequence.generated)
        return self._lookup.equal > 0

    def draft(self, length: int) -> list[int]:
        return self._lookup.predict(length)

    def expected_tokens(self, length: int) -> float:
        """Returns how many tokens of a draft will probably be accepted: fewer if earlier ones did worse than usual."""
        trust = (PRIOR_TOKENS + self._accepted) / (PRIOR_TOKENS + self._expected)
        return self._usual_tokens(length) * min(1.0, trust)

    def count(self, length: int, accepted: int) -> None:
        """Notes a draft's result, before the text is followed further."""
        self._expected = MEMORY * self._expected + self._usual_tokens(length)
        self._accepted = MEMORY * self._accepted + accepted

    def _usual_tokens(self, length: int) -> float:
        """Returns how many tokens of a draft are accepted on average.

        In recorded answers, text that had been copied for n tokens went on as the copy with a probability of about
        n / (n + 1), in quotations, JSON and chat alike.
        """
        equal = self._lookup.equal
        return equal * math.log((equal + length + 0.5) / (equal + 0.5))


class Speculation:
    """Chooses the drafts of each step."""

    def __init__(self) -> None:
        self._costs = StepCosts()
        self._records: dict[Sequence, DraftRecord] = {}

    def draft(self, sequences: SequenceOf[Sequence], room: int) -> None:
        """Gives the decoding sequences of a step their drafts, of at most `room` tokens together."""
        count = len(sequences)
        step_s = count * self._costs.token_s(count)
        left_s = step_s if count > 1 else math.inf  # drafts of some at most halve the pace of the others
        for sequence in sequences:
            sequence.draft = self._choose(sequence, count, room, left_s)
            room -= len(sequence.draft)
            left_s -= self._costs.draft_s(count, len(sequence.draft))

    def _choose(self, sequence: Sequence, sequences: int, room: int, limit_s: float) -> list[int]:
        """Returns the draft whose expected saving exceeds its cost most, or none. `limit_s`: the highest cost."""
        record = self._records.get(sequence)
        if record is None:
            record = self._records[sequence] = DraftRecord(sequence)
        if not record.follow(sequence):
            return []
        token_s = self._costs.token_s(sequences)
        best_s, chosen = 0.0, list[int]()
        for length in DRAFT_TOKENS:
            draft = record.draft(length)
            cost_s = self._costs.draft_s(sequences, length)
            if len(draft) < length or length > room or length >= sequence.budget or cost_s > limit_s:
                break
            saving_s = record.expected_tokens(length) * token_s - MARGIN * cost_s
            if saving_s > best_s:
                best_s, chosen = saving_s, draft
        return chosen

    def count(self, sequence: Sequence, accepted: int) -> None:
        """Notes how many tokens of the sequence's draft its answer has got."""
        self._records[sequence].count(len(sequence.draft), accepted)

    def measure(self, drafts: SequenceOf[int], took_s: float) -> None:
        """Notes the time of a step. `drafts`: the length of each sequence's draft, 0 if it had none."""
        self._costs.measure(len(drafts), [length for length in drafts if length], took_s)

    def forget(self, sequence: Sequence) -> None:
        self._records.pop(sequence, None)
