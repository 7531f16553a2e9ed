# La vue d'ensemble : tout va-t-il bien ?
overview-ok = Tout va bien.
overview-attention = Le courrier passe, mais quelque chose demande votre attention.
overview-trouble = Il y a un problème : le courrier en souffre tant que personne n'agit.
overview-failed-logins = { $count ->
    [one] Une connexion a été refusée
   *[other] { $count } connexions ont été refusées
} dans la dernière heure. Regardez sous Sécurité qui essaie.
overview-queue-large = { $count ->
    [one] Un destinataire attend
   *[other] { $count } destinataires attendent
} dans la file. Regardez les destinations qui en ont le plus, et ce qu'elles disent.
overview-queue-old = Un message attend dans la file depuis { $hours ->
    [one] une heure
   *[other] { $hours } heures
}. Regardez ce que dit l'autre serveur.
overview-todo-first-domain = Ajoutez votre premier domaine : ce qui suit le @ dans les adresses.
overview-todo-empty-domain = { $domain } n'a encore personne. Ajoutez ses gens, ou une adresse qui prend tout.
overview-todo-certificate = Le certificat est fait par cette maison même, et les programmes des gens s'en plaindront. Mettez-en un qui est connu.
overview-todo-dns = Des enregistrements de { $domain } sont faux dans le DNS : du courrier se perd, est refusé ou pris pour indésirable, ou le sera. Voyez ce qu'il faut corriger.
overview-todo-dns-host = Des enregistrements de cet hôte sont faux dans le DNS : du courrier se perd, est refusé ou pris pour indésirable, ou le sera. Voyez ce qu'il faut corriger.
overview-todo-first-phone = Aucun téléphone ni programme ne relève encore votre courrier. Configurez le premier.
overview-todo-second-factor = Votre compte gère cette maison avec un mot de passe seul. Ajoutez une clé d'accès ou un code.
overview-todo-second-factor-of = { $address } possède cette maison avec un seul mot de passe. Demandez-lui une clé d’accès ou un code ; un réglage peut l’exiger de tous ceux qui gèrent.

# La machine.
system-database-well = La base de données répond.
system-database-ill = La base de données ne répond pas : aucun courrier ne peut être lu ni pris. Regardez le journal.
system-writer-well = Ce qui arrive est écrit.
system-writer-ill = La base de données n'accepte aucun changement : aucun courrier ne peut être pris. Regardez le journal et la place sur le disque.
system-disk-well = Il y a de la place sur le disque.
system-disk-ill = Le disque est presque plein : le nouveau courrier est remis à plus tard. Faites de la place, ou donnez à la maison un plus grand disque.
system-delivery-well = Le courrier part vers les autres serveurs.
system-delivery-ill = Le courrier pour les autres serveurs reste dans la file : cette maison a été lancée sans distribution.
system-certificates-well = Tous les certificats tiennent.
system-certificates-ill = Un certificat finit bientôt, ou il est fini. Mettez-en un nouveau.
system-filters-well = Tous les filtres répondent.
system-filters-ill = Un filtre ne répond pas : selon son réglage, le courrier est remis à plus tard ou accepté sans examen. Regardez ci-dessous, et redémarrez-le.

# La file d'attente.
queue-absent = Rien de { $id } n'est dans la file. C'est peut-être distribué entre-temps.
queue-too-many-items = Choisissez entre un et { $most } messages.
queue-chosen-either = Dites soit « items », soit « matching » : quels messages sont visés.
queue-no-item = L'un d'eux n'est pas un message de la file.
queue-no-state = Un état est waiting, held ou claimed.

# Les messages.
message-absent = On ne sait rien de { $id }. C'est peut-être trop ancien.
message-no-id = « { $text } » n'est pas un identifiant. Un identifiant se trouve dans la ligne Received, après « id ».
message-no-kind = Ce n'est rien de ce qui peut arriver à un message.
message-delivered-to-all = { $count ->
    [one] Distribué.
   *[other] Distribué aux { $count } destinataires.
}
message-delivered-to = { $all ->
    [one] Non distribué.
   *[other] Distribué à { $count } sur { $all }.
}
message-waiting = { $count ->
    [one] Un attend
   *[other] { $count } attendent
}, prochain essai dans { $minutes ->
    [one] une minute
   *[other] { $minutes } minutes
}.
message-held = { $count ->
    [one] Un est retenu : quelqu'un l'a arrêté.
   *[other] { $count } sont retenus : quelqu'un les a arrêtés.
}
message-failed = { $count ->
    [one] Un a échoué.
   *[other] { $count } ont échoué.
}
message-refused = Refusé à son arrivée ; il n’est nulle part ici.
message-removed = { $count ->
    [one] Un a été retiré de la file.
   *[other] { $count } ont été retirés de la file.
}

# Les webhooks.
webhook-absent = Il n'y a pas de webhook { $id }.
webhook-no-event = On ne se souvient plus de l'événement { $id }.
webhook-too-many = Il y a autant de webhooks que permis. Supprimez-en un d'abord.
webhook-no-url = Ce n'est pas une URL. Elle ressemble à https://example.org/hook.
webhook-url-too-long = L'URL est trop longue.
webhook-url-with-secrets = L'URL ne doit contenir ni nom, ni mot de passe, ni #.
webhook-no-https = L'URL doit commencer par https://.
webhook-internal = { $address } est une adresse interne, et les webhooks n'atteignent que l'internet public. Un propriétaire peut permettre son réseau dans les réglages.
webhook-unknown-event = Il n'y a pas d'événement { $event }.
webhook-no-events = Choisissez au moins un événement.
webhook-description-unfit = La description doit être une ligne de 200 caractères au plus.
webhook-needs-domain = Choisissez le domaine dont les événements sont annoncés.
webhook-taken = C'est pris ({ $status }).
webhook-refused = Ce n'est pas pris : l'autre côté a répondu { $status }. Il doit répondre par un statut de 200 à 299.
webhook-redirected = Ce n'est pas pris : l'autre côté a répondu { $status } et renvoie ailleurs, où nous n'allons pas. Donnez l'URL finale.
webhook-unresolved = Ce n'est pas pris : le nom est introuvable. Vérifiez son orthographe.
webhook-no-connection = Ce n'est pas pris : personne ne répond là-bas. Vérifiez le nom et le port.
webhook-no-tls = Ce n'est pas pris : le certificat de l'autre côté n'inspire pas confiance, ou il ne parle pas TLS.
webhook-timeout = Ce n'est pas pris : pas de réponse en 10 secondes. Répondez d'abord, travaillez ensuite.
webhook-broken = Ce n'est pas pris : ce qui est revenu n'est pas une réponse de serveur web.

# Sécurité.
security-no-ban = Rien de { $whom } n’est refusé en ce moment. Le blocage est peut-être déjà terminé.

# Ce que deviendrait le courrier pour une destination.
destination-no-delivery = Ce serveur ne remet aucun courrier à d’autres : il n’y a rien à prévoir.
destination-slow = Le DNS a mis trop de temps à répondre. Redemandez dans un instant.
destination-protected = Le courrier pour { $domain } part par TLS ou ne part pas : chaque hôte qui peut le prendre doit le présenter.
destination-protected-relay = Le courrier pour { $domain } passe par { $relay }, par TLS ou pas du tout.
destination-open = Le courrier pour { $domain } part par TLS là où cela fonctionne, et en clair ailleurs : rien n’en demande davantage.
destination-open-relay = Le courrier pour { $domain } passe par { $relay }, et n’a pas à être chiffré jusque-là.
destination-held = Le courrier pour { $domain } attendrait à présent : aucun hôte n’est utilisable. L’envoi est retenté jusqu’à l’expiration.
destination-returned = Le courrier pour { $domain } reviendrait aussitôt.
destination-dane = DANE : TLS, avec un certificat que nomment ses enregistrements TLSA.
destination-dane-unusable = TLS, avec n’importe quel certificat : il a des enregistrements TLSA, mais aucun n’est utilisable.
destination-sts = MTA-STS : TLS, avec un certificat à son nom, d’une autorité que nous connaissons.
destination-sts-testing = MTA-STS, que le domaine ne fait qu’essayer : TLS là où cela fonctionne ; les échecs sont signalés.
destination-sts-testing-unnamed = MTA-STS, que le domaine ne fait qu’essayer : sa politique ne nomme pas cet hôte. TLS là où cela fonctionne ; l’échec est signalé.
destination-required = TLS, avec un certificat à son nom, d’une autorité que nous connaissons : la configuration le demande.
destination-opportunistic = Aucune politique : TLS là où cela fonctionne, avec n’importe quel certificat ; en clair ailleurs.
destination-clear = En clair, comme le dit la configuration.
destination-refused = Non utilisé : le courrier attendrait plutôt que d’y aller.
destination-mode-enforce = Le domaine l’impose : le courrier ne va vers aucun autre hôte, ni vers aucun sans bon certificat.
destination-mode-testing = Le domaine ne fait que l’essayer : les échecs sont signalés, et le courrier part tout de même.
destination-mode-none = Le domaine l’a retirée : elle ne demande rien.
