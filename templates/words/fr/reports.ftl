# Ce que d’autres rapportent du courrier d’un domaine et du TLS vers lui.
reports-none = Aucun rapport n’est arrivé ces trente derniers jours.
reports-only-relayed = Tout ce que d’autres ont rapporté, { $relayed } messages, est passé par des listes ou des redirections.
reports-all-known = { $percent } % alignés ; aucun expéditeur inconnu. { $relayed ->
    [0] {""}
    [one] Un de plus est passé par une liste ou une redirection, et ne compte pas.
   *[other] { $relayed } de plus sont passés par des listes ou des redirections, et ne comptent pas.
}
reports-unknown = { $percent } % alignés ; { $unknown ->
    [one] un expéditeur inconnu
   *[other] { $unknown } expéditeurs inconnus
} : { $names }. { $relayed ->
    [0] {""}
    [one] Un de plus est passé par une liste ou une redirection, et ne compte pas.
   *[other] { $relayed } de plus sont passés par des listes ou des redirections, et ne comptent pas.
}
reports-unknown-more = { $percent } % alignés ; { $unknown } expéditeurs inconnus, dont { $names }. { $relayed ->
    [0] {""}
    [one] Un de plus est passé par une liste ou une redirection, et ne compte pas.
   *[other] { $relayed } de plus sont passés par des listes ou des redirections, et ne comptent pas.
}
reports-unknown-unnamed = { $percent } % alignés ; { $unknown ->
    [one] un expéditeur inconnu.
   *[other] { $unknown } expéditeurs inconnus.
} { $relayed ->
    [0] {""}
    [one] Un de plus est passé par une liste ou une redirection, et ne compte pas.
   *[other] { $relayed } de plus sont passés par des listes ou des redirections, et ne comptent pas.
}
reports-source-others = Beaucoup d’autres adresses, additionnées.
reports-source-own = Ce serveur. Tout est prouvé.
reports-source-own-unaligned = Ce serveur, mais tout n’est pas prouvé : voyez si SPF et DKIM figurent dans le DNS.
reports-source-aligned = Prouvé comme vôtre.
reports-source-forwarded = Une liste de diffusion ou une redirection : les destinataires le disent, ou votre signature s’est brisée en route et la sienne est bonne.
reports-source-provider = Un service par lequel beaucoup envoient. Si vous l’utilisez, configurez-y DKIM pour votre domaine ; sinon quelqu’un emprunte votre nom.
reports-source-unknown = Non prouvé. Si c’est à vous, il manque SPF ou DKIM ; sinon quelqu’un emprunte votre nom, et une politique plus stricte l’arrête.
reports-dmarc-no-policy = Aucun enregistrement DMARC n’a été trouvé. Sans lui, personne n’envoie de rapport et chacun peut emprunter le nom du domaine.
reports-dmarc-too-early = La politique est { $current }. Il y a des rapports de { $days ->
    [one] un jour
   *[other] { $days } jours
} ; avec { $wanted } jours et cinquante messages, l’étape suivante pourra être jugée.
reports-dmarc-not-yet = La politique est { $current }. Seuls { $percent } % sont alignés : une politique plus stricte nuirait à votre courrier. Corrigez d’abord les expéditeurs ci-dessous.
reports-dmarc-unexplained = La politique est { $current }, et { $percent } % sont alignés ; mais un gros expéditeur n’est pas expliqué. Cherchez d’abord s’il est à vous.
reports-dmarc-next = La politique est { $current }, et { $percent } % sont alignés : elle peut devenir { $next }.
reports-dmarc-done = La politique est { $current } : il n’y a rien de plus strict.
reports-tls-none = Aucun rapport sur TLS n’est arrivé ces trente derniers jours.
reports-tls-well = Les { $sessions } sessions rapportées sont toutes passées par TLS comme il se doit.
reports-tls-failures = { $percent } % de { $sessions } sessions sont passées par TLS comme il se doit ; { $failures ->
    [one] une a échoué.
   *[other] { $failures } ont échoué.
}
reports-sts-no-policy = MTA-STS est désactivé : les autres ne sont pas priés d’utiliser TLS.
reports-sts-too-early = MTA-STS est à l’essai. Avec des rapports de { $wanted } jours et cinquante sessions, on pourra juger s’il peut être imposé ; il y a { $days ->
    [one] un jour
   *[other] { $days } jours
}.
reports-sts-not-yet = MTA-STS est à l’essai, et seuls { $percent } % des sessions passent : imposé, il retarderait du courrier. Regardez d’abord les échecs.
reports-sts-unexplained = MTA-STS est à l’essai ; un gros échec n’est pas expliqué.
reports-sts-next = MTA-STS est à l’essai, et { $percent } % des sessions passent : il peut être imposé.
reports-sts-done = MTA-STS est imposé.
