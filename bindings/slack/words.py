"""What people see of ours in Slack alone, in English and French."""

from __future__ import annotations

from bindings.delivery.outlet import Translations

GOOD: Translations = {"en": "Good answer", "fr": "Bonne réponse"}
BAD: Translations = {"en": "Bad answer", "fr": "Mauvaise réponse"}
AGAIN: Translations = {"en": "Write again", "fr": "Recommencer"}
SOURCES: Translations = {"en": "Sources", "fr": "Sources"}
THINKING: Translations = {"en": "is thinking…", "fr": "réfléchit…"}

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
