# Mon compte › Indésirables, et règles sur les expéditeurs.
account-junk = Indésirables
junk-off = La maison ne filtre pas les indésirables
junk-off-why = Ce que vous apprenez au filtre est gardé pour le jour où elle le fera.
junk-filter = Votre filtre
junk-learnt = Il a appris de { $junk ->
    [one] un message que vous avez dit indésirable
   *[other] { $junk } messages que vous avez dits indésirables
}, et de { $ham ->
    [one] un que vous vouliez
   *[other] { $ham } que vous vouliez
}. Déplacez un message dans les indésirables, ou hors d’eux, et il apprend ; de même quand vous répondez.
junk-known = Par ce que vous avez lu et gardé, il connaît { $authors ->
    [one] un expéditeur
   *[other] { $authors } expéditeurs
}, { $signers ->
    [one] un domaine qui signe
   *[other] { $signers } domaines qui signent
} et { $networks ->
    [one] un réseau
   *[other] { $networks } réseaux
}.
junk-forget = Tout oublier
junk-forgotten = Votre filtre recommence à neuf.
junk-code = Vous attendez un code ?
junk-code-why = Les hôtes qui semblent douteux sont priés de revenir dans deux minutes. Si vous attendez un code, laissez entrer tout le monde aussitôt pendant un quart d’heure.
junk-code-begin = J’attends un code
junk-code-begun = Pendant un quart d’heure, personne n’est prié de revenir.
junk-code-waits = Tout le monde entre aussitôt jusqu’à
junk-code-end = Il est arrivé
junk-code-ended = Les hôtes douteux sont priés de revenir.
sender-rules = Expéditeurs
sender-rules-none = Personne n’est accepté ni bloqué par son nom
sender-rules-why = Le filtre décide. Nommez un expéditeur dont le courrier va toujours dans votre boîte de réception, ou toujours dans les indésirables.
sender-rule-sender = Expéditeur
sender-rule-sender-help = Une adresse, comme ann@ami.example, ou un domaine avec tout ce qui est au-dessous, comme nouvelles.example.
sender-rule-says = Ce qui se passe
sender-rule-allow = Accepté
sender-rule-block = Bloqué
sender-rule-allow-long = Toujours dans la boîte de réception, sauf si le nom est usurpé
sender-rule-block-long = Toujours dans les indésirables
sender-rule-add = Nommer un expéditeur
sender-rule-allowed = { $sender } est accepté.
sender-rule-blocked = { $sender } est bloqué.
sender-rule-removed = Le filtre décide à nouveau de { $sender }.
sender-rule-absent = Il n’y a pas de règle sur { $sender }.
sender-rule-bad = Ce n’est ni une adresse ni un domaine.
sender-rule-too-many = Il y a { $most } règles, et on ne peut en garder plus. Retirez-en une d’abord.
sender-rules-search = Chercher un expéditeur
sender-rules-why-all = Le filtre de chacun décide. Nommez un expéditeur dont le courrier entre toujours, ou est toujours refusé ; ce qu’une personne dit pour elle-même passe avant.
sender-rule-block-all = Toujours refusé
sender-rules-of-domain = Qui est toujours accepté ou refusé pour toutes les personnes de ce domaine.
sender-rules-of-house = Qui est toujours accepté ou refusé pour toutes les personnes de cette maison.
