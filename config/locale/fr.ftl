### Les textes français, dans la syntaxe de Project Fluent (https://projectfluent.org/fluent/guide/). docs/texts.md dit
### comment les nommer, les écrire et les remplacer. Les textes anglais sont dans en.ftl, dans le même ordre.

## Termes : fragments communs à plusieurs textes.

-formats = pages Web, fils d’actualité, texte, Markdown, CSV, JSON, PDF et Word (.docx)

## Erreurs : ce qu’on lit lorsque quelque chose échoue. La deuxième partie d’une clé est le code de l’erreur, la troisième sa raison.

error-internal = Une erreur s’est produite de notre côté. Veuillez réessayer.
error-config = Le service est mal configuré. Veuillez en informer ses responsables.
error-bad_request = Le service n’a pas compris cette demande.
error-prompt_too_long = Ce texte est trop long pour que le modèle le lise en une seule fois. Veuillez raccourcir votre question ou le texte que vous avez collé.
error-schema_refused = Ce schéma JSON ne peut pas être utilisé : il n’est pas valide, ou le modèle ne peut pas le respecter.
error-not_an_embedder = Ce modèle sert à converser; il ne produit pas de plongements.
error-not_found = Ce que vous avez demandé n’existe pas.
error-personality_unknown = Cette personnalité n’existe pas ici.
error-session_unknown = Cette conversation n’existe plus. Veuillez en commencer une nouvelle.
error-overloaded = Beaucoup de personnes posent des questions en ce moment. Veuillez réessayer plus tard.
error-stopping = Le service redémarre. Veuillez réessayer dans un instant.
error-model_failed = Le modèle n’a pas réussi à répondre. Veuillez réessayer.
error-model_unavailable = Le modèle n’est pas disponible en ce moment. Veuillez réessayer plus tard.
error-model_too_slow = Le modèle a mis trop de temps à commencer une réponse. La demande est peut-être forte. Veuillez réessayer plus tard.
error-model_refused = Le modèle a refusé cette demande.
error-unreadable = Ce document n’a pas pu être lu. Formats pris en charge : { -formats }.
error-fetch_refused = Le service n’ouvre pas cette adresse. Il lit seulement les pages publiques du Web.
error-fetch_failed = La page n’a pas pu être lue : son site n’a pas répondu, ou a envoyé un format non pris en charge.
error-budget_exhausted = La réponse est devenue trop longue avant d’être complète. Veuillez en demander moins à la fois.
error-only_thought = Le modèle a réfléchi si longtemps qu’il ne restait plus de place pour une réponse. Veuillez en demander moins à la fois.
error-non_conforming = Le modèle n’a pas réussi à répondre dans la forme demandée.
error-storage = La conversation ne peut pas être enregistrée en ce moment. Veuillez réessayer plus tard.
# Erreurs que seul le serveur Web signale.
error-too_large = Le service n’accepte pas un contenu aussi volumineux.
error-target_too_long = Cette adresse est trop longue. Veuillez envoyer les longues questions par POST.
error-media_type = Le service ne lit pas ce type de contenu.
error-too_slow = La demande a mis trop de temps à arriver. Veuillez réessayer.
error-upgrade_required = Cette adresse est réservée aux WebSockets.
error-origin_refused = Les pages d’autres sites ne peuvent pas utiliser ce service.
error-host_refused = Le service n’est pas offert sous ce nom.
error-path_unknown = Il n’y a rien à cette adresse.
error-method_refused = Cette adresse n’accepte pas ce type de demande.
error-http = La demande n’a pas pu être traitée.

# $needed et $available sont des nombres de mots.
error-prompt_too_long-size = Cela prend autant de place qu’environ { $needed } mots; il y a de la place pour environ { $available }.
error-retry-after = Vous pourrez réessayer dans environ { DURATION($seconds) }.

error-unreadable-locked = Ce document est protégé par un mot de passe. Veuillez le fournir sans mot de passe.
error-unreadable-pictures = Ce document ne contient pas de texte, seulement des images. Veuillez en fournir un qui contient du texte, par exemple après une reconnaissance de caractères.
error-unreadable-kind = Ce format n’est pas pris en charge. Formats pris en charge : { -formats }.
error-unreadable-damaged = Ce document est endommagé. Veuillez l’enregistrer de nouveau ou en fournir une autre copie.
error-unreadable-large = Ce document est trop volumineux ou trop complexe pour être lu. Veuillez fournir la partie importante.
error-unreadable-empty = Ce document ne contient pas de texte. Le texte qu’une page affiche seulement au moyen de scripts ne peut pas être lu.

error-bad_request-empty = Il n’y a pas de question ici. Veuillez en écrire une.
error-bad_request-frame = Le service n’a pas compris ce que la page a envoyé. Veuillez recharger la page.
error-bad_request-attachments = Il y a trop de pièces jointes pour une seule question. Veuillez en joindre une partie à la suivante.
error-bad_request-resume = Une conversation peut être reprise seulement avant toute autre question. Veuillez recharger la page.

error-fetch-form = Le service n’ouvre pas cette adresse, ou celle à laquelle elle mène. Il ouvre seulement http:// et https://, sur leurs ports habituels et sans mot de passe.
error-fetch-private = Le service n’ouvre pas cette adresse, car elle ne fait pas partie de l’Internet public.
error-fetch-robots = Ce site ne permet pas aux programmes de le lire (son fichier robots.txt l’interdit).
error-fetch-unknown = Ce site n’existe pas. Veuillez vérifier l’orthographe de son nom.
error-fetch-offline = Le site est introuvable : le service n’a pas de connexion à Internet en ce moment.
error-fetch-silent = Le site ne répond pas. Veuillez réessayer plus tard.
error-fetch-broken = Le site n’a pas envoyé de page complète par une connexion sécurisée; rien n’en a été lu.
error-fetch-missing = Cette page n’existe pas sur ce site (404). Veuillez vérifier l’adresse.
error-fetch-login = Le site montre cette page seulement aux personnes qui ouvrent une session (401 ou 403). Veuillez en coller le texte.
error-fetch-busy = Le site est trop occupé pour envoyer cette page en ce moment. Veuillez réessayer plus tard.
error-fetch-status = Le site a envoyé une erreur au lieu de la page. Veuillez réessayer plus tard.
error-fetch-picture = Ce lien mène à une image. Les images ne peuvent pas être lues.
error-fetch-recording = Ce lien mène à une vidéo ou à un enregistrement sonore, qui ne peuvent pas être lus.
error-fetch-kind = Ce lien mène à un format non pris en charge. Formats pris en charge : { -formats }.
error-fetch-large = La page à cette adresse est trop volumineuse pour être lue. Veuillez en coller la partie importante.

# Pourquoi un autre programme n’a pas pu être joint : propositions qui terminent une phrase, sans point final.
error-network-no_url = son adresse doit commencer par http:// ou https://
error-network-unknown = { $host } est inconnu du DNS
error-network-refused = aucun programme n’écoute à cette adresse
error-network-no_socket = aucun programme n’écoute encore à cette adresse
error-network-untrusted = { $host } n’a pas de certificat digne de confiance
error-network-no_tls = le programme à cette adresse n’utilise pas TLS (https://)
error-network-silent = aucune réponse reçue en { $seconds } s
error-network-no_http = le programme à cette adresse n’utilise pas HTTP
error-network-closed = la connexion a été fermée sans réponse
error-network-away = cette adresse ne peut pas être jointe à partir d’ici

## Statuts : ce qu’on lit pendant l’attente.

status-queued = En attente d’une place…
status-reading = Lecture en cours…
status-thinking = Le modèle réfléchit…
status-reconnecting = Le modèle redémarre; la réponse va continuer.
status-trimmed = Cette conversation est longue : le modèle n’en voit plus le début.
status-queue-position = Position { $position } dans la file d’attente.
status-queue-wait = Attente prévue : environ { DURATION($seconds) }.

## Invites : phrases fixes que le modèle lit.

prompt-facts = Faits auxquels vous pouvez vous fier :
prompt-thread-messages = Messages d’autres personnes entre-temps :
prompt-json-only = Répondez uniquement en JSON.
prompt-json-schema = La réponse doit respecter ce schéma JSON :
prompt-json-retry = Votre réponse a été refusée. Répondez de nouveau, sans ces problèmes :

## Sources : la liste des sources sous une réponse.

## Agents conversationnels : ce qu’ils disent sur toutes les plateformes.

## Livraison : ce qu’un agent conversationnel écrit autour d’une réponse pendant qu’il la publie.

## Slack

## Discord

## Teams

## Ligne de commande : csps-llm dans un terminal.

## Page : la page Web. Elle reçoit seulement les textes dont la clé commence par page-, et les termes.
