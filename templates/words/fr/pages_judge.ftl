# « Essayer ce message ».
judge-title = Essayer un message
judge-test = Essayer un message
judge-lead = Ce qu’il adviendrait d’un message s’il arrivait maintenant, et pourquoi. Rien n’en est gardé, personne ne le reçoit et aucun filtre n’en apprend.
judge-again = Juger à nouveau
judge-again-title = Jugé à nouveau
judge-again-lead = Ce qu’il adviendrait de ce message s’il arrivait maintenant. Ce qui en a été fait reste tel quel.
judge-back = Le message
judge-file = Un fichier (.eml)
judge-paste = Ou sa source
judge-paste-help = En entier, en-tête et corps, comme « afficher l’original » la donne. 10 Mo au plus.
judge-recipient = Pour qui
judge-recipient-help = Une adresse d’ici. Le filtre et les règles de sa personne sont consultés.
judge-hop = Quelle ligne Received dit comment il est venu
judge-hop-help = Comptée d’en haut : le message est jugé tel que l’a reçu l’hôte qui a écrit la ligne. 0 le juge tel qu’il est.
judge-peer = Depuis l’adresse
judge-said-help = Ce que vous laissez vide ici et plus bas est pris de cette ligne.
judge-hello = L’hôte se nomme
judge-sender = MAIL FROM
judge-sender-help = Sinon, son Return-Path est pris. Écrivez <> pour un avis, qui n’a pas d’expéditeur.
judge-no-path = <> (un avis)
judge-act = L’essayer
judge-reply = À qui l’apporte, on dit
judge-findings = Ce qu’on en trouve
judge-came = Comment il est censé venir
judge-hops = Les hôtes qui l’ont pris jusqu’ici
judge-hop-number = Ligne
judge-hop-by = Pris par
judge-hop-chosen = jugé tel qu’il est arrivé ici
judge-taken = Il irait où il doit aller : { $copies ->
    [one] dans une boîte
   *[other] dans { $copies } boîtes
}.
judge-junk = Il irait dans les indésirables{ $copies ->
    [one] .
   *[other] , dans les { $copies } boîtes.
}
judge-split = Il irait dans { $copies } boîtes, dont { $junk } aux indésirables.
judge-passed-on = Il serait passé à un autre hôte.
judge-forwards = { $forwards ->
    [one] Une copie irait à un autre hôte.
   *[other] { $forwards } copies iraient à d’autres hôtes.
}
judge-refused = Il serait refusé.
judge-put-off = Il serait remis à plus tard : qui l’apporte peut revenir.
judge-script-fail = Les règles de { $whose } échoueraient : il serait gardé.
judge-script-fail-what = Les règles de { $whose } échoueraient ({ $what }) : il serait gardé.
judge-script-reject = Les règles de { $whose } le refuseraient.
judge-script-reject-what = Les règles de { $whose } le refuseraient : « { $what } ».
judge-script-file = Les règles de { $whose } en rangeraient une copie.
judge-script-file-what = Les règles de { $whose } en rangeraient une copie dans { $what }.
judge-script-redirect = Les règles de { $whose } le feraient suivre.
judge-script-redirect-what = Les règles de { $whose } le feraient suivre à { $what }.
judge-script-write = Les règles de { $whose } écriraient une réponse ou un avis.
judge-script-write-what = Les règles de { $whose } écriraient à { $what }.
judge-script-discard = Les règles de { $whose } le jetteraient.
judge-unseen = Personne n’a regardé de qui vient ce courrier : cette maison n’interroge aucun DNS, ou le message est censé venir de cette machine.
judge-no-message = Collez un message, ou choisissez un fichier.
judge-too-large = Le message dépasse { $most } Mo.
judge-no-hop = Il n’y a pas de telle ligne : il a { $hops ->
    [0] aucune ligne Received
    [one] une ligne Received
   *[other] { $hops } lignes Received
}.
judge-bad-hop = Écrivez un nombre, comme 1.
judge-bad-peer = Ce n’est pas une adresse IP.
judge-no-peer = Aucune ligne Received ne dit l’adresse : dites-la ici.
judge-bad-sender = Ce n’est pas une adresse.
judge-no-sender = Le message n’a pas de Return-Path : dites ici MAIL FROM.
judge-gone = Ce message n’est plus ici, ou n’a jamais été jugé.
judge-no-reception = Cette maison ne prend pas de courrier.
judge-slow = Il a fallu trop de temps pour le savoir. Réessayez dans un instant.
