# Lire et écrire son courrier dans le navigateur.
webmail-inbox = Boîte de réception
webmail-drafts = Brouillons
webmail-sent = Envoyés
webmail-archive = Archives
webmail-junk = Indésirables
webmail-trash = Corbeille
webmail-folders = Dossiers
webmail-choices = Réglages de lecture
webmail-choices-lead = La disposition des listes et des messages, pour vous seul.
webmail-choices-kept = C’est noté. Les listes et les messages se présentent ainsi désormais.
webmail-density = Lignes d’une liste
webmail-density-roomy = Aérée : l’objet et les premiers mots sous l’expéditeur
webmail-density-dense = Serrée : une ligne par message
webmail-pane = Le message ouvert
webmail-pane-right = À côté de la liste
webmail-pane-below = Sous la liste
webmail-pane-none = À la place de la liste
webmail-by-conversation = Regrouper les conversations
webmail-by-conversation-help = Les messages qui se répondent tiennent sur une ligne de la liste.
webmail-search = Chercher dans ce dossier
webmail-order = Dans quel ordre
webmail-best-first = Les plus pertinents d’abord
webmail-newest-first = Les plus récents d’abord
webmail-everywhere = Chercher dans tous les dossiers
webmail-found-in = { $folder } : { $count }
webmail-filter = Quels messages
webmail-all = Tous
webmail-unread = Non lus
webmail-starred = Étoilés
webmail-range = { $first }–{ $last } sur { $total }
webmail-newer = Plus récents
webmail-older = Plus anciens
webmail-newer-one = Message plus récent
webmail-older-one = Message plus ancien
webmail-beside = Messages voisins
webmail-choose = Choisir
webmail-nobody = Personne
webmail-draft = Brouillon
webmail-unread-one = Non lu
webmail-starred-one = Étoilé
webmail-answered-one = Répondu
webmail-forwarded-one = Transféré
webmail-has-file = Avec un fichier
webmail-archive-act = Archiver
webmail-junk-act = Indésirable
webmail-not-junk = Désirable
webmail-delete = Supprimer
webmail-mark-read = Marquer comme lu
webmail-mark-unread = Marquer comme non lu
webmail-star = Marquer d’une étoile
webmail-unstar = Retirer l’étoile
webmail-more = Plus
webmail-move-to = Vers le dossier
webmail-move = Déplacer
webmail-copy = Copier
webmail-label = Étiquette
webmail-label-on = Mettre cette étiquette
webmail-label-off = Retirer cette étiquette
webmail-whom = À qui cela s’applique
webmail-whom-chosen = Ceux qui sont choisis
webmail-whom-all = { $count ->
    [one] Celui que montre cette liste
   *[other] Les { $count } que montre cette liste
}
webmail-empty = Rien ici
webmail-empty-why = Les messages de ce dossier apparaîtront ici, les plus récents d’abord.
webmail-nothing-found = Rien trouvé
webmail-nothing-found-why = Aucun message de ce dossier n’y ressemble. On peut chercher avec from:, to:, subject:, is:unread, has:attachment, before: et after: aussi bien qu’avec des mots.
webmail-show-all = Tout montrer
webmail-message = Message
webmail-none-open = Aucun message ouvert
webmail-keys-hint = Des touches qui aident :
webmail-keys = Touches
webmail-key-next = Suivant, précédent
webmail-key-open = Ouvrir
webmail-key-back = Retour à la liste
webmail-key-choose = Choisir
webmail-key-read = Marquer comme lu, comme non lu
webmail-key-inbox = Vers la boîte de réception
webmail-offline = La connexion est perdue. Ce que vous voyez date peut-être ; un nouvel essai est en cours.
webmail-new-mail = Nouveau courrier
webmail-from = De
webmail-reply-to = Réponses à
webmail-to = À
webmail-cc = Cc
webmail-bcc = Cci
webmail-date = Date
webmail-sender = Envoyé par
webmail-list = Liste de diffusion
webmail-unsubscribe = La quitter
webmail-leave = Quitter cette liste
webmail-size = Taille
webmail-to-nobody = sans destinataire nommé
webmail-to-some = à { $names }
webmail-to-many = { $count ->
    [one] à { $names } et 1 autre
   *[other] à { $names } et { $count } autres
}
webmail-conversation = Conversation
webmail-genuine = Vient bien de { $domain }
webmail-not-genuine = Peut-être pas de qui il dit
webmail-not-genuine-why = Personne ne se porte garant de ce message : l’expéditeur a pu être inventé. Ne suivez pas ses liens et n’ouvrez pas ses fichiers si vous ne l’attendiez pas.
webmail-junk-why = Pourquoi il est dans les indésirables
webmail-junk-why-unknown = Quelqu’un l’a mis là, ou l’on ne sait plus ce qui parlait contre lui.
webmail-seal-pgp-sealed = Chiffré avec OpenPGP
webmail-seal-pgp-sealed-why = Seul un programme qui a votre clé peut l’ouvrir. Téléchargez le message et ouvrez-le là-bas.
webmail-seal-pgp-signed = Signé avec OpenPGP
webmail-seal-pgp-signed-why = La signature n’est pas vérifiée ici.
webmail-seal-smime-sealed = Chiffré avec S/MIME
webmail-seal-smime-sealed-why = Seul un programme qui a la clé de votre certificat peut l’ouvrir. Téléchargez le message et ouvrez-le là-bas.
webmail-seal-smime-signed = Signé avec S/MIME
webmail-seal-smime-signed-why = La signature n’est pas vérifiée ici.
webmail-cut = Il y a une suite
webmail-cut-why = Le message est trop long pour être montré en entier. Téléchargez-le pour lire le reste.
webmail-doubtful = Regardez à deux fois avant de suivre un lien
webmail-doubt-elsewhere = « { $words } » mène à { $host }.
webmail-doubt-look-alike = { $host } s’écrit avec des lettres qui ressemblent à d’autres.
webmail-doubt-disguised = Ce qui a l’air d’une adresse mène à { $host }.
webmail-doubt-numeric = « { $words } » mène à { $host }, un numéro au lieu d’un nom.
webmail-invitation = Invitation
webmail-invitation-cancel = Annulé
webmail-invitation-reply = Réponse à une invitation
webmail-invitation-file = Fichier d’agenda
webmail-organizer = Par
webmail-pictures-away = { $count ->
    [one] 1 image n’a pas été chargée.
   *[other] { $count } images n’ont pas été chargées.
}
webmail-pictures-why = Les charger peut apprendre à l’expéditeur que vous avez lu ce message ; nous les chargeons pour vous, sans lui dire où vous êtes.
webmail-pictures-once = Montrer les images
webmail-pictures-always = Toujours pour cet expéditeur
webmail-pictures-never = Ne plus montrer les images de cet expéditeur
webmail-letter = Le message
webmail-quoted = Texte cité
webmail-files = Fichiers
webmail-files-count = { $count ->
    [one] 1 fichier
   *[other] { $count } fichiers
}
webmail-all-files = Tous en ZIP
webmail-file-unnamed = Fichier sans nom
webmail-view = Voir
webmail-download = Télécharger
webmail-print = Version à imprimer
webmail-eml = Télécharger (.eml)
webmail-source = Source
webmail-headers = En-têtes
webmail-source-cut = Le début. Téléchargez le message pour tout avoir.
mail-no-mailbox = Ce dossier n’existe pas.
mail-no-mailbox-of-name = Il n’y a pas de dossier « { $mailbox } » parmi les vôtres, ni parmi ceux que d’autres partagent avec vous. Donnez son nom entier, tel que le webmail et les logiciels de courrier le montrent, avec / entre les niveaux.
mail-search-misread = « { $word } » est illisible : ce qui suit les deux-points n’est pas ce que cet opérateur attend. Corrigez-le, ou mettez le tout entre guillemets droits pour le chercher tel quel.
mail-search-too-long = Une recherche a { $words } mots et { $characters } caractères au plus. Enlevez-en.
mail-no-page = Cette page n’est plus là : son dossier a disparu. Recommencez sans « after ».
mail-which-deleted = Dites lesquels : soit « ids », entre un et { $most }, soit « since ».
mail-not-deleted = Ce n’est plus parmi ce que vous avez supprimé. C’est peut-être revenu, ou définitivement parti.
mail-no-message = Le message n’est plus ici. Il a pu être déplacé ou supprimé.
mail-no-html = Ce message est en texte simple.
mail-no-file = Le message n’a pas ce fichier.
mail-no-author = L’adresse de l’expéditeur est illisible.
mail-no-one-click = Ce message ne permet pas de quitter sa liste en un clic.
mail-list-left = { $host } confirme vous retirer de la liste. Cela peut prendre quelques jours.
mail-list-not-left = { $host } ne vous a pas retiré de la liste. Essayez le lien « La quitter », parmi les destinataires.
mail-no-such-act = Rien n’a été fait : cette action est inconnue.
mail-nothing-chosen = Rien n’a été fait : aucun message n’était choisi.
mail-moved-nowhere = Rien n’a été fait : ils sont déjà dans ce dossier.
mail-full = Le compte est plein. Supprimez d’abord quelque chose, aussi de la corbeille.
mail-no-right = Vous ne pouvez pas faire cela dans ce dossier. Demandez à la personne qui le partage avec vous.
mail-label-bad = Une étiquette est un seul mot de 100 lettres sans accent, chiffres et tirets au plus. Elle ne commence pas par $, et n’est ni Junk ni NotJunk.
mail-too-many-labels = Ce dossier n’a plus de place pour une étiquette.
mail-undo-gone = Cela ne peut plus être annulé.
mail-undone = C’est annulé.
mail-pictures-shown = Les images de { $sender } sont montrées désormais.
mail-pictures-not-shown = Les images de { $sender } ne sont plus montrées.
mail-done-read = { $count ->
    [one] 1 message marqué comme lu.
   *[other] { $count } messages marqués comme lus.
}
mail-done-not-read = { $count ->
    [one] 1 message marqué comme non lu.
   *[other] { $count } messages marqués comme non lus.
}
mail-done-star = { $count ->
    [one] 1 message marqué d’une étoile.
   *[other] { $count } messages marqués d’une étoile.
}
mail-done-not-star = { $count ->
    [one] 1 message sans étoile.
   *[other] { $count } messages sans étoile.
}
mail-done-label = { $count ->
    [one] 1 message étiqueté.
   *[other] { $count } messages étiquetés.
}
mail-done-not-label = { $count ->
    [one] 1 message sans cette étiquette.
   *[other] { $count } messages sans cette étiquette.
}
mail-done-moved = { $count ->
    [one] 1 message déplacé.
   *[other] { $count } messages déplacés.
}
mail-done-copied = { $count ->
    [one] 1 message copié.
   *[other] { $count } messages copiés.
}
mail-done-archived = { $count ->
    [one] 1 message archivé.
   *[other] { $count } messages archivés.
}
mail-done-junk = { $count ->
    [one] 1 message déplacé vers Indésirables. Le filtre en tire la leçon.
   *[other] { $count } messages déplacés vers Indésirables. Le filtre en tire la leçon.
}
mail-done-not-junk = { $count ->
    [one] 1 message déplacé vers la boîte de réception. Le filtre en tire la leçon.
   *[other] { $count } messages déplacés vers la boîte de réception. Le filtre en tire la leçon.
}
mail-done-deleted = { $count ->
    [one] 1 message mis à la corbeille.
   *[other] { $count } messages mis à la corbeille.
}
mail-done-removed = { $count ->
    [one] 1 message supprimé définitivement.
   *[other] { $count } messages supprimés définitivement.
}
mail-done-restored = { $count ->
    [0] Aucun de ces messages ne peut plus revenir.
    [one] 1 message est revenu.
   *[other] { $count } messages sont revenus.
}
mail-done-restored-folders = { $folders ->
    [one] 1 dossier est revenu.
   *[other] { $folders } dossiers sont revenus.
} { $count ->
    [0] Aucun message.
    [one] Et 1 message.
   *[other] Et { $count } messages.
}
mail-done-forgotten = { $count ->
    [0] Aucun de ces messages n’était plus là.
    [one] 1 message a disparu.
   *[other] { $count } messages ont disparu.
}
mail-done-forgotten-folders = { $folders ->
    [one] 1 dossier a disparu, avec ce qu’il contenait.
   *[other] { $folders } dossiers ont disparu, avec ce qu’ils contenaient.
}
webmail-removed = Supprimés récemment
webmail-removed-lead = Ce qui a été supprimé définitivement, de la corbeille ou par un logiciel de courrier. Chaque message revient dans le dossier où il se trouvait ; un dossier revient avec ce qu’il contenait.
webmail-removed-none = Rien n’a été supprimé récemment
webmail-removed-none-why = Ce qui est supprimé de la corbeille, ou par un logiciel de courrier, attend ici un moment et peut revenir.
webmail-removed-messages = Messages
webmail-removed-folders-more = Autres dossiers
webmail-removed-restore = Faire revenir
webmail-removed-forget = Supprimer maintenant
webmail-removed-until = définitivement supprimé
webmail-removed-all = Tout
webmail-removed-all-why = Sur toutes les pages de cette liste. Ce qui est supprimé ici, personne ne peut plus le faire revenir.
webmail-removed-restore-all = Tout faire revenir
webmail-removed-forget-all = Tout supprimer maintenant
webmail-write = Écrire
webmail-reply = Répondre
webmail-reply-all = Répondre à tous
webmail-forward = Transférer
webmail-forward-file = Transférer comme fichier
webmail-to-help = Des adresses, séparées par des virgules.
webmail-copies = Copies
webmail-bcc-help = Personne ne voit qui ils sont.
webmail-subject = Objet
webmail-text = Texte
webmail-attach = Fichiers
webmail-files-help = { $megabytes } Mo en tout, 15 Mo à la fois.
webmail-attach-now = Joindre
webmail-remove-file = Retirer
webmail-send = Envoyer
webmail-save-draft = Enregistrer comme brouillon
webmail-discard = Abandonner
webmail-saved-now = Enregistré comme brouillon
webmail-unsaved = Pas enregistré : la connexion est perdue. Rien de ce que vous avez tapé n’est perdu ; un nouvel essai est en cours.
webmail-quote = Le { $date }, { $who } a écrit :
webmail-passed-on = ---------- Message transféré ----------
webmail-key-write = Écrire
mail-draft-saved = Enregistré comme brouillon.
mail-discarded = Abandonné.
webmail-folders-lead = Créez des dossiers, renommez-les, jetez-les. Un dossier sous un autre s’écrit avec une barre : Factures/2026.
webmail-folders-edit = Gérer les dossiers
webmail-folder-name = Nom du dossier
webmail-folder-name-help = Une barre oblique le met sous un autre.
webmail-folder-create = Créer
webmail-folder-rename = Renommer
webmail-folder-subscribe = S’abonner
webmail-folder-unsubscribe = Se désabonner
webmail-folder-subscribe-help = Les logiciels de courrier montrent les dossiers auxquels vous êtes abonné. Ici, tous sont montrés.
mail-folder-subscribed = Les logiciels de courrier montrent maintenant le dossier { $name }.
mail-folder-unsubscribed = Les logiciels de courrier ne montrent plus le dossier { $name }. Il est toujours là, avec tout ce qu’il contient.
webmail-folder-uses = À quoi servent les dossiers
webmail-folder-use = Utiliser ce dossier
webmail-folder-use-help = Ce qui vient désormais y va ; ce qui est dans l’ancien dossier y reste. Ceux avec qui vous partagez un dossier voient ce qui y va.
webmail-folder-use-for = Pour
webmail-folder-use-act = L’utiliser
mail-folder-for-sent = Les copies de ce que vous envoyez sont maintenant gardées dans { $name }.
mail-folder-for-archive = Ce que vous archivez va maintenant dans { $name }.
mail-folder-for-junk = Les indésirables vont maintenant dans { $name }.
mail-folder-for-trash = Ce que vous supprimez va maintenant dans { $name }.
mail-folder-junk-left = Il y a du courrier dans le dossier des indésirables. Supprimez-le d’abord : laissé là, il passerait pour du courrier voulu.
mail-folder-created = Le dossier { $name } est là.
mail-folder-renamed = Le dossier s’appelle maintenant { $name }.
mail-folder-deleted = Le dossier { $name } est à la corbeille, avec tout ce qu’il contient.
mail-folder-removed = Le dossier { $name } a été supprimé définitivement.
mail-folder-bad-name = Cela ne peut pas être le nom d’un dossier.
mail-folder-exists = Un dossier porte déjà ce nom.
mail-folder-below-itself = Un dossier ne peut pas se trouver sous lui-même.
mail-folder-too-many = Vous avez autant de dossiers qu’il est permis.
mail-folder-kept = Ce dossier est nécessaire et reste tel quel.
webmail-delete-for-good = Supprimer définitivement
mail-sent = Envoyé.
mail-sent-not-kept = Envoyé. Aucune copie n’a pu être gardée dans Envoyés : le compte est peut-être plein.
mail-no-recipient = Indiquez à qui il s’adresse.
mail-bad-address = « { $text } » n’est pas une adresse.
mail-too-many-recipients = Un message peut avoir { $most } destinataires au plus.
mail-too-long = Le texte est trop long. Joignez-le comme fichier.
mail-files-too-large = Tous les fichiers ensemble peuvent peser { $megabytes } Mo.
mail-recipient-refused = { $address } : { $reply }
mail-refused = Le message n’a pas été accepté : { $reply }
mail-no-way-out = Rien ne peut être envoyé d’ici.
webmail-identities = Noms et signatures
webmail-identities-lead = Sous quel nom vous écrivez : un nom, une de vos adresses, et ce qui figure au bas de vos messages. Une réponse part de l’adresse à laquelle on a écrit.
webmail-identity-default = Nouveaux messages
webmail-identity-is-default = Les nouveaux messages partent sous ce nom
webmail-identity-name = Nom
webmail-identity-address = Adresse
webmail-identity-reply-to = Les réponses vont à une autre adresse
webmail-signature = Signature
webmail-identity-new = Un autre nom
webmail-identity-new-lead = Votre adresse, la même avec un mot après un plus (vous+achats@…), ou un alias qui mène à vous.
webmail-identity-add = Ajouter
webmail-identity-remove = Retirer
webmail-writing-choices = Comment vous écrivez
webmail-format = Nouveaux messages et réponses
webmail-format-rich = Avec mise en forme, si le navigateur le peut
webmail-format-plain = En texte brut
webmail-format-to-plain = En texte brut
webmail-format-to-rich = Avec mise en forme
webmail-formatting = Mise en forme
webmail-bold = Gras
webmail-italic = Italique
webmail-underline = Souligné
webmail-bullets = Liste
webmail-numbers = Liste numérotée
webmail-quote-it = Citation
webmail-link = Lien
webmail-link-address = Où mène le lien
webmail-link-set = Poser
webmail-no-formatting = Retirer la mise en forme
webmail-quote-keep = Joindre le message cité
webmail-quote-show = Voir ce qui est cité
webmail-left = Un texte n’a pas été enregistré
webmail-left-why = La connexion a été perdue avant. Il est encore dans ce navigateur.
webmail-left-take = Le reprendre
webmail-left-drop = Le jeter
webmail-attaching = Envoi des fichiers
webmail-not-attached = Rien n’a été joint : la connexion est perdue, ou les fichiers sont trop gros. Choisissez-les de nouveau.
webmail-doubts = Regardez encore une fois avant l’envoi
webmail-send-sure = Envoyer quand même
mail-identity-kept = Enregistré : { $address }.
mail-identity-removed = Retiré : { $address }.
mail-identity-gone = Ce nom n’existe plus.
mail-identity-not-yours = Vous ne pouvez pas écrire depuis { $address } : ce n’est ni votre adresse ni un alias qui mène à vous.
mail-identity-too-long = C’est trop long.
mail-identities-too-many = Vous avez autant de noms que possible. Retirez-en un d’abord.
mail-writing-kept = Enregistré. Les nouveaux messages et les réponses commencent ainsi.
mail-doubt-no-file = Votre texte parle d’un fichier, mais aucun n’est joint.
mail-doubt-address = { $address } ressemble à { $known }, à qui vous avez déjà écrit.
mail-doubt-seen = { $count } destinataires verront les adresses des autres. En Cci, personne ne voit les autres.
mail-doubt-many = Le message part à { $count } destinataires.
webmail-undo = Après l’envoi, un message peut encore être arrêté
webmail-undo-seconds = { $count ->
    [0] Jamais : il part aussitôt
   *[other] Pendant { $count } secondes
}
webmail-later = Programmés
webmail-later-lead = Messages qui partiront au moment choisi. D’ici là, ils restent parmi les brouillons et peuvent être changés ou arrêtés.
webmail-later-none = Rien n’attend
webmail-later-none-why = Les messages à envoyer plus tard restent ici jusqu’à leur départ.
webmail-later-stop = Arrêter
webmail-later-open = Ouvrir
webmail-later-not-sent = Pas envoyé.
webmail-later-some-refused = Pas envoyés
webmail-later-waits = Ce message partira de lui-même :
webmail-later-waits-why = Si vous continuez à l’écrire, il ne partira plus : envoyez-le alors de nouveau.
webmail-send-later = Envoyer plus tard
webmail-send-then = Envoyer à ce moment
webmail-due = Quand
webmail-due-utc = En UTC.
mail-going = Envoi dans { $seconds } secondes.
mail-stopped = Arrêté. C’est de nouveau un brouillon.
mail-later-kept = Il partira de lui-même.
mail-later-bad-time = Choisissez un moment entre maintenant et dans un an.
mail-later-too-many = Trop de messages attendent déjà. Arrêtez-en un d’abord.
mail-later-gone = Il ne peut plus être arrêté : il est parti, ou en route.
mail-later-refused = Il ne peut pas être envoyé de ce compte pour le moment.
webmail-contacts = Contacts
webmail-contacts-lead = Les gens que vous connaissez. Leurs adresses se complètent quand vous écrivez, avant celles à qui vous avez déjà écrit ; le nom d’un groupe vaut pour tous ses membres.
webmail-contacts-search = Chercher un contact
webmail-contacts-count = { $count ->
    [0] Personne
    [one] 1 contact
   *[other] { $count } contacts
}
webmail-contact-groups = Groupes
webmail-contact-groups-help = Noms de groupes, séparés par des virgules.
webmail-contact-addresses = Adresses
webmail-contact-phones = Téléphone
webmail-contact-organisation = Organisation
webmail-contact-note = Remarque
webmail-contact-new = Ajouter quelqu’un
webmail-contacts-before = Les précédents
webmail-contacts-after = Les suivants
webmail-contacts-files = Depuis et vers d’autres programmes
webmail-contacts-files-lead = Presque tous les programmes exportent leurs contacts en vCard (.vcf). Une fiche déjà présente remplace l’ancienne.
webmail-contacts-file = Fichier vCard
webmail-contacts-import = Importer
webmail-contacts-export = Tout exporter
webmail-contacts-export-3 = Pour d’anciens programmes (vCard 3.0)
mail-contact-kept = Enregistré : { $name }.
mail-contact-removed = Retiré : { $name }.
mail-contact-gone = Ce contact n’existe plus.
mail-contact-nobody = Donnez un nom ou une adresse.
mail-contacts-no-card = Il n’y a pas de vCard dans ce fichier.
mail-contacts-too-many = Vous pouvez garder { $most } contacts.
mail-contacts-imported = { $count ->
    [one] 1 contact importé.
   *[other] { $count } contacts importés.
}
mail-contacts-imported-some = { $count } contacts importés ; { $left } n’ont pas trouvé de place.
webmail-snoozed = En attente
webmail-snooze = Mettre en attente
webmail-snooze-later = Dans trois heures
webmail-snooze-tomorrow = Demain matin
webmail-snooze-week = Lundi matin
webmail-snooze-at = Ou à un autre moment.
webmail-snooze-until = Jusqu’à ce moment
webmail-snoozed-until = De retour
mail-snoozed-too-many = Trop de messages sont déjà en attente. Faites-en revenir quelques-uns d’abord.
mail-done-snoozed = { $count ->
    [one] 1 message mis en attente. Il reviendra non lu dans la boîte de réception.
   *[other] { $count } messages mis en attente. Ils reviendront non lus dans la boîte de réception.
}
webmail-invitation-update = Invitation modifiée
webmail-meeting-when = Quand
webmail-meeting-where = Où
webmail-meeting-repeats = se répète
webmail-attendees = { $count ->
    [one] 1 personne invitée
   *[other] { $count } personnes invitées
}
webmail-attendee-accepted = Vient
webmail-attendee-declined = Ne vient pas
webmail-attendee-tentative = Peut-être
webmail-attendee-waits = Pas encore de réponse
webmail-meeting-accepted = Accepter
webmail-meeting-tentative = Peut-être
webmail-meeting-declined = Refuser
webmail-meeting-by-another = L’expéditeur n’est pas celui qui invite : ne vous y fiez pas sans demander. On ne peut pas y répondre d’ici.
webmail-meeting-cancelled = Ce rendez-vous a été annulé.
webmail-meeting-outdated = Un message plus récent a modifié ce rendez-vous : répondez à celui-là.
webmail-meeting-you-accepted = Vous avez accepté, { $when }.
webmail-meeting-you-tentative = Vous avez répondu peut-être, { $when }.
webmail-meeting-you-declined = Vous avez refusé, { $when }.
webmail-meeting-answer-old = C’était avant la modification.
webmail-meeting-not-invited = Vous n’êtes pas invité nommément ; il n’y a rien à répondre.
webmail-meeting-subject-accepted = Accepté : { $meeting }
webmail-meeting-subject-tentative = Peut-être : { $meeting }
webmail-meeting-subject-declined = Refusé : { $meeting }
webmail-meeting-text-accepted = { $who } accepte : { $meeting }
webmail-meeting-text-tentative = { $who } viendra peut-être : { $meeting }
webmail-meeting-text-declined = { $who } refuse : { $meeting }
mail-meeting-accepted = Accepté. { $who } en est averti.
mail-meeting-tentative = Réponse : peut-être. { $who } en est averti.
mail-meeting-declined = Refusé. { $who } en est averti.
mail-meeting-no-answer = On ne peut pas répondre à cette invitation.
webmail-receipt = { $who } demande à savoir que vous avez lu ce message.
webmail-receipt-elsewhere = { $who } demande que { $to } sache que vous avez lu ce message.
webmail-receipt-why = Personne n’est averti sans votre accord.
webmail-receipt-send = Envoyer un accusé
webmail-receipt-never = Ne pas en envoyer
webmail-receipt-ask = Demander un accusé de lecture
webmail-receipt-subject = Lu : { $subject }
webmail-receipt-text = Votre message « { $subject } » a été ouvert. Cela ne dit pas s’il a été lu ou compris.
mail-receipt-sent = L’accusé est envoyé.
mail-receipt-not-sent = Aucun accusé n’est envoyé.
mail-receipt-gone = Ce message ne demande pas d’accusé, ou vous avez déjà répondu.
webmail-suggest-written = Proposer les personnes à qui j’ai écrit
webmail-suggest-written-help = Vos contacts sont proposés de toute façon. Le filtre connaît vos correspondants dans les deux cas, pour que leurs réponses arrivent.
webmail-search-parts = Ce qui est cherché
webmail-search-without = chercher sans cela
webmail-notify = Annonces du nouveau courrier
webmail-notify-why = Qui écrit, et à quel sujet, annoncé par ce navigateur pendant que vous regardez autre chose. Seulement pour la boîte de réception, et dans ce navigateur seulement.
webmail-notify-act = Afficher les annonces
webmail-notify-on = Les annonces s’affichent dans ce navigateur.
webmail-notify-off = Aucune annonce ne s’affiche dans ce navigateur.
webmail-notify-denied = Ce navigateur interdit les annonces à cette page : ses réglages pour cette page le disent.
