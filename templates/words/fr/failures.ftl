# Pourquoi quelque chose n'a pas été fait, et que faire.
failure-domain-taken = { $domain } est déjà ici.
failure-address-taken = { $address } existe déjà, comme personne, alias ou liste de diffusion. Choisissez une autre adresse.
failure-domain-not-empty = Le domaine a encore des personnes ({ $accounts }) et des alias ({ $aliases }) : retirez-les d’abord.
failure-unknown-domain = Le domaine { $domain } n’est pas ici.
failure-unknown-address = { $address } n’est pas ici.
failure-unfit = Cela ne convient pas : { $why }.
failure-forbidden = Votre rôle ne le permet pas. Demandez à un propriétaire de cette maison.
failure-stale = Quelqu’un a modifié ceci après que vous l’avez ouvert. Regardez ce qui s’y trouve maintenant, puis réessayez.
failure-unproven = C’est trop important pour une session ouverte depuis un moment : dites de nouveau qui vous êtes.
failure-too-many = Trop d’essais. Réessayez dans { $minutes ->
    [one] une minute
   *[other] { $minutes } minutes
}.
failure-failed = Le serveur n’a pas pu le faire maintenant. Rien n’a changé ; réessayez, et consultez le journal si cela persiste.
failure-bad-address = « { $text } » n’est pas une adresse : { $why }. Une adresse ressemble à ann@example.org.
failure-bad-domain = « { $text } » n’est pas un domaine : { $why }. Un domaine ressemble à example.org.
