"""The dependence of a question on its conversation, in both languages."""

from __future__ import annotations

import pytest

from core.rag.questions.follow_ups import dependence, earlier_questions
from core.rag.questions.lookup_question import EarlierExchange, LookupQuestion

LEANING = """
and tomorrow?|et demain ?|Is it free?|And for part-time employees?|Pourquoi ?|Why?|What about Sunday?|Tell me more
Qu'en est-il de l'an dernier ?|Who wrote the first one?|Lequel est le plus court ?|C'est gratuit ?|How much?
Since when?|De quoi parle-t-il ?|Y en a-t-il d'autres ?|Thanks! And tomorrow?|OK, why?|Merci, et demain ?|What else?
How do I register?|Pourquoi a-t-il augmenté ?|Est-elle gratuite ?|Parle-moi de la première|How long does that take?
Which one is colder tomorrow?|Est-ce gratuit ?
"""
ON_ANSWER = """
Translate that into French.|Traduis ça en anglais.|Make it shorter.|Shorten it|In French, please|Plus court, svp
Put that in a bulleted list.|Fais-en une liste à puces.|Write an email about it to my team.
I don't understand your answer.|Can you explain it with an example?|Reformule ta réponse.|Summarize that in two lines.
Pouvez-vous simplifier ?|En anglais s'il te plaît|Shorter please
"""
NOTHING = """
Thank you!|Merci !|Merci beaucoup, bonne journée !|OK|D'accord.|Great, that is very helpful.|Thanks, that's great.|Bye
How are you?|Ça va ?|Perfect, thank you so much!|Good bye|Merci, c'est clair|OK?|How are you today?|Noted, thanks.
"""
ALONE = """
What is the weather in Ottawa?|Quels sont les derniers communiqués ?|Who was the first prime minister of Canada?
How long is parental leave?|Comment déposer un grief ?|Y a-t-il des cours sur le leadership ?|Is there a course on AI?
Pourquoi neige-t-il ?|Va-t-il neiger demain ?|Est-il possible de travailler de la France ?|Tell me a joke.
Translate the latest Busrides article.|Qu'est-ce que la pédagogie ?|Give me three ideas for a team lunch.
What did Health Canada announce this week?
"""


def questions(text: str) -> list[str]:
    return [question for line in text.strip().splitlines() for question in line.split("|")]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        *((question, "leans") for question in questions(LEANING)),
        *((question, "on-answer") for question in questions(ON_ANSWER)),
        *((question, "nothing") for question in questions(NOTHING)),
        *((question, "alone") for question in questions(ALONE)),
    ],
)
def test_questions_are_classified(question: str, expected: str) -> None:
    """Pronouns, openings and missing subjects lean; editing verbs work on the answer; politeness asks for nothing."""
    assert expected == dependence(question)


def test_a_question_leans_on_those_back_to_one_with_a_subject() -> None:
    """Thanks in between are skipped; what came before the subject does not matter."""
    turns = ("What is the news?", "How long is parental leave?", "Thanks!", "And for adoption?")
    question = LookupQuestion("Is it paid?", tuple(EarlierExchange(turn) for turn in turns))

    assert ["And for adoption?", "How long is parental leave?"] == [
        exchange.question for exchange, _ in earlier_questions(question)
    ]
