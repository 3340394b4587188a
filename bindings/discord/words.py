"""What people read in Discord alone: buttons, slash commands, answers to presses. English and French."""

from __future__ import annotations

from bindings.delivery.outlet import Translations

GOOD: Translations = {"en": "Helpful", "fr": "Utile"}
BAD: Translations = {"en": "Not helpful", "fr": "Pas utile"}
REGENERATE: Translations = {"en": "Try again", "fr": "Recommencer"}
STOP: Translations = {"en": "Stop", "fr": "Arrêter"}

SOURCES: Translations = {"en": "Sources:", "fr": "Sources :"}
MORE_SOURCES: Translations = {"en": "and {count} more", "fr": "et {count} de plus"}

THANKS: Translations = {"en": "Thank you. Your feedback is stored.", "fr": "Merci. Votre avis est enregistré."}
NO_SUCH_ANSWER: Translations = {
    "en": "This answer is no longer stored, so it cannot be judged.",
    "fr": "Cette réponse n’est plus conservée; elle ne peut donc pas être évaluée.",
}
NOT_YOURS: Translations = {
    "en": "Only the person who asked can stop this answer.",
    "fr": "Seule la personne qui a posé la question peut arrêter cette réponse.",
}
NOT_DONE: Translations = {
    "en": "That did not work just now. Please try again in a moment.",
    "fr": "Cela n’a pas fonctionné. Veuillez réessayer dans un instant.",
}

ASK: Translations = {"en": "Ask the assistant a question", "fr": "Poser une question à l’assistant"}
ASK_PROMPT: Translations = {"en": "Your question", "fr": "Votre question"}
ASK_FILE: Translations = {"en": "A file that it is about", "fr": "Un fichier dont il est question"}
PERSONALITY: Translations = {
    "en": "Choose who answers in this conversation",
    "fr": "Choisir qui répond dans cette conversation",
}
PERSONALITY_NAME: Translations = {"en": "Who; empty: show the choice", "fr": "Qui; vide : montrer le choix"}
TOIL: Translations = {
    "en": "Get checked JSON by a JSON Schema, for one text or each row of a CSV file",
    "fr": "Obtenir du JSON vérifié selon un schéma JSON, pour un texte ou chaque ligne d’un CSV",
}
TOIL_PROMPT: Translations = {
    "en": "What to do; {column} stands for a row’s value",
    "fr": "Que faire; {colonne} est remplacé par la valeur de la ligne",
}
TOIL_SCHEMA: Translations = {"en": "The JSON Schema, as a file", "fr": "Le schéma JSON, en fichier"}
TOIL_JSON: Translations = {"en": "The JSON Schema, typed in", "fr": "Le schéma JSON, écrit ici"}
TOIL_ROWS: Translations = {"en": "A CSV file, answered row by row", "fr": "Un fichier CSV, traité ligne par ligne"}
FORGET: Translations = {
    "en": "Delete what was said in this conversation",
    "fr": "Supprimer ce qui a été dit dans cette conversation",
}

ASK_NAME = "demander"
PERSONALITY_COMMAND_NAME = "personnalité"
TOIL_NAME = "traiter"
FORGET_NAME = "oublier"
