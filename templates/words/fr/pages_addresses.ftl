# Les adresses.
addresses-title = Adresses
addresses-lead = Toutes les adresses de cette maison, et où elles mènent.
addresses-search = Chercher une adresse ou une cible
addresses-try = Essayer une adresse
addresses-none = Pas encore d’adresse
addresses-none-why = Les premières viennent avec les premières personnes.
addresses-more-targets = { $count ->
    [one] et { $count } autre
   *[other] et { $count } autres
}
address-kind = Genre
address-kind-any = Tous les genres
address-kind-person = Personne
address-kind-alias = Alias
address-kind-forward = Transfert
address-kind-catch-all = Fourre-tout
address-kind-domain-alias = Autre nom
address-leads = Mène à
address-is-off = ne reçoit rien
alias-add = Ajouter un alias
alias-add-lead = Une adresse sans boîte aux lettres : ce qui y arrive continue vers d’autres, ici ou ailleurs.
alias-added = { $address } est là.
alias-targets = Où elle mène
alias-targets-help = Une adresse par ligne. Celles d’autres serveurs en font un transfert.
alias-remove = Retirer l’alias
alias-remove-title = Retirer { $address } ?
alias-remove-text = Son courrier sera refusé, sauf si le domaine a une adresse fourre-tout.
alias-goes = Elle ne mène plus à { $target }
alias-removed = { $address } est retirée.
try-lead = Voyez pas à pas où irait le courrier d’une adresse. Rien n’est envoyé.
try-act = Essayer
try-reaches = { $count ->
    [one] Elle atteint { $addresses }
   *[other] Elle atteint { $count } boîtes ou serveurs : { $addresses }
}
try-reaches-nobody = Elle n’atteint personne : son courrier est refusé
try-elsewhere = Ce n’est pas une adresse de cette maison : son courrier part vers son propre serveur
try-mailbox = Une boîte aux lettres de cette maison.
try-suspended = La personne est suspendue : le courrier est refusé.
try-alias = Un alias.
try-catch-all = Personne n’a cette adresse, mais le domaine a une adresse fourre-tout.
try-domain-alias = Un autre nom d’un domaine.
try-other-host = Chez un autre serveur.
try-nobody = Personne n’a cette adresse : le courrier est refusé.
try-disabled = Le domaine est désactivé : le courrier est refusé.
try-circle = Déjà rencontrée : un cercle, qui n’atteint personne de plus.
try-too-far = Trop d’étapes : le courrier est refusé.
try-leads = Elle mène plus loin, à { $targets }.
try-detail = La partie après le +, « { $detail } », est gardée pour les filtres de la personne.
