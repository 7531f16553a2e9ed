# Les domaines.
domains-title = Domaines
domains-lead = Les noms après le @ pour lesquels cette maison reçoit le courrier.
domains-add = Ajouter un domaine
domains-add-lead = Le courrier pour ses adresses est reçu dès qu’il est là.
domains-added = { $domain } est là. Ajoutez maintenant des personnes, ou des alias.
domains-none = Pas encore de domaine
domains-none-why = Un domaine est le nom après le @. Avec le premier, personnes et adresses peuvent suivre.
domains-none-removed = Rien n’a été retiré
domains-none-removed-why = Un domaine retiré attend ici 30 jours, avec tout son courrier, et peut être restauré.
domains-search = Chercher un domaine
domain-name = Domaine
domain-name-help = Par exemple example.org. Les lettres de toute écriture conviennent.
domain-description = Description
domain-description-help = Pour ceux qui s’occupent de cette maison ; personne d’autre ne la voit.
domain-is-enabled = en service
domain-is-disabled = désactivé
domain-people = Personnes
domain-aliases = Alias
domain-settings = Réglages
domain-catch-all = Adresse fourre-tout
domain-catch-all-help = Reçoit le courrier pour les adresses de ce domaine que personne n’a. Vide : ce courrier est refusé, ce qui écarte beaucoup de pourriels.
domain-postmaster = Postmaster
domain-postmaster-help = Qui lit ce que d’autres serveurs écrivent à postmaster@. Vide : la personne qui est là depuis le plus longtemps.
domain-quota = Stockage d’une nouvelle personne
domain-max-people = Personnes au plus
domain-max-people-help = Vide : sans limite.
domain-tenant = Locataire
domain-tenant-help = Les domaines qui ont ici le même mot sont du même locataire. On ne partage des dossiers qu’avec les personnes de son propre locataire. Vide : de la maison même.
domain-names = Autres noms
domain-names-lead = Des domaines qui mènent ici : ann@ d’un autre nom est ann@ de celui-ci.
domain-name-other = Un autre nom
domain-name-other-help = Par exemple example.com. Il n’aura pas de personnes à lui.
domain-name-add = Ajouter le nom
domain-name-added = { $domain } mène désormais ici.
domain-name-remove = Retirer le nom
domain-name-remove-title = Retirer { $domain } ?
domain-name-remove-text = Le courrier pour ses adresses sera refusé. { $domain } et tout ce qui s’y trouve restent.
domain-name-removed = { $domain } ne mène plus nulle part.
domain-ascii = Dans le DNS
domain-disable = Désactiver
domain-enable = Activer
domain-disable-title = Désactiver { $domain } ?
domain-disable-text = Son courrier et les connexions de ses personnes sont refusés jusqu’à ce qu’il soit réactivé. Rien n’est effacé.
domain-disable-people = { $count ->
    [0] Personne n’est enfermé dehors
    [one] { $count } personne ne peut plus se connecter
   *[other] { $count } personnes ne peuvent plus se connecter
}
domain-disable-aliases = { $count ->
    [0] Aucun alias ne s’arrête
    [one] { $count } alias s’arrête
   *[other] { $count } alias s’arrêtent
}
domain-disabled = { $domain } est désactivé : son courrier est refusé.
domain-enabled = { $domain } est de nouveau en service.
domain-disabled-title = Ce domaine est désactivé
domain-disabled-text = Son courrier et les connexions de ses personnes sont refusés. Rien n’est effacé.
domain-remove = Retirer le domaine
domain-remove-title = Retirer { $domain } ?
domain-remove-text = Son courrier est refusé aussitôt. Il peut être restauré avec tout ce qui s’y trouve pendant un temps ; il est effacé pour de bon { $until }.
domain-goes-people = { $count ->
    [0] Aucune personne
    [one] { $count } personne
   *[other] { $count } personnes
}
domain-goes-messages = { $count ->
    [one] { $count } message, { $size }
   *[other] { $count } messages, { $size }
}
domain-goes-aliases = { $count ->
    [0] Aucun alias
    [one] { $count } alias
   *[other] { $count } alias
}
domain-goes-names = { $count ->
    [0] Aucun autre nom
    [one] { $count } autre nom
   *[other] { $count } autres noms
}
domain-removed = { $domain } est retiré. Il peut être restauré pendant 30 jours.
domain-restored = { $domain } est de retour, avec tout ce qui s’y trouvait.
domain-reports-lead = Ce que d’autres disent du courrier au nom de ce domaine.
domain-senders-lead = Qui est toujours accepté ou refusé pour tout ce domaine.
domain-quota-all = Stockage de toutes ses personnes ensemble
domain-quota-all-help = Par exemple 50 Go. Une fois plein, le courrier de toutes est refusé. Vide : pas de limite.
domain-quota-messages = Messages de toutes ses personnes ensemble
domain-quota-messages-help = Vide : pas de limite.
