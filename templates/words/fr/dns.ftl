# Enregistrements DNS et contrôles : à quoi chacun sert, son état, la raison, et ce qu’il faut faire (-advice).
dns-verdict-good = Bon
dns-verdict-better = Peut être amélioré
dns-verdict-unknown = Pas encore certain
dns-verdict-wrong = Faux
dns-need-must = Nécessaire
dns-need-should = Recommandé
dns-need-nice = Utile
dns-proof-secure = Prouvé par DNSSEC
dns-proof-insecure = Non signé
dns-proof-bogus = Signature fausse
dns-proof-unknown = Non prouvé
dns-purpose-host-address = Adresse de ce serveur
dns-purpose-reverse-name = Nom de l’adresse de ce serveur
dns-purpose-mx = Le courrier arrive ici
dns-purpose-spf = Qui peut envoyer (SPF)
dns-purpose-host-spf = Avis de ce serveur lui-même (SPF)
dns-purpose-dkim = Clé des signatures (DKIM)
dns-purpose-dmarc = Ce que les autres font des faux (DMARC)
dns-purpose-mta-sts = Le chiffrement est promis (MTA-STS)
dns-purpose-mta-sts-host = Où cette promesse se lit (MTA-STS)
dns-purpose-tls-reports = Rapports sur le chiffrement (TLS-RPT)
dns-purpose-dane = Certificat du port 25 (DANE)
dns-purpose-service = Les logiciels trouvent le serveur
dns-purpose-autoconfig = Configuration de Thunderbird et d’autres
dns-purpose-autodiscover = Configuration d’Outlook
dns-purpose-issuer = Qui peut émettre des certificats (CAA)
dns-check-reverse-confirmed = L’adresse et le nom mènent l’un à l’autre
dns-check-spf-result = Ce que les destinataires tirent de SPF
dns-check-wildcards = Noms que personne n’a créés
dns-check-dnssec = DNSSEC
dns-check-port-in = Le port 25, vu par les autres
dns-check-port-out = Le port 25 vers l’extérieur
dns-check-policy-file = La promesse de chiffrement, lue par les autres
dns-check-blocklist = Listes noires

dns-good = Tout est en ordre.
dns-good-advice = Il n’y a rien à faire.
dns-missing = Cet enregistrement manque.
dns-missing-advice = Publiez-le tel qu’il figure à côté.
dns-servfail = Les serveurs de noms répondent par une erreur (SERVFAIL).
dns-servfail-advice = Cherchez une faute dans la zone chez votre fournisseur DNS ; si vous n’y avez rien changé, attendez quelques minutes et vérifiez de nouveau.
dns-refused = Les serveurs de noms refusent de répondre pour ce nom.
dns-refused-advice = Les serveurs de noms inscrits au registre doivent servir la zone : vérifiez-les chez votre bureau d’enregistrement et chez votre fournisseur DNS.
dns-timeout = Les serveurs de noms n’ont pas répondu à temps.
dns-timeout-advice = Vérifiez de nouveau dans quelques minutes. Si rien ne change, demandez à votre fournisseur DNS.
dns-bogus = La signature de cette réponse est fausse (DNSSEC) : ceux qui la vérifient ne voient rien du tout.
dns-bogus-advice = Chez votre bureau d’enregistrement, l’enregistrement DS doit correspondre aux clés de la zone. Faites signer la zone à nouveau par votre fournisseur DNS, ou retirez l’enregistrement DS.
dns-broken = Le DNS n’a pas pu être interrogé.
dns-broken-advice = Voyez si cette machine atteint son résolveur, puis vérifiez de nouveau.
dns-spreading = Vos serveurs de noms ont la bonne valeur ; le reste du monde garde encore l’ancienne. { $minutes ->
    [one] Cela passe en une minute.
   *[other] Cela passe en { $minutes } minutes.
}
dns-spreading-advice = { $minutes ->
    [one] Attendez une minute, puis vérifiez de nouveau. Il n’y a rien à changer.
   *[other] Attendez jusqu’à { $minutes } minutes, puis vérifiez de nouveau. Il n’y a rien à changer.
}
dns-spreading-soon = Vos serveurs de noms ont la bonne valeur ; le reste du monde se souvient encore qu’elle manquait.
dns-spreading-soon-advice = Attendez ; cela passe en une heure ou deux. Il n’y a rien à changer.
dns-fading = Le reste du monde voit encore la bonne valeur, mais vos serveurs de noms ne l’ont plus. { $minutes ->
    [one] Dans une minute elle aura disparu partout.
   *[other] Dans { $minutes } minutes elle aura disparu partout.
}
dns-fading-advice = Remettez-la chez votre fournisseur DNS avant { $minutes ->
    [one] une minute
   *[other] { $minutes } minutes
}.
dns-servers-differ = Vos serveurs de noms se contredisent : { $server } dit autre chose que les autres.
dns-servers-differ-advice = Si vous venez de changer la zone, attendez que tous les serveurs l’aient. Sinon, dites à votre fournisseur DNS que { $server } est en retard.
dns-server-silent = L’un de vos serveurs de noms, { $server }, n’a pas de réponse ; les autres en ont.
dns-server-silent-advice = Interrogez votre fournisseur DNS sur { $server }, ou retirez-le de la liste chez votre bureau d’enregistrement.
dns-ttl-long = Les autres gardent cet enregistrement pendant { $hours } heures : chaque changement prendra autant de temps.
dns-ttl-long-advice = Mettez son TTL à 3600 (une heure).
dns-slow = La réponse a pris { $millis } millisecondes ; certains destinataires n’attendent pas si longtemps.
dns-slow-advice = Vérifiez de nouveau. Si cela reste lent, demandez à votre fournisseur DNS, ou voyez le résolveur de cette machine.
dns-doubled = { $count } enregistrements de ce genre se trouvent ici, et un seul est permis : les autres n’en lisent alors aucun.
dns-doubled-advice = Retirez-les tous sauf un, et donnez à celui-ci la valeur qui figure à côté.
dns-wrong-host = Il mène ailleurs : { $found }.
dns-wrong-host-advice = Remplacez-le par celui qui figure à côté.
dns-other-addresses = Il mène ici, mais aussi ailleurs : { $found }. Une partie du courrier y va.
dns-other-addresses-advice = Retirez les autres ; ou, si ce sont des adresses de ce serveur, ajoutez-les à ses réglages.
dns-alias-host = Le nom du serveur n’est qu’un alias (CNAME) de { $target } ; le courrier ne doit pas être mené à un alias.
dns-alias-host-advice = Retirez le CNAME, et publiez les adresses qui figurent à côté.
dns-alias-domain = Le domaine n’est qu’un alias (CNAME) de { $target }, et ne peut donc avoir d’enregistrements à lui : ni MX, ni SPF.
dns-alias-domain-advice = Remplacez le CNAME par des enregistrements A et AAAA avec les adresses où il mène.
dns-reverse-missing = L’adresse ne porte pas de nom. Beaucoup de destinataires refusent le courrier pour cela.
dns-reverse-missing-advice = Réglez le nom inverse (PTR) de l’adresse là où vous louez le serveur, d’ordinaire dans ses réglages de réseau ; votre fournisseur DNS ne le peut pas.
dns-reverse-wrong = L’adresse porte un autre nom : { $found }. Beaucoup de destinataires refusent le courrier pour cela.
dns-reverse-wrong-advice = Réglez le nom inverse (PTR) de l’adresse là où vous louez le serveur, d’ordinaire dans ses réglages de réseau ; votre fournisseur DNS ne le peut pas.
dns-reverse-several = L’adresse porte { $count } noms ; certains destinataires n’en regardent qu’un.
dns-reverse-several-advice = Gardez celui qui figure à côté, là où vous louez le serveur.
dns-reverse-open = L’adresse porte le nom { $name }, mais ce nom ne ramène pas à elle. Beaucoup de destinataires refusent le courrier pour cela.
dns-reverse-open-advice = Publiez l’adresse au nom { $name }, ou donnez à l’adresse, là où vous louez le serveur, le nom de ce serveur.
dns-null-mx = Le domaine dit qu’il ne prend aucun courrier (un « MX nul ») : il était garé.
dns-null-mx-advice = Retirez cet enregistrement MX, et publiez celui qui figure à côté.
dns-null-mx-beside = À côté de ses serveurs, le domaine dit qu’il ne prend aucun courrier (un « MX nul »).
dns-null-mx-beside-advice = Retirez l’enregistrement MX dont le serveur est un simple point.
dns-mx-address = L’enregistrement MX nomme une adresse, { $found } ; il doit nommer un serveur.
dns-mx-address-advice = Remplacez-le par celui qui figure à côté.
dns-mx-elsewhere = Le courrier du domaine va ailleurs : { $found }.
dns-mx-elsewhere-advice = Quand vous voudrez que le courrier vienne ici, remplacez ces enregistrements MX par celui qui figure à côté.
dns-mx-others-first = Le courrier va d’abord à d’autres : { $found }. Ce qu’ils prennent n’arrive jamais ici.
dns-mx-others-first-advice = Retirez leurs enregistrements MX, ou donnez-leur un nombre plus grand que le nôtre s’ils gardent le courrier pour ce serveur.
dns-mx-others = Quand ce serveur ne répond pas, le courrier va à { $found }.
dns-mx-others-advice = Si ces serveurs ne transmettent pas le courrier à celui-ci, retirez leurs enregistrements MX : ce qu’ils prennent serait perdu pour vous.
dns-spf-malformed = Les destinataires ne peuvent pas lire « { $term } » dans l’enregistrement SPF, et l’ignorent tout entier.
dns-spf-malformed-advice = Corrigez-le, ou publiez l’enregistrement qui figure à côté.
dns-spf-misspelt = Un enregistrement voudrait être SPF et ne l’est pas : « { $found } ». Il doit commencer par « v=spf1 » et une espace.
dns-spf-misspelt-advice = Remplacez-le par celui qui figure à côté.
dns-spf-open = L’enregistrement SPF permet à tout le monde d’envoyer au nom du domaine (« +all »).
dns-spf-open-advice = Publiez l’enregistrement qui figure à côté, avec « ~all » ou « -all » à la fin.
dns-spf-no-all = L’enregistrement SPF ne dit pas que penser de tous les autres.
dns-spf-no-all-advice = Ajoutez « ~all » à la fin.
dns-spf-unreached = « { $term } » se trouve derrière « all », où personne ne le lit.
dns-spf-unreached-advice = Mettez-le avant « all ».
dns-spf-ptr = L’enregistrement SPF emploie « ptr », qui est lent, et que certains destinataires ignorent.
dns-spf-ptr-advice = Nommez plutôt les serveurs par « a: », « ip4: » ou « ip6: ».
dns-spf-fails = Les destinataires ne laisseraient pas passer le courrier venant de { $address } : l’enregistrement SPF dit « { $result } ».
dns-spf-fails-advice = Publiez l’enregistrement SPF qui figure à côté : il permet à ce serveur d’envoyer, et garde ce qui s’y trouvait.
dns-spf-lookups = L’enregistrement SPF demande { $count } recherches, et 10 seulement sont permises : les destinataires l’ignorent alors tout entier.
dns-spf-lookups-advice = Retirez les « include: » des services qui n’envoient plus pour vous, ou remplacez des noms par des adresses (« ip4: », « ip6: »).
dns-spf-voids = { $count } noms de l’enregistrement SPF ne mènent à rien, et 2 seulement sont permis : les destinataires l’ignorent alors tout entier.
dns-spf-voids-advice = Retirez les noms qui n’existent plus.
dns-spf-broken = L’enregistrement SPF ne peut pas être suivi : à { $culprit }, quelque chose manque ou ne peut être lu.
dns-spf-broken-advice = Retirez ou corrigez ce qui mène à { $culprit }.
dns-spf-later = L’enregistrement SPF n’a pas pu être suivi : { $culprit } n’a pas répondu.
dns-spf-later-advice = Vérifiez de nouveau dans quelques minutes.
dns-dkim-truncated = La clé a été coupée : { $have } caractères sur { $want } s’y trouvent. Aucune signature ne peut être vérifiée avec elle.
dns-dkim-truncated-advice = Le formulaire de votre fournisseur prend trop peu de caractères à la fois : entrez la valeur découpée en chaînes de 255, comme elle est proposée à côté.
dns-dkim-malformed = Les destinataires ne peuvent pas lire la clé : « { $culprit } » manque ou est faux.
dns-dkim-malformed-advice = Remplacez-la par celle qui figure à côté ; veillez à ne rien perdre en copiant.
dns-dkim-other = Une autre clé se trouve ici que celle avec laquelle ce serveur signe.
dns-dkim-other-advice = Remplacez-la par celle qui figure à côté. Si un autre service signe avec l’ancienne, donnez à ce serveur une clé d’un autre nom.
dns-dkim-revoked = L’enregistrement dit que la clé a été retirée.
dns-dkim-revoked-advice = Remplacez-le par celui qui figure à côté.
dns-dkim-testing = L’enregistrement dit que les signatures ne sont qu’à l’essai (« t=y »).
dns-dkim-testing-advice = Ôtez « t=y ».
dns-dmarc-malformed = Les destinataires ne peuvent pas lire l’enregistrement DMARC : « { $culprit } » manque ou est faux.
dns-dmarc-malformed-advice = Remplacez-le par celui qui figure à côté.
dns-dmarc-weak = L’enregistrement DMARC demande « { $found } » ; vous voulez « { $wanted } ».
dns-dmarc-weak-advice = Quand les rapports montreront que tout votre courrier passe, publiez l’enregistrement qui figure à côté.
dns-dmarc-percent = L’enregistrement DMARC ne vaut que pour { $percent } faux messages sur 100 (« pct= »).
dns-dmarc-percent-advice = Quand les rapports montreront que tout votre courrier passe, publiez l’enregistrement qui figure à côté.
dns-dmarc-no-reports = Personne ne reçoit de rapports sur les faux.
dns-dmarc-no-reports-advice = Ajoutez le « rua= » qui figure à côté.
dns-sts-malformed = L’« id= » de l’enregistrement manque ou contient autre chose que des lettres et des chiffres : les expéditeurs l’ignorent.
dns-sts-malformed-advice = Remplacez-le par celui qui figure à côté.
dns-sts-id-old = L’enregistrement nomme la version { $found } de la règle, et c’est maintenant { $wanted } : les expéditeurs ne remarquent pas le changement.
dns-sts-id-old-advice = Publiez l’enregistrement qui figure à côté.
dns-tls-reports-malformed = L’enregistrement ne nomme personne à qui envoyer les rapports.
dns-tls-reports-malformed-advice = Remplacez-le par celui qui figure à côté.
dns-tlsa-stale = Aucun enregistrement TLSA ne correspond à la clé que montre ce serveur : les expéditeurs qui vérifient n’envoient plus rien.
dns-tlsa-stale-advice = Publiez tout de suite les enregistrements qui figurent à côté, ou retirez ceux qui s’y trouvent.
dns-tlsa-coming = La clé que ce serveur emploiera ensuite n’est pas encore publiée.
dns-tlsa-coming-advice = Publiez-la à côté de la présente, avant que le certificat ne soit renouvelé.
dns-tlsa-unproven = L’enregistrement TLSA n’est pas prouvé par DNSSEC : personne ne le regarde.
dns-tlsa-unproven-advice = Faites signer la zone du serveur par votre fournisseur DNS.
dns-srv-off = L’enregistrement dit que le domaine n’a pas ce service.
dns-srv-off-advice = Remplacez-le par celui qui figure à côté.
dns-srv-port = L’enregistrement nomme le port { $found } ; c’est le { $wanted }.
dns-srv-port-advice = Remplacez-le par celui qui figure à côté.
dns-caa-forbids = Seuls ceux-ci peuvent émettre des certificats pour le domaine : { $found }. L’autorité de ce serveur n’en fait pas partie.
dns-caa-forbids-advice = Publiez l’enregistrement qui figure à côté, en plus de ceux qui s’y trouvent.
dns-wildcard = Des noms que personne n’a créés ont des enregistrements : { $found }. Un enregistrement manquant semble alors être là, avec une valeur fausse.
dns-wildcard-advice = Retirez l’enregistrement générique, ou créez un à un les noms que vous employez.
dns-unsigned = La zone n’est pas signée (DNSSEC) : qui tient le réseau en chemin peut changer ces enregistrements.
dns-unsigned-advice = Si votre fournisseur DNS et votre bureau d’enregistrement le peuvent, faites signer la zone. Chez beaucoup, c’est un clic.
dns-unproven-here = Le résolveur de cette machine ne montre pas les signatures ; on ne peut rien dire de DNSSEC.
dns-unproven-here-advice = Donnez à cette machine un résolveur qui connaît DNSSEC, tel unbound sur la machine même.
dns-smtp-refused = Personne n’écoute au port 25 de { $address }.
dns-smtp-refused-advice = Voyez si le port 25 de ce serveur est ouvert, et si un pare-feu ou un routeur le mène ici.
dns-smtp-timeout = Personne ne répond au port 25 de { $address }, du moins pas à ce serveur lui-même.
dns-smtp-timeout-advice = Si le serveur est derrière un routeur, envoyez-lui un message d’ailleurs pour en être sûr. Sinon, ouvrez le port 25 dans le pare-feu, ou demandez là où vous louez le serveur.
dns-smtp-strange = Ce qui répond au port 25 n’est pas un serveur de courrier : « { $found } ».
dns-smtp-strange-advice = Voyez quel programme ou appareil tient le port 25 à cette adresse.
dns-smtp-other-host = Un autre serveur répond au port 25 : { $found }.
dns-smtp-other-host-advice = Voyez à quelle machine mène l’adresse, ou quel programme tient ici le port 25.
dns-smtp-no-starttls = Le serveur au port 25 n’offre pas de chiffrement (STARTTLS).
dns-smtp-no-starttls-advice = Cherchez un pare-feu qui filtre le courrier : certains cachent STARTTLS. Désactivez cela.
dns-smtp-tls-failed = La connexion chiffrée au port 25 échoue : { $error }.
dns-smtp-tls-failed-advice = Voyez le certificat du serveur, et cherchez un pare-feu qui filtre le courrier.
dns-smtp-names = Le certificat du port 25 est pour d’autres noms : { $found }.
dns-smtp-names-advice = Obtenez un certificat au nom de ce serveur, à la page des certificats.
dns-smtp-untrusted = Les autres ne se fient pas au certificat du port 25 : { $error }.
dns-smtp-untrusted-advice = Obtenez un certificat d’une autorité, à la page des certificats.
dns-policy-elsewhere = Cela n’a pas été essayé, car le nom de la règle ne mène pas encore à ce serveur.
dns-policy-elsewhere-advice = Réparez d’abord l’enregistrement du nom de la règle.
dns-policy-unreachable = La règle ne peut pas être lue : { $error }.
dns-policy-unreachable-advice = Voyez si le port 443 est ouvert et mène à ce serveur.
dns-policy-certificate = La règle ne peut pas être lue, car son nom n’a pas de bon certificat : { $error }.
dns-policy-certificate-advice = Obtenez un certificat pour ce nom, à la page des certificats.
dns-policy-status = La règle ne peut pas être lue : le serveur web répond { $status }, et seul 200 compte.
dns-policy-status-advice = Voyez quel serveur web tient le port 443 à ce nom ; ce doit être celui-ci, sans redirection.
dns-policy-malformed = Ce qui est lu n’est pas une règle : « { $culprit } » manque ou est faux.
dns-policy-malformed-advice = Voyez quel serveur web tient le port 443 à ce nom ; ce doit être celui-ci.
dns-policy-differs = La règle qui est lue est plus ancienne, ou c’est une autre.
dns-policy-differs-advice = Voyez si un cache ou un autre serveur se trouve devant celui-ci.
dns-policy-lacks-us = La règle qui est lue ne nomme pas ce serveur : les expéditeurs qui la suivent n’envoient rien ici.
dns-policy-lacks-us-advice = Voyez quel serveur web tient le port 443 à ce nom, et corrigez tout de suite sa règle.
dns-outbound-blocked = Aucun serveur de courrier n’a pu être atteint au port 25 : aucun courrier ne peut partir d’ici.
dns-outbound-blocked-advice = La plupart des loueurs de serveurs le bloquent jusqu’à ce qu’on demande : demandez d’ouvrir le port 25 vers l’extérieur, ou envoyez par un relais.
dns-outbound-unknown = Aucun serveur de courrier n’a pu être trouvé pour essayer le port 25.
dns-outbound-unknown-advice = Voyez si cette machine atteint son résolveur, puis vérifiez de nouveau.
dns-listed = La liste { $list } met en garde contre cette adresse (code { $code }) : beaucoup refuseront son courrier.
dns-listed-advice = Cherchez l’adresse sur la page de la liste, corrigez la cause, puis demandez à en être retiré.
dns-list-unusable = La liste { $list } ne répond pas au résolveur de cette machine ; on ne peut rien dire.
dns-list-unusable-advice = Les listes ne servent pas les grands résolveurs publics. Avec un résolveur à elle, tel unbound, cette machine pourrait les interroger.

# Contrôler, écrire, et prévenir les propriétaires.
dns-hindrance-no-network = Cette maison ne regarde pas le DNS.
dns-hindrance-no-address = Aucune adresse publique de cet hôte n'est connue : indiquez-la dans les réglages, sous DNS.
dns-account-unknown = Ce compte n'existe pas.
dns-account-unknown-provider = Ce fournisseur n'est pas connu ici.
dns-account-too-many = Il y a déjà { $most } comptes, autant qu'il peut y en avoir.
dns-push-changed = Ce serait autre chose à présent : regardez de nouveau. Rien n'a été écrit.
dns-push-no-zone = Aucun des comptes n'a la zone de ce nom. Ajoutez le compte de celui qui la sert.
dns-push-unknown = Cette écriture n'existe pas, ou elle date de trop longtemps.
dns-push-undone = Elle a déjà été annulée.
dns-push-no-account = Le compte par lequel elle fut faite n'existe plus.
dns-undo-incomplete = Tout n'a pas pu être remis. Regardez ce qui s'y trouve à présent.
dns-mail-subject = Le DNS de { $name } a empiré
dns-mail-begin = Un contrôle du DNS a trouvé ce qui allait mieux avant :
dns-mail-end = Ce qui s'y trouve, ce qui devrait y être, et comment le corriger : { $link }
dns-push-no-policy = La politique d’un domaine devient quarantine ou reject.
dns-push-no-dmarc = Aucun enregistrement DMARC de ce domaine n’a été trouvé dans le DNS à l’instant. Posez-le d’abord tel que la page DNS le donne.
