"""What people see of ours in Slack alone, in English and French."""

from __future__ import annotations

from collections.abc import Mapping

from bindings.delivery.outlet import Sentences
from core.contract import Language

GOOD: Sentences = {"en": "Good answer", "fr": "Bonne réponse"}
BAD: Sentences = {"en": "Bad answer", "fr": "Mauvaise réponse"}
AGAIN: Sentences = {"en": "Write again", "fr": "Recommencer"}
SOURCES: Sentences = {"en": "Sources", "fr": "Sources"}
THINKING: Sentences = {"en": "is thinking…", "fr": "réfléchit…"}
QUOTED: Sentences = {"en": "message of {author}", "fr": "message de {author}"}

# Slack does not say which language a person reads when they write a command: these say it in both.
ASKED = "{name} asked · a demandé"
NOTHING_ASKED = (
    "Write your question after the command. · Écrivez votre question après la commande.\n"
    "`{command} How do I …?` · `{command} Comment …?`"
)
NOT_HERE = (
    "I am not in this conversation: write `/invite @{bot}` and try again, or write to me directly.\n"
    "Je ne suis pas dans cette conversation : écrivez `/invite @{bot}` et réessayez, ou écrivez-moi directement."
)
TRY_AGAIN = "That did not work; please try again. · Cela n’a pas fonctionné; veuillez réessayer."

COMMANDS: Mapping[str, Mapping[Language, str]] = {
    "/ask": {"en": "Ask a question", "fr": "Poser une question"},
    "/toil": {"en": "Fill in a JSON Schema", "fr": "Remplir un schéma JSON"},
    "/personality": {"en": "Choose who answers here", "fr": "Choisir qui répond ici"},
    "/forget": {"en": "Forget this conversation", "fr": "Oublier cette conversation"},
}
USAGE: Mapping[str, Mapping[Language, str]] = {
    "/ask": {"en": "your question", "fr": "votre question"},
    "/toil": {"en": "what to do, and a JSON Schema", "fr": "quoi faire, et un schéma JSON"},
    "/personality": {"en": "name", "fr": "nom"},
    "/forget": {"en": "", "fr": ""},
}
