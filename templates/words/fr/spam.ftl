# Pourquoi un message est indésirable, ou non.
spam-above-bar = Il ressemble à un indésirable : { $score } points, quand { $bar } suffisent.
spam-listed = La liste noire { $list } nomme { $named }.
spam-link-listed = Un lien mène à { $named }, que nomme la liste noire { $list }.
spam-disowned = Le domaine de l’expéditeur dit que cet hôte ne peut envoyer son courrier.
spam-greylisted = L’hôte n’a pas de vrai nom et n’est jamais venu : il est prié de revenir dans { $minutes ->
    [one] une minute
   *[other] { $minutes } minutes
}.
spam-known-address = Vous avez déjà écrit à cet expéditeur.
spam-known-domain = Vous avez déjà écrit à quelqu’un de ce domaine.
spam-read-author = Vous avez lu et gardé { $messages ->
    [one] un message
   *[other] { $messages } messages
} de cet expéditeur.
spam-read-signer = Vous avez lu et gardé { $messages ->
    [one] un message
   *[other] { $messages } messages
} avec la signature de ce domaine.
spam-read-network = Vous avez lu et gardé { $messages ->
    [one] un message
   *[other] { $messages } messages
} venus de ce réseau.
spam-not-sent-on = Il n’a pas été réexpédié : { $score } points, et rien ne quitte cette maison à partir de { $bar }, car les autres la prendraient pour l’expéditeur.
spam-blocked = { $sender } est bloqué { $scope ->
    [own] par la personne
    [domain] pour tout le domaine
   *[house] pour toute la maison
}.
spam-allowed = { $sender } est accepté { $scope ->
    [own] par la personne
    [domain] pour tout le domaine
   *[house] pour toute la maison
}, et passe donc.
spam-allowed-forged = { $sender } est accepté, mais rien ne prouve que ce message soit de lui : le filtre décide.
spam-words-junk = Dans les indésirables, on trouve { $words }.
spam-words-good = Dans le bon courrier, on trouve { $words }.
spam-words-own-junk = Dans ce que cette personne dit indésirable, on trouve { $words }.
spam-words-own-good = Dans ce que cette personne veut, on trouve { $words }.
spam-sign-address-in-name = Le nom montre l’adresse { $shown }, mais { $author } l’envoie.
spam-sign-domain-in-name = Le nom montre { $shown }, mais { $author } l’envoie.
spam-sign-look-alike = { $domain } est fait pour ressembler à { $known }.
spam-sign-mixed-scripts = { $domain } mêle des alphabets pour ressembler à un autre nom.
spam-sign-hidden-text = { $words ->
    [one] Un mot est là
   *[other] { $words } mots sont là
} que personne ne voit.
spam-sign-link-mismatch = Un lien montre { $shown } et mène à { $leads_to }.
spam-sign-program = La pièce jointe { $name } est un programme.
spam-sign-disguised-name = La pièce jointe { $name } cache ce qu’elle est.
spam-sign-macros = Le document { $name } contient des macros.
spam-sign-locked-archive = L’archive { $name } est verrouillée : personne n’a pu y regarder.
spam-sign-date-ahead = Il est daté { $days ->
    [one] d’un jour
   *[other] de { $days } jours
} en avance.
spam-sign-date-behind = Il date d’il y a { $days ->
    [one] un jour
   *[other] { $days } jours
}.
# Refusé avant que personne ne le juge.
refused-circles = Le message tourne en rond : il est passé par trop d’hôtes, ou trop souvent par celui-ci.
refused-script = Les règles du destinataire refusent le message.
refused-author = { $address } ne peut écrire au nom qui figure dans From ou Sender.
refused-size = Le message est plus grand que ce que prend cette maison.
refused-form = Le message n’est pas un texte fait de lignes, comme le courrier le veut.
refused-full = La boîte est pleine.
refused-limits = Le compte a envoyé autant qu’il le peut pour l’instant, ou le message va à plus de personnes qu’il ne peut en toucher.
refused-closed = Le compte a été fermé à tous ceux qui y étaient connectés ; son titulaire doit se reconnecter.
refused-larger = Le message est plus grand que la boîte ne peut l’être.
refused-unserved = L’adresse ne mène à personne qui puisse le prendre.
refused-recipient = L’adresse ne prend aucun courrier de là.
