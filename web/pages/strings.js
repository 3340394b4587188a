/** Every word of the interface, in both languages. A value is a text, or a function of its values where numbers or
 * names go in. Which language is shown is decided in language.js. */

const count = (language, value) => new Intl.NumberFormat(language).format(value);

/** "12 seconds", "2 minutes": nobody waits more precisely than that. */
function duration(language, seconds) {
  const [value, unit] = seconds < 100 ? [Math.max(1, Math.round(seconds)), 'second'] : [Math.round(seconds / 60), 'minute'];
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}

/** "8 MB", "8 Mo". */
const megabytes = (language, bytes) =>
  new Intl.NumberFormat(language, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 }).format(bytes / 2 ** 20);

const moment = (language, when) =>
  new Intl.DateTimeFormat(`${language}-CA`, { dateStyle: 'long', timeStyle: 'short' }).format(new Date(when));

const en = {
  documentTitle: ({ title }) => (title ? `${title} – AI chat` : 'AI chat'),
  heading: 'AI chat',
  otherLanguage: 'Français', // each language by its own name
  skip: 'Skip to your question',
  personality: 'Talk to',
  newConversation: 'New conversation',
  conversation: 'Conversation',
  composer: 'Ask a question',
  question: 'Your question',
  send: 'Send',
  stop: 'Stop',
  attach: 'Attach a file',
  files: 'Attached files',
  filesReading: ({ files }) => (files === 1 ? 'Reading the file…' : `Reading ${count('en', files)} files…`),
  filesLimit: ({ limit, left }) =>
    `At most ${limit} files go with a question: ${left === 1 ? 'one was' : `${count('en', left)} were`} left out.`,
  fileReading: 'reading…',
  fileRead: ({ characters }) => (characters === 1 ? 'read: 1 character' : `read: ${count('en', characters)} characters`),
  fileReadInPart: ({ characters }) =>
    `read in part: the first ${count('en', characters)} characters. The rest was left out, as it is too long.`,
  fileUnreadable: 'No text could be read from it. Text, Markdown, HTML, CSV, JSON, PDF and Word (.docx) can be read.',
  fileLocked: 'It is locked by a password. Attach it without one.',
  filePictures: 'It has no text, only pictures of it. Attach one with text, such as from OCR.',
  fileDamaged: 'It is damaged. Save it anew or choose another copy, then attach it again.',
  fileComplicated: 'It is too large or too complicated to be read. Attach the part that matters.',
  fileEmpty: 'There is no text in it.',
  fileTooLarge: ({ limit }) => `It is too large: a file may have at most ${megabytes('en', limit)}.`,
  fileTooSlow: 'It took too long to send. Remove it, then attach it again.',
  fileBusy: 'The service is busy. Remove it, then attach it again later.',
  fileUnsent: 'It could not be sent. Check your connection, then attach it again.',
  fileFailed: 'Something went wrong. Remove it, then attach it again.',
  fileWasRead: ({ name }) => `${name} was read.`,
  fileWasReadInPart: ({ name }) => `${name} was read in part: the rest was left out, as it is too long.`,
  fileWasNotRead: ({ name }) => `${name} was not read.`,
  fileWasRemoved: ({ name }) => `${name} was removed.`,
  removeFile: ({ name }) => `Remove ${name}`,
  stillReading: 'A file is still being read. Your text is kept: send it when the file is read, or remove the file.',
  questionMissing: 'Write what you want to know about the file, then send.',
  latest: 'Go to the latest message',
  keys: 'Enter sends, Shift + Enter starts a new line, Escape stops.',
  caution: 'Answers are written by AI: check what matters. Do not enter protected or personal information.',
  hint: ({ model }) => `${model ? `${model} is AI and` : 'AI'} can be wrong: check what matters.`,
  hintMore: 'Enter no protected or personal information.',
  model: ({ model }) => `Model that answers: ${model}.`,
  modelStarter: ({ model }) => `Model that answers: ${model}. It is the starter model: weak, for trying out only.`,
  modelNone: 'No model answers just now.',
  modelAway: 'No model answers just now. You can ask all the same: your question will wait for one.',
  modelBack: 'A model answers now.',
  you: 'You',
  assistant: ({ title }) => `${title} (AI)`,
  spoken: 'Answer as it is written',
  code: 'Code',
  table: 'Table',
  newTab: ' (opens in a new tab)',
  sources: 'Sources',
  source: ({ number }) => `Source ${number}`,
  sourceDetails: ({ language, fetched }) =>
    [language && { en: 'in English', fr: 'in French' }[language], fetched && `read on ${moment('en', fetched)}`]
      .filter(Boolean)
      .join(', '),
  connecting: 'Connecting…',
  queued: ({ position, wait_s: wait }) =>
    `Waiting in line${position ? `, number ${count('en', position)}` : ''}${wait ? `, about ${duration('en', wait)}` : ''}.`,
  reading: ({ title }) => `${title} is reading…`,
  thinking: ({ title }) => `${title} is thinking…`,
  answering: ({ title }) => `${title} is answering…`,
  reconnecting: 'The model is being restarted. The answer will go on.',
  awaited: 'No model answers just now. Your question waits: the answer will begin when there is one.',
  stopping: 'Stopping…',
  whole: 'The answer is complete.',
  stopped: 'You stopped this answer.',
  length: 'This answer reached its length limit and may not be complete.',
  trimmed: ({ turns_dropped: dropped }) =>
    dropped === 1
      ? 'The conversation is long: its oldest message is no longer taken into account.'
      : `The conversation is long: its ${dropped ? `${count('en', dropped)} ` : ''}oldest messages are no longer taken into account.`,
  lost: 'The connection was lost. Reconnecting…',
  back: 'The connection is back.',
  expired: 'The service no longer has this conversation. What is above is not remembered; your next question starts a new one.',
  expiredAbove: 'The service no longer has what is above. The question below starts a new conversation.',
  restored: 'Your conversation was restored.',
  notAnswered: 'Not answered.',
  interrupted: 'The answer was cut off.',
  unreachable: 'The service cannot be reached. Check your connection, then try again.',
  dropped: 'The connection to the service was lost.',
  tooLarge: 'The question is too long for the service. Shorten it, then send.',
  tooLargeFiles: 'The question and its files are too long for the service. Remove a file or shorten the question, then send.',
  retry: 'Try again',
  busy: 'An answer is being written. Your text is kept: send it when the answer is complete, or stop the answer first.',
  starting: 'The service is not ready yet. Trying again…',
  startingKept: 'The service is not ready yet. Your text is kept: send it when the service is ready.',
  confirmTitle: 'Start a new conversation?',
  confirmText: 'This one is deleted from the service and cannot be brought back.',
  confirmDelete: 'Delete and start new',
  cancel: 'Cancel',
  deleting: 'The conversation is being deleted…',
  deletingKept: 'The conversation is being deleted. Your text is kept: send it when that is done.',
  forgotten: 'The conversation was deleted. A new one starts with your next question.',
  notForgotten: 'The conversation could not be deleted. Check your connection, then try again.',
};

const fr = {
  documentTitle: ({ title }) => (title ? `${title} – Clavardage avec l’IA` : 'Clavardage avec l’IA'),
  heading: 'Clavardage avec l’IA',
  otherLanguage: 'English',
  skip: 'Passer à votre question',
  personality: 'Parler à',
  newConversation: 'Nouvelle conversation',
  conversation: 'Conversation',
  composer: 'Poser une question',
  question: 'Votre question',
  send: 'Envoyer',
  stop: 'Arrêter',
  attach: 'Joindre un fichier',
  files: 'Fichiers joints',
  filesReading: ({ files }) => (files === 1 ? 'Lecture du fichier…' : `Lecture de ${count('fr', files)} fichiers…`),
  filesLimit: ({ limit, left }) =>
    `Au plus ${limit} fichiers accompagnent une question : ${left === 1 ? 'un a été laissé' : `${count('fr', left)} ont été laissés`} de côté.`,
  fileReading: 'lecture…',
  fileRead: ({ characters }) => (characters < 2 ? `lu : ${characters} caractère` : `lu : ${count('fr', characters)} caractères`),
  fileReadInPart: ({ characters }) =>
    `lu en partie : les ${count('fr', characters)} premiers caractères. Le reste, trop long, a été laissé de côté.`,
  fileUnreadable: 'Aucun texte n’a pu y être lu. Texte, Markdown, HTML, CSV, JSON, PDF et Word (.docx) peuvent être lus.',
  fileLocked: 'Il est verrouillé par un mot de passe. Joignez-le sans mot de passe.',
  filePictures:
    'Il n’a pas de texte, seulement des images. Joignez-en un qui a du texte, issu d’une reconnaissance de caractères par exemple.',
  fileDamaged: 'Il est endommagé. Enregistrez-le de nouveau ou choisissez-en une autre copie, puis joignez-le.',
  fileComplicated: 'Il est trop gros ou trop complexe pour être lu. Joignez la partie qui compte.',
  fileEmpty: 'Il ne contient pas de texte.',
  fileTooLarge: ({ limit }) => `Il est trop gros : un fichier peut avoir au plus ${megabytes('fr', limit)}.`,
  fileTooSlow: 'L’envoi a pris trop de temps. Retirez-le, puis joignez-le de nouveau.',
  fileBusy: 'Le service est occupé. Retirez-le, puis joignez-le de nouveau plus tard.',
  fileUnsent: 'Il n’a pas pu être envoyé. Vérifiez votre connexion, puis joignez-le de nouveau.',
  fileFailed: 'Une erreur s’est produite. Retirez-le, puis joignez-le de nouveau.',
  fileWasRead: ({ name }) => `${name} a été lu.`,
  fileWasReadInPart: ({ name }) => `${name} a été lu en partie : le reste, trop long, a été laissé de côté.`,
  fileWasNotRead: ({ name }) => `${name} n’a pas été lu.`,
  fileWasRemoved: ({ name }) => `${name} a été retiré.`,
  removeFile: ({ name }) => `Retirer ${name}`,
  stillReading:
    'La lecture d’un fichier est en cours. Votre texte est conservé : envoyez-le quand elle sera finie, ou retirez le fichier.',
  questionMissing: 'Écrivez ce que vous voulez savoir du fichier, puis envoyez.',
  latest: 'Aller au dernier message',
  keys: 'Entrée envoie, Maj + Entrée change de ligne, Échap arrête.',
  caution:
    'Les réponses sont rédigées par une IA : vérifiez ce qui compte. N’entrez aucun renseignement protégé ou personnel.',
  hint: ({ model }) => `${model ? `${model} est une IA et` : 'L’IA'} peut se tromper : vérifiez ce qui compte.`,
  hintMore: 'N’entrez aucun renseignement protégé ou personnel.',
  model: ({ model }) => `Modèle qui répond : ${model}.`,
  modelStarter: ({ model }) =>
    `Modèle qui répond : ${model}. C’est le modèle de départ : faible, à utiliser seulement pour des essais.`,
  modelNone: 'Aucun modèle ne répond en ce moment.',
  modelAway: 'Aucun modèle ne répond en ce moment. Vous pouvez poser votre question : elle en attendra un.',
  modelBack: 'Un modèle répond maintenant.',
  you: 'Vous',
  assistant: ({ title }) => `${title} (IA)`,
  spoken: 'Réponse en cours de rédaction',
  code: 'Code',
  table: 'Tableau',
  newTab: ' (s’ouvre dans un nouvel onglet)',
  sources: 'Sources',
  source: ({ number }) => `Source ${number}`,
  sourceDetails: ({ language, fetched }) =>
    [language && { en: 'en anglais', fr: 'en français' }[language], fetched && `consultée le ${moment('fr', fetched)}`]
      .filter(Boolean)
      .join(', '),
  connecting: 'Connexion en cours…',
  queued: ({ position, wait_s: wait }) =>
    `En file d’attente${position ? `, position ${count('fr', position)}` : ''}${wait ? `, environ ${duration('fr', wait)}` : ''}.`,
  reading: ({ title }) => `${title} lit…`,
  thinking: ({ title }) => `${title} réfléchit…`,
  answering: ({ title }) => `${title} répond…`,
  reconnecting: 'Le modèle redémarre. La réponse se poursuivra.',
  awaited: 'Aucun modèle ne répond en ce moment. Votre question attend : la réponse commencera dès qu’il y en aura un.',
  stopping: 'Arrêt en cours…',
  whole: 'La réponse est complète.',
  stopped: 'Vous avez arrêté cette réponse.',
  length: 'Cette réponse a atteint sa longueur maximale et pourrait être incomplète.',
  trimmed: ({ turns_dropped: dropped }) =>
    dropped === 1
      ? 'La conversation est longue : son plus ancien message n’est plus pris en compte.'
      : `La conversation est longue : ses ${dropped ? `${count('fr', dropped)} ` : ''}plus anciens messages ne sont plus pris en compte.`,
  lost: 'La connexion a été perdue. Reconnexion en cours…',
  back: 'La connexion est rétablie.',
  expired:
    'Le service n’a plus cette conversation. Ce qui précède n’est plus en mémoire; votre prochaine question en commence une nouvelle.',
  expiredAbove: 'Le service n’a plus ce qui précède. La question ci-dessous commence une nouvelle conversation.',
  restored: 'Votre conversation a été rétablie.',
  notAnswered: 'Sans réponse.',
  interrupted: 'La réponse a été interrompue.',
  unreachable: 'Le service est injoignable. Vérifiez votre connexion, puis réessayez.',
  dropped: 'La connexion au service a été perdue.',
  tooLarge: 'La question est trop longue pour le service. Raccourcissez-la, puis envoyez.',
  tooLargeFiles:
    'La question et ses fichiers sont trop longs pour le service. Retirez un fichier ou raccourcissez la question, puis envoyez.',
  retry: 'Réessayer',
  busy: 'Une réponse est en cours. Votre texte est conservé : envoyez-le quand elle sera complète, ou arrêtez-la d’abord.',
  starting: 'Le service n’est pas encore prêt. Nouvelle tentative…',
  startingKept: 'Le service n’est pas encore prêt. Votre texte est conservé : envoyez-le quand il le sera.',
  confirmTitle: 'Commencer une nouvelle conversation?',
  confirmText: 'Celle-ci sera supprimée du service et ne pourra pas être récupérée.',
  confirmDelete: 'Supprimer et recommencer',
  cancel: 'Annuler',
  deleting: 'Suppression de la conversation…',
  deletingKept: 'La conversation est en cours de suppression. Votre texte est conservé : envoyez-le quand ce sera fait.',
  forgotten: 'La conversation a été supprimée. Votre prochaine question en commencera une nouvelle.',
  notForgotten: 'La conversation n’a pas pu être supprimée. Vérifiez votre connexion, puis réessayez.',
};

export const strings = { en, fr };
