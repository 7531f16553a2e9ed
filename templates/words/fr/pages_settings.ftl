# Les pages des réglages.
settings-page-lead = Ce qu’on dit à cette maison. Un changement vaut aussitôt, et peut être annulé sous Activité.
settings-page-search = Chercher dans les réglages
settings-page-find = Chercher
settings-page-on = oui
settings-page-off = non
settings-page-nothing = rien
settings-page-unit = unité
settings-page-unit-octets = octets
settings-page-unit-kib = Kio
settings-page-unit-mib = Mio
settings-page-unit-gib = Gio
settings-page-unit-s = secondes
settings-page-unit-min = minutes
settings-page-unit-h = heures
settings-page-unit-d = jours
settings-page-unit-recipients = destinataires
settings-page-unit-messages = messages
settings-page-unit-characters = caractères
settings-page-unit-requests = requêtes
settings-page-unit-log-ins = connexions
settings-page-unit-connections = connexions
settings-page-unit-faults = fautes
settings-page-default = Par défaut :
settings-page-is-default = C’est la valeur par défaut.
settings-page-reset = Rétablir
settings-page-changed = Changé
settings-page-was-reset = « { $title } » est revenu à sa valeur par défaut.
settings-page-unchanged = Rien ne différait de ce qui vaut déjà.
settings-page-saved = { $count ->
    [one] Enregistré : { $count } réglage a changé.
   *[other] Enregistré : { $count } réglages ont changé.
}
settings-page-none = Aucun réglage de ce genre
settings-page-none-why = Cherchez un autre mot, ou parcourez les sections.
settings-page-all = Tous les réglages
settings-page-found = Réglages trouvés
settings-page-setting = Réglage
settings-page-section = Section
settings-page-value = Valeur
