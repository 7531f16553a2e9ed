# Des mots de plusieurs pages.
about = À propos
added-at = Ajouté
address = Adresse
back = Retour
change = Modifier
choose = Choisir
choose-all = Tout choisir
optional = facultatif
password = Mot de passe
person = Personne
purged-at = Effacé pour de bon
removed-at = Retiré
restore = Restaurer
saved = Enregistré.
shown-once = Ceci n’est affiché qu’une fois
state = État
storage = Stockage
used-at = Dernière utilisation
why = Pourquoi
list-all = Tout afficher
list-back = Retour à la liste
list-domain-any = Tous les domaines
list-here = En service
list-nothing = Rien ne correspond
list-nothing-why = Essayez avec moins de lettres, ou enlevez un filtre.
list-removed = Retirés récemment
list-search = Chercher
limit-none = sans limite
quota-help = Par exemple 5 Go ou 500 Mo. Vide : sans limite.
typed-size = « { $text } » n’est pas une taille. Une taille s’écrit comme 5 Go, 2,5 Go ou 500 Mo.
typed-number = « { $text } » n’est pas un nombre entier.
count-folders = { $count ->
    [one] { $count } dossier
   *[other] { $count } dossiers
}
count-messages = { $count ->
    [one] { $count } message
   *[other] { $count } messages
}
