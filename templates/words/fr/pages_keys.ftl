# Les clés d’API.
keys-title = Clés d’API
keys-lead = Avec une clé, un programme à vous peut faire ce que vous pouvez faire ici.
keys-own = Les vôtres
keys-all = Celles de tous
keys-none = Pas de clé
keys-none-why = Créez-en une par programme, pour que chacune puisse être révoquée seule.
key-make = Créer une clé
key-make-lead = La clé elle-même est affichée une fois, sur la page suivante.
key-name = Nom
key-name-help = Ce qui l’utilise, par exemple « script de sauvegarde ».
key-role = Rôle
key-role-help = Le plus que la clé puisse faire ; jamais plus que vous.
key-may = Peut
key-scopes = À quoi elle peut servir
key-scopes-help = Modifier une chose, c’est aussi la voir.
key-scope-all = Tout ce que son rôle permet
key-scope-write = modifier { $group }
key-scope-read = voir { $group }
key-group = Partie
key-read = Voir
key-write = Modifier
key-expires = Valable jusqu’à
key-expires-help = Une clé perdue fait moins de mal quand elle expire d’elle-même.
key-for-days = { $count ->
    [one] { $count } jour
   *[other] { $count } jours
}
key-for-good = Pour toujours
key-is-expired = expirée
key-made-lead = La clé est créée.
key-shown-once = Copiez-la maintenant là où elle sert. Si elle se perd, révoquez-la et créez-en une autre.
key-example = L’essayer
key-done = Je l’ai copiée
key-revoke = Révoquer
key-revoke-title = Révoquer « { $name } » ?
key-revoke-text = Ce qui utilise cette clé est refusé aussitôt. Cela ne peut être annulé : un programme qui en a encore besoin reçoit une nouvelle clé.
key-goes-owner = La clé de { $owner }
key-goes-used = Utilisée la dernière fois { $when }, depuis { $from }
key-goes-unused = Elle n’a jamais servi
key-revoked = La clé est révoquée.
