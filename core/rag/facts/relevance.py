"""Whether a collection has anything to do with a question. Pure.

Something is always nearest, so a greeting would find two documents and be answered from them. What a question asks for
tells at once that nothing is to be looked up ("Thank you!"); else its best passage must fit it well enough, and better
where a model is asked to do something of its own ("Write a story"). Cosines of another encoder are of another scale:
of those, none is too low.

`benchmarks.facts` measures it. Of the labelled questions, 0.93 still find their document in one language, and 0.95
across (without the limits 0.95 and 0.95; of the held-out ones 0.93 and 0.93, without 0.97 and 0.93). Of 302 questions
that need no source, 0.72 find nothing; the others share words or their subject with a labelled document.
"""

from __future__ import annotations

from core.rag.embed import LocalEmbedder
from core.rag.sources.asking import READ_CHARS, TASK_PHRASES, Asked, asked_in, keywords, listed, tokens, words_in

LEAST, LEAST_FOR_TASKS = 0.25, 0.34  # scores, as `core.rag.facts.fusion` makes them
# What people say to be polite, or to say that they have read the answer.
PLEASANTRIES = listed(
    """
    so much|a lot|many thanks|great|ok|okay|perfect|excellent|awesome|wonderful|amazing|cool|super|nice|lovely|bravo|
    good morning|good afternoon|good evening|good night|good job|well done|good answer|good day|great day|nice day|
    good work|great work|good idea|nice to meet|have a|yes|yeah|yep|no|nope|sure|of course|got it|i see|understood|
    makes sense|sounds good|all right|alright|right|exactly|sorry|no problem|no worries|never mind|welcome|bye|goodbye|
    see you|talk to you|later|take care|cheers|haha|lol|wow|you are|you re|it s|that s|that is|this is|very|really|
    helpful|kind|whisper|chuchotte|beaucoup|mille fois|grand merci|génial|parfait|formidable|merveilleux|bien|
    très|ça va|c'est|bon travail|beau travail|bonne réponse|bonne idée|bonne journée|bonne soirée|bonne nuit|
    bon après-midi|bon matin|bonne fin|de semaine|oui|non|d'accord|entendu|compris|je vois|évidemment|bien sûr|
    exactement|désolé|désolée|pas de problème|de rien|laisse tomber|bienvenue|enchanté|enchantée|au revoir|à bientôt|
    à plus|à demain|utile|gentil|gentille|vraiment
    """
)


def asks_for_something(question: str) -> bool:
    """Whether there is a word in it to look up; also one that is quoted, or what something is to be done with."""
    text = question[:READ_CHARS]
    whole = Asked(tuple(words_in(text)), tuple(tokens(text)), task=False, timeless=False)
    return bool(keywords(whole, (TASK_PHRASES, PLEASANTRIES)))


def fits(question: str, best_score: float, embedder: str) -> bool:
    """Whether what was found is about the question at all."""
    if embedder != LocalEmbedder.name:
        return True
    return best_score >= (LEAST_FOR_TASKS if asked_in(question).timeless else LEAST)
