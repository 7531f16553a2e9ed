# Les personnes.
people-title = Personnes
people-lead = Qui a une boîte aux lettres ici, et ce que chacun peut faire.
people-add = Ajouter une personne
people-import = En ajouter plusieurs
people-search = Chercher par nom ou adresse
people-role-any = Tous les rôles
people-state-any = Toutes
people-state-active = Actives
people-state-suspended = Suspendues
people-state-removed = Retirées récemment
people-none = Encore personne
people-none-why = Chaque personne a une adresse et une boîte aux lettres. Ajoutez-en une, ou plusieurs d’un coup depuis un tableau.
people-none-removed = Personne n’a été retiré
people-none-removed-why = Une personne retirée attend ici 30 jours, avec tout son courrier, et peut être restaurée.
people-none-chosen = Personne n’a été choisi : cochez d’abord les cases devant les noms.
people-suspended = { $count ->
    [one] { $count } personne est suspendue.
   *[other] { $count } personnes sont suspendues.
}
people-resumed = { $count ->
    [one] { $count } personne est de nouveau active.
   *[other] { $count } personnes sont de nouveau actives.
}
people-removed = { $count ->
    [one] { $count } personne est retirée, et peut être restaurée pendant 30 jours.
   *[other] { $count } personnes sont retirées, et peuvent être restaurées pendant 30 jours.
}
people-remove-title = { $count ->
    [one] Retirer { $count } personne ?
   *[other] Retirer { $count } personnes ?
}
people-goes-one = { $count ->
    [one] { $address } : { $count } message, { $size }
   *[other] { $address } : { $count } messages, { $size }
}
people-acts-title = Tout n’a pas pu être fait
people-acts-refused = Celles-ci sont restées comme elles sont
person-name = Nom
person-name-help = Comme il figure dans les listes, par exemple Ann Lee.
person-role = Rôle
person-role-help = La plupart sont des utilisateurs : leur boîte aux lettres, et rien d’autre.
person-power = Peut faire plus que lire son courrier
person-serves = Domaines dont elle s’occupe
person-serves-help = Seulement pour l’assistance et les admins de domaine.
person-seen = Dernière visite
person-is-active = active
person-is-suspended = suspendue
person-way = Comment elle entre la première fois
person-way-link = Par un lien que vous lui envoyez
person-way-link-help = Elle choisit son mot de passe, et personne d’autre ne le connaît jamais.
person-way-password = Par un mot de passe que vous choisissez
person-way-password-help = Transmettez-le d’une façon sûre.
person-password-help = Seulement si vous le choisissez vous-même : 8 caractères au moins.
person-quota = Stockage au plus
person-quota-new-help = Par exemple 5 Go. Vide : comme le domaine le dit.
person-added = { $address } est là
person-profile = Profil
person-sign-in = Connexion
person-settings = Réglages
person-daily-messages = Messages par jour
person-daily-recipients = Destinataires par jour
person-daily-help = Ce qu’elle peut envoyer ; un mot de passe volé ne peut pas plus. Vide : comme la maison le dit.
person-hourly-messages = Messages par heure
person-hourly-recipients = Destinataires par heure
person-daily-new-recipients = Nouveaux destinataires par jour
person-new-recipients-help = À combien de personnes ils peuvent écrire à qui ils n’ont jamais écrit. Vide : comme la maison le dit.
person-used-of = { $used } sur { $quota }
person-used-free = { $used }, sans limite
person-leads = Adresses qui mènent ici
person-leads-lead = En plus de la sienne.
person-leads-none = Aucune autre adresse ne mène ici.
person-leads-domain = Fourre-tout ou postmaster
person-suspend = Suspendre
person-resume = Lever la suspension
person-suspend-title = Suspendre { $address } ?
person-suspend-text = La connexion et le courrier sont refusés jusqu’à ce que vous leviez la suspension. Rien n’est effacé.
person-suspended = { $address } est suspendue.
person-resumed = { $address } est de nouveau active.
person-suspended-title = Cette personne est suspendue
person-suspended-text = La connexion et le courrier sont refusés.
person-remove = Retirer
person-remove-title = Retirer { $address } ?
person-remove-text = La connexion et le courrier sont refusés aussitôt. Tout peut être restauré pendant un temps ; c’est effacé pour de bon { $until }.
person-goes-messages = { $count ->
    [one] { $count } message, { $size }
   *[other] { $count } messages, { $size }
}
person-goes-aliases = { $count ->
    [one] { $count } alias ne mènera plus nulle part : { $aliases }
   *[other] { $count } alias ne mèneront plus nulle part : { $aliases }
}
person-goes-domains = Le fourre-tout ou postmaster de { $domains }
person-removed = { $address } est retirée, et peut être restaurée pendant 30 jours.
person-restored = { $address } est de retour, avec tout son courrier.
power-title = Ce que { $address } peut faire
role-user-help = Son propre compte, et rien d’autre.
role-help-desk-help = Voit les personnes, la file et les traces de ses domaines ; envoie des liens de mot de passe, termine des sessions.
role-domain-admin-help = Gère les personnes, les adresses et les réglages de ses domaines.
role-owner-help = Tout, partout dans cette maison.
person-link-act = Lien pour un nouveau mot de passe
person-link-question = Créer un lien de mot de passe pour { $address } ?
person-link-text = Avec lui, la personne choisit un nouveau mot de passe. L’actuel reste valable jusque-là, et les liens précédents ne valent plus.
person-link-title = Un lien pour { $address }
person-link-lead = Envoyez-le à { $address } d’une façon qui n’atteint personne d’autre.
person-link-until = { $count ->
    [one] Il vaut une fois, pendant { $count } heure.
   *[other] Il vaut une fois, pendant { $count } heures.
}
person-link-send = Un texte pour l’accompagner
person-link-letter = Bonjour ! Choisissez votre mot de passe pour { $host } ici : { $link }
person-link-done = Je l’ai envoyé
person-methods = Façons d’entrer
person-methods-lead = Ce qui ouvre ce compte.
person-has-password = Il y en a un.
person-has-no-password = Pas encore. Un lien permet d’en choisir un.
person-second = Second facteur
person-second-since = Actif depuis
person-second-off = Inactif : le mot de passe seul ouvre le compte.
person-second-remove = Enlever
person-second-title = Enlever le second facteur de { $address } ?
person-second-text = À faire pour qui a perdu son appareil, si vous êtes sûr que c’est bien cette personne qui demande. Son mot de passe seul ouvrira le compte.
person-second-removed = Le second facteur de { $address } est inactif.
person-recovery-codes = { $count ->
    [one] { $count } code de secours restant
   *[other] { $count } codes de secours restants
}
person-passkey = Clé d’accès
person-app-password = Mot de passe d’application
person-method-title = Retirer « { $name } » ?
person-passkey-text = L’appareil qui a cette clé d’accès n’ouvrira plus le compte.
person-app-password-text = L’application qui utilise ce mot de passe ne pourra plus se connecter.
person-method-remove = Retirer
person-method-removed = Cette façon d’entrer est fermée.
person-sessions = Sessions ouvertes
person-sessions-lead = Les navigateurs connectés au panneau.
person-sessions-none = Aucun navigateur n’est connecté.
person-session-unknown = Un navigateur qui ne dit pas son nom
person-session-seen = vue
person-session-since = ouverte
person-session-end = Terminer
person-sessions-end-all = Terminer toutes les sessions
person-sessions-ended = { $count ->
    [0] Aucune session n’était ouverte.
    [one] { $count } session est terminée.
   *[other] { $count } sessions sont terminées.
}
person-log-ins = Connexions
person-log-ins-none = Personne ne s’est connecté, ni ne l’a essayé, ces 90 derniers jours.
person-log-in-when = Quand
person-log-in-outcome = Résultat
person-log-in-way = Par
person-log-in-from = Depuis
person-log-in-granted = admise
person-log-in-refused = refusée
person-log-in-web = Navigateur
person-log-in-api = API
person-log-in-attempts = { $count ->
    [one] { $count } fois
   *[other] { $count } fois
}
import-lead = Une ligne par personne. Les lignes sont d’abord examinées ; rien ne se passe avant que vous ne le disiez.
import-file = Un fichier
import-paste = Ou collez les lignes
import-help = La première ligne nomme les colonnes. Un fichier passe avant ce qui est collé.
import-columns = Quelles colonnes ?
import-columns-help = address est nécessaire ; name, password, hash (d’un autre système) et quota (en octets) peuvent manquer. Sans mot de passe, chacun entre par un lien.
import-look = Examiner les lignes
import-act = Ajouter ces personnes
import-would-add = { $count ->
    [one] { $count } personne peut être ajoutée
   *[other] { $count } personnes peuvent être ajoutées
}
import-added = { $count ->
    [one] { $count } personne est là
   *[other] { $count } personnes sont là
}
import-refused = { $count ->
    [one] { $count } ligne n’a pas été prise
   *[other] { $count } lignes n’ont pas été prises
}
import-refused-why = Les autres n’en sont pas touchées. Corrigez ces lignes et renvoyez-les.
import-who = Qui ?
import-more = { $count ->
    [one] et { $count } autre
   *[other] et { $count } autres
}
import-line = Ligne
person-deleted = Courrier supprimé
person-deleted-lead = Ce qui a été supprimé définitivement et peut revenir, chaque message à sa place. Personne d’autre ne le voit.
person-deleted-none = Rien qui soit encore gardé.
person-deleted-since = Supprimé depuis
person-deleted-hour = la dernière heure
person-deleted-day = le dernier jour
person-deleted-week = la dernière semaine
person-deleted-all = tout ce qui est gardé
person-quota-messages = Messages au plus
person-imap-hidden = Extensions d’IMAP cachées aux logiciels de cette personne
person-imap-hidden-help = Pour un logiciel de courrier qui trébuche sur l’une d’elles, par exemple CONDSTORE, QRESYNC. Séparées par des virgules. Cela vaut dès sa prochaine connexion.
person-quota-messages-help = Vide : pas de limite.
