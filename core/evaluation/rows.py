"""Asks the subjects the question of one row, measures their answers, and compares them: one line of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.contract import Engine, Json
from core.errors import CspsError
from core.evaluation.judge import Judge
from core.evaluation.measures import SubjectAnswer, cosine, measure
from core.evaluation.questions import Question, parse_question
from core.evaluation.subjects import Asker, Subject
from core.rag.embeddings import Embedder
from core.toil.batch.answers import Outcome, RowAnswers, RowRetryPolicy, line_head
from core.toil.batch.rows import Row


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`subjects`: one, or two that are compared. `judge`: None asks no model for its opinion."""

    subjects: tuple[Subject, ...]
    asker: Asker
    encoder: Embedder
    judge: Judge | None = None


class EvaluatedRows(RowAnswers):
    """Outcomes as `{"row", "id"?, "value": {"answers": […], "preferred"?}}`, or with `error`.

    A question that one subject cannot answer is a failed row: the other's answer could not be compared.
    """

    def __init__(self, engine: Engine, evaluation: Evaluation, policy: RowRetryPolicy | None = None) -> None:
        super().__init__(engine, policy)
        self._evaluation = evaluation

    async def _answer(self, row: Row, name: Json) -> Outcome:
        question = parse_question(row)
        answers = [await self._ask(subject, question) for subject in self._evaluation.subjects]
        value: dict[str, Json] = {
            "answers": [await self._measured(question, answer) for answer in answers],
            **await self._preference(question, answers),
        }
        return Outcome(row.number, {**line_head(row.number, name), "value": value})

    async def _ask(self, subject: Subject, question: Question) -> SubjectAnswer:
        return await self._retry(lambda: self._evaluation.asker.ask(subject, question.text))

    async def _measured(self, question: Question, answer: SubjectAnswer) -> Json:
        scores = dict(measure(question, answer))
        if question.expected:
            expected, given = (await self._evaluation.encoder.embed([question.expected, answer.text]))[:2]
            scores["similarity"] = round(cosine([*map(float, expected)], [*map(float, given)]), 4)
        if (
            self._evaluation.judge
            and (graded := await self._grade(self._evaluation.judge, question, answer)) is not None
        ):
            scores["judge"] = graded
        fields: dict[str, Any] = asdict(answer)
        return {**fields, "sources": [*fields["sources"]], "seconds": round(answer.seconds, 3), "scores": {**scores}}

    async def _grade(self, judge: Judge, question: Question, answer: SubjectAnswer) -> float | None:
        return await self._retry(lambda: judge.grade(question, answer.text))

    async def _preference(self, question: Question, answers: Sequence[SubjectAnswer]) -> dict[str, Json]:
        judge = self._evaluation.judge
        if judge is None or len(answers) < 2:
            return {}
        texts = [answer.text for answer in answers]
        return {"preferred": await self._retry(lambda: judge.prefer(question, *texts))}

    def _failure(self, number: int, name: Json, error: CspsError) -> Outcome:
        failure: Json = {"code": error.code, "message": error.message}
        return Outcome(number, {**line_head(number, name), "error": failure}, error.code)
