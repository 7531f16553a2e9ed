# De qui vient un message : pourquoi un contrôle a donné tel résultat (SPF, DKIM, DMARC, ARC), et ce qui a été fait.
auth-unanswered = Le DNS n’a pas répondu pour { $name }.

auth-iprev-pass = Le nom du serveur expéditeur, { $name }, ramène à son adresse.
auth-iprev-fail = Le nom du serveur expéditeur, { $name }, ne ramène pas à son adresse.
auth-iprev-no-name = L’adresse du serveur expéditeur ne porte aucun nom.
auth-iprev-unanswered = Le DNS n’a pas répondu pour le nom du serveur expéditeur.

auth-spf-no-domain = Il n’y a pas de domaine dont l’enregistrement puisse être lu.
auth-spf-no-record = Le domaine ne dit pas quels serveurs peuvent envoyer en son nom.
auth-spf-matched = « { $term } » dans l’enregistrement de { $domain } désigne ce serveur.
auth-spf-nothing-matched = L’enregistrement de { $domain } ne parle pas de ce serveur.
auth-spf-several = { $name } a plusieurs enregistrements SPF, alors qu’un seul est permis.
auth-spf-malformed = L’enregistrement de { $domain } est illisible à « { $term } ».
auth-spf-leads-nowhere = L’enregistrement renvoie à { $name }, qui n’en a pas.
auth-spf-lookups = L’enregistrement demande plus de dix recherches ; « { $term } » était de trop.
auth-spf-voids = L’enregistrement cite des noms qui n’existent pas ; { $name } était de trop.
auth-spf-hosts = { $name } a plus de dix serveurs de courrier, trop pour les interroger.

auth-dkim-none = Personne n’a signé le message.
auth-dkim-good = Le message est tel qu’il a été signé.
auth-dkim-sha1 = La signature emploie SHA-1, qui n’est plus sûr.
auth-dkim-from-unsigned = La signature ne couvre pas le nom de l’auteur.
auth-dkim-identity = La signature parle pour quelqu’un d’un autre domaine que le sien.
auth-dkim-identity-below = La clé n’est pas faite pour les noms sous son domaine.
auth-dkim-unreadable = La signature est illisible à « { $culprit } ».
auth-dkim-expired = La signature a expiré.
auth-dkim-body-changed = Le texte a été modifié après la signature.
auth-dkim-header-changed = L’en-tête a été modifié après la signature, ou une autre clé l’a signé.
auth-dkim-body-unsigned = { $octets ->
    [one] Le dernier octet du texte n’est pas signé : n’importe qui a pu l’ajouter.
   *[other] Les { $octets } derniers octets du texte ne sont pas signés : n’importe qui a pu les ajouter.
}
auth-dkim-key-missing = Il n’y a pas de clé à { $name }.
auth-dkim-key-revoked = La clé à { $name } a été retirée.
auth-dkim-key-short = La clé à { $name } a { $bits } bits, trop peu pour s’y fier.
auth-dkim-key-unusable = Ce qui se trouve à { $name } n’est pas une clé pour cette signature.

auth-dmarc-no-author = L’adresse de l’auteur est illisible.
auth-dmarc-several-authors = Le message nomme des auteurs de plusieurs domaines : { $domains }.
auth-dmarc-no-record = Le domaine de l’auteur ne dit pas que faire des contrefaçons.
auth-dmarc-no-policy = Le domaine de l’auteur a un enregistrement qui ne dit rien des contrefaçons.
auth-dmarc-by-dkim = { $domain } a signé le message et s’en porte garant.
auth-dmarc-by-spf = Le message vient d’un serveur de { $domain }, qui s’en porte garant.
auth-dmarc-nothing-passed = Personne ne se porte garant du message.
auth-dmarc-others-passed = D’autres que l’auteur se portent garants du message : { $domains }.

auth-arc-none = Personne n’a scellé le message en chemin.
auth-arc-good = Tous les sceaux posés en chemin sont intacts.
auth-arc-too-many = Le message porte plus de cinquante sceaux.
auth-arc-gap = Il manque un sceau : un champ { $field } est absent, ou présent deux fois.
auth-arc-unreadable = Le champ { $field } numéro { $instance } est illisible.
auth-arc-broken-before = Le sceau numéro { $instance } dit que les sceaux précédents étaient rompus.
auth-arc-message = Le message a été modifié après que le relais numéro { $instance } l’a scellé.
auth-arc-seal = Le sceau numéro { $instance } est rompu.
auth-arc-unanswered = Le DNS n’a pas répondu pour { $name }, la clé du sceau numéro { $instance }.

auth-dispose-passed = Le domaine de l’auteur se porte garant du message.
auth-dispose-no-policy = Il n’y a pas de politique à suivre.
auth-dispose-unanswered = Le DNS n’a pas répondu ; rien n’a été retenu contre le message.
auth-dispose-policy = { $policy ->
    [reject] La politique de { $domain } demande de refuser ce dont il ne se porte pas garant.
    [quarantine] La politique de { $domain } demande de traiter comme indésirable ce dont il ne se porte pas garant.
   *[none] La politique de { $domain } ne demande que des rapports.
}
auth-dispose-testing = { $policy ->
    [reject] La politique de { $domain } demande un refus, mais elle est à l’essai : le message est traité comme indésirable.
   *[other] La politique de { $domain } demande de le traiter comme indésirable, mais elle est à l’essai : rien n’a été retenu contre le message.
}
auth-dispose-list = { $policy ->
    [reject] La politique de l’auteur demande un refus, mais le message est passé par la liste de diffusion { $list }, connue ici.
   *[other] La politique de l’auteur demande de le traiter comme indésirable, mais le message est passé par la liste de diffusion { $list }, connue ici.
}
auth-dispose-sealer = { $policy ->
    [reject] La politique de l’auteur demande un refus, mais { $sealer }, digne de confiance ici, a vu que l’auteur se portait garant du message.
   *[other] La politique de l’auteur demande de le traiter comme indésirable, mais { $sealer }, digne de confiance ici, a vu que l’auteur se portait garant du message.
}

auth-judge-dkim-good = Le message est tel que { $domain } l’a signé.
auth-judge-only-marks = Cette maison ne fait que marquer de tels messages (réglage trust.dmarc) : rien n’a été fait.
