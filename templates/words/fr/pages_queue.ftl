# Les pages de la file d'attente.
queue-page-lead = Le courrier qui reste à remettre à d’autres serveurs. Relais réessaie de lui-même ; regardez ici quand quelque chose tarde.
queue-page-waiting = En attente
queue-page-held = Retenus
queue-page-claimed = En cours d’envoi
queue-page-destinations = Par destination
queue-page-rest = Toutes les autres destinations
queue-page-oldest = Le plus ancien est arrivé
queue-page-search = Chercher dans les adresses et les réponses
queue-page-state = État
queue-page-any = Tous
queue-page-destination = Destination
queue-page-sender = Expéditeur
queue-page-filter = Filtrer
queue-page-unfilter = Tout montrer
queue-page-none = Rien n’attend
queue-page-none-why = Tout le courrier a été remis. Ce qui part vers d’autres serveurs figure ici jusqu’à ce qu’ils l’aient pris.
queue-page-to-messages = Où est mon message ?
queue-page-no-match = Rien de tel n’attend
queue-page-no-match-why = Un autre filtre le trouvera peut-être. Ce qui a été remis ou abandonné figure sous Messages.
queue-page-choose-all = Tout sur cette page
queue-page-choose = Choisir
queue-page-whom = Ce que l’action concerne
queue-page-chosen = Les lignes choisies
queue-page-matching = { $count ->
    [one] La { $count } ligne que cette liste trouve
   *[other] Les { $count } lignes que cette liste trouve
}
queue-page-retry = Essayer maintenant
queue-page-hold = Retenir
queue-page-release = Laisser partir
queue-page-remove = Supprimer
queue-page-caption = Destinataires qui attendent
queue-page-recipient = Destinataire
queue-page-came = Arrivée
queue-page-next = Prochain essai
queue-page-due = Maintenant
queue-page-reply = Dernière réponse
queue-page-from = de
queue-page-not-tried = Pas encore essayé
queue-page-none-chosen = Rien n’a été choisi. Cochez d’abord des lignes, ou choisissez tout ce que la liste trouve.
queue-page-untouched = Rien n’a changé : rien n’était dans un état qui le permette, ou tout est parti entre-temps.
queue-page-retried = { $count ->
    [one] { $count } destinataire est essayé maintenant.
   *[other] { $count } destinataires sont essayés maintenant.
}
queue-page-was-held = { $count ->
    [one] { $count } destinataire est retenu jusqu’à ce que vous le laissiez partir.
   *[other] { $count } destinataires sont retenus jusqu’à ce que vous les laissiez partir.
}
queue-page-released = { $count ->
    [one] { $count } destinataire repart maintenant.
   *[other] { $count } destinataires repartent maintenant.
}
queue-page-removed = { $count ->
    [one] { $count } destinataire a été supprimé.
   *[other] { $count } destinataires ont été supprimés.
}
queue-page-remove-title = { $count ->
    [one] Supprimer { $count } entrée de la file ?
   *[other] Supprimer { $count } entrées de la file ?
}
queue-page-remove-text = Ce courrier ne sera pas remis, et ses expéditeurs n’en sauront rien. C’est sans retour.
queue-page-goes-recipient = Le courrier pour { $recipient }
queue-page-goes-message = Le message { $id }, pour tous ses destinataires qui attendent encore
queue-page-and-more = { $count ->
    [one] et { $count } autre
   *[other] et { $count } autres
}
queue-page-goes-all = Toute la file
queue-page-goes-state = Dans l’état : { $value }
queue-page-goes-destination = Vers les adresses de { $value }
queue-page-goes-sender = De { $value }
queue-page-goes-words = Avec « { $value } » dans une adresse ou la dernière réponse
queue-page-story = Toute l’histoire
queue-page-recipients = Destinataires
queue-page-tries = Essais
queue-page-attempts = Ce qui a été essayé
queue-page-facts = Données
queue-page-size = Taille
queue-page-expires = Abandon
queue-page-id = Identifiant, tel qu’il figure dans Received

# Ce que deviendrait le courrier pour une destination.
destination-page-title = Que ferions-nous ?
destination-page-lead = Où irait à présent le courrier pour une destination, et quelle protection il doit y trouver. Le DNS est interrogé ; rien n’est envoyé.
destination-page-whom = Domaine ou adresse
destination-page-whom-help = Par exemple example.org.
destination-page-look = Regarder
destination-page-hosts = Hôtes, dans l’ordre où ils sont essayés
destination-page-host = Hôte
destination-page-demand = Ce qu’il doit présenter
destination-page-proof = DNSSEC
destination-page-records = Enregistrements DANE
destination-page-proved = Prouvé
destination-page-unproved = Non prouvé
destination-page-unused = Non utilisé
destination-page-dane = TLS, par DANE
destination-page-sts = TLS, par MTA-STS
destination-page-tls = TLS
destination-page-clear = En clair
destination-page-maybe = TLS si possible
destination-page-no-records = Aucun qui compte
destination-page-sts-failed = Une politique MTA-STS est annoncée, mais n’a pas pu être récupérée
destination-page-policy = La politique MTA-STS
destination-page-policy-hosts = Hôtes qu’elle nomme
destination-page-policy-id = Son identifiant
destination-page-policy-fetched = Récupérée
destination-page-policy-ends = Prend fin
destination-page-no-policy = Le domaine n’a pas de politique MTA-STS.
