# Les pages du DNS : listes, contrôles, comptes de fournisseurs, ce qui a été écrit.
dns-page-title = Enregistrements DNS
dns-page-lead = Ce que chaque domaine doit dire dans le DNS pour que son courrier arrive et soit cru, et s’il le dit.
dns-page-host = Ce serveur
dns-page-host-lead = L’adresse et le nom de ce serveur, le port 25, les listes noires : tous les domaines en dépendent.
dns-page-domains = Domaines
dns-page-domain = Domaine
dns-page-records = Enregistrements
dns-page-receipts = Ce qui a été changé
dns-page-accounts = Comptes de fournisseurs
dns-page-none = Aucun domaine pour l’instant
dns-page-none-why = Dès qu’un domaine est ici, ses enregistrements sont listés et contrôlés.
dns-page-checked = Dernier contrôle
dns-page-never = Jamais contrôlé
dns-page-never-why = Les enregistrements voulus figurent ci-dessous ; un contrôle dit lesquels sont là.
dns-page-running = Contrôle en cours : les serveurs de la zone et le reste du monde sont interrogés. Cela prend une minute au plus.
dns-page-running-reload = Regarder de nouveau
dns-page-check = Contrôler maintenant
dns-page-check-begun = Le contrôle a commencé.
dns-page-check-rests = La vérification vient d’être faite : voici ce qui a été trouvé.
dns-page-zone-file = Fichier de zone
dns-page-push = Écrire chez le fournisseur
dns-page-to-domain = Réglages du domaine
dns-page-dnssec = DNSSEC
dns-page-further = Autres contrôles
dns-page-further-lead = Ce que voient les autres quand ils suivent les enregistrements.
dns-page-must-lead = Sans eux, le courrier n’arrive pas, ou beaucoup le refusent.
dns-page-should-lead = Avec eux, le courrier est cru et voyage chiffré.
dns-page-nice-lead = Ils facilitent la configuration et ferment les dernières failles.
dns-page-form = Pour le formulaire de votre fournisseur
dns-page-form-lead = Les formulaires diffèrent. Si le vôtre refuse un nom ou un texte, essayez l’autre façon de l’écrire.
dns-page-names = Noms
dns-page-names-within = sans le domaine
dns-page-names-whole = entiers
dns-page-texts = Textes longs
dns-page-texts-joined = d’un seul tenant
dns-page-texts-split = en morceaux entre guillemets
dns-page-wanted = Ce qui devrait être là
dns-page-found = Ce qui est là
dns-page-found-nothing = Rien.
dns-page-surplus = Ce qui doit partir
dns-page-fields-name = Nom
dns-page-fields-type = Type
dns-page-fields-priority = Priorité
dns-page-fields-ttl = TTL (secondes)
dns-page-fields-value = Valeur
dns-page-copy-name = Copier le nom
dns-page-copy-value = Copier la valeur
dns-page-what-to-do = Que faire

dns-why-host-address = C’est par elle que les autres trouvent ce serveur : le courrier de chaque domaine est mené à ce nom.
dns-why-reverse-name = Les destinataires demandent qui se tient derrière l’adresse d’où vient le courrier, et se méfient de celle qui n’a pas de nom.
dns-why-mx = Il dit à tous que le courrier du domaine est à porter à ce serveur.
dns-why-spf = Il nomme les serveurs qui peuvent envoyer au nom du domaine ; les autres sont des faussaires.
dns-why-host-spf = Les avis de ce serveur portent son propre nom, et il leur faut aussi le droit d’être envoyés.
dns-why-dkim = Avec elle, les destinataires prouvent qu’un message vient du domaine et que personne ne l’a changé en route.
dns-why-dmarc = Il dit aux destinataires que faire du courrier qui se prétend du domaine, et où le signaler.
dns-why-mta-sts = Les expéditeurs qui l’ont lu n’apportent le courrier que par une connexion chiffrée.
dns-why-mta-sts-host = Les expéditeurs lisent la promesse de chiffrement sous ce nom, par HTTPS.
dns-why-tls-reports = Les expéditeurs signalent ici qu’une connexion chiffrée vers ce serveur échoue.
dns-why-dane = Il dit dans le DNS signé quelle clé le port 25 présente, pour que personne ne se glisse entre les deux.
dns-why-service = Les logiciels de courrier y trouvent serveurs et ports ; personne n’a à les taper.
dns-why-autoconfig = Thunderbird et d’autres y lisent leur configuration.
dns-why-autodiscover = Outlook y lit sa configuration.
dns-why-issuer = Seules les autorités qu’il nomme peuvent émettre des certificats pour le domaine.
dns-why-reverse-confirmed = Les destinataires suivent l’adresse jusqu’à son nom, puis le nom jusqu’à l’adresse.
dns-why-spf-result = L’enregistrement SPF est suivi comme le font les destinataires, pour chaque adresse de ce serveur.
dns-why-wildcards = Un enregistrement pour « n’importe quel nom » cache ce qui manque et égare le courrier.
dns-why-dnssec = Des signatures dans la zone montrent aux destinataires si quelqu’un a falsifié les réponses.
dns-why-port-in = Ce serveur est abordé au port 25 comme le font les autres serveurs de courrier.
dns-why-port-out = Le courrier part par le port 25 des autres ; beaucoup d’hébergeurs le bloquent.
dns-why-policy-file = La promesse de chiffrement est lue comme la lisent les expéditeurs.
dns-why-blocklist = Les destinataires demandent à ces listes si une adresse est connue pour ses indésirables.

dns-accounts-lead = Avec une clé de votre fournisseur DNS, Relais écrit lui-même les enregistrements : montrés avant, annulés si vous le voulez.
dns-accounts-none = Aucun compte pour l’instant
dns-accounts-none-why = Vous pouvez toujours copier les enregistrements à la main. Avec un compte chez l’un de ces fournisseurs, Relais les écrit pour vous.
dns-accounts-add = Ajouter un compte
dns-accounts-add-lead = Créez chez votre fournisseur une clé pour Relais seul, avec le moins de droits possible. Elle est gardée scellée et n’est plus jamais montrée.
dns-accounts-provider = Fournisseur
dns-accounts-provider-choose = Quel fournisseur sert la zone ?
dns-accounts-name = Nom
dns-accounts-name-help = Pour vous, afin de distinguer les comptes.
dns-accounts-other = Un autre fournisseur
dns-accounts-added = Le compte { $name } est ajouté.
dns-accounts-made = Ajouté
dns-accounts-remove = Supprimer
dns-accounts-remove-title = Supprimer le compte { $name } ?
dns-accounts-remove-text = Relais oublie sa clé et ne peut plus y écrire ni annuler d’enregistrements. Les enregistrements restent tels quels.
dns-accounts-goes-key = La clé pour { $provider }
dns-accounts-goes-undo = Le moyen d’annuler ce qui a été changé avec lui
dns-accounts-removed = Le compte { $name } est supprimé. Retirez aussi sa clé chez le fournisseur.

dns-push-title = Écrire les enregistrements de { $domain }
dns-push-lead = Voyez d’abord ce qui changerait. Rien n’est fait avant que vous le disiez.
dns-push-account = Compte
dns-push-preview = Montrer ce qui changerait
dns-push-none = Aucun compte de fournisseur
dns-push-none-why = Ajoutez-en un d’abord ; ou copiez les enregistrements à la main.
dns-push-changes = Ce qui changerait
dns-push-zone = Dans la zone { $zone }, chez { $account }
dns-push-nothing = Rien ne changerait
dns-push-nothing-why = Tout ce qui est voulu est déjà chez le fournisseur. Si un contrôle dit encore autre chose, le reste du monde a besoin d’un peu de temps.
dns-push-obstacles = Ce qui ne peut y être écrit
dns-push-added = arrive
dns-push-removed = part
dns-push-kept = reste
dns-push-ttl = Le TTL passe de { $before } à { $after } secondes
dns-push-do = { $count ->
    [one] Faire ce changement
   *[other] Faire ces { $count } changements
}
dns-push-failed = Le fournisseur n’a pas pu être interrogé
dns-push-stale = L’aperçu est trop ancien, ou la zone a changé depuis. Voici ce qui changerait maintenant.

dns-receipts-lead = Chaque fois que Relais a changé une zone : ce qui s’y trouvait avant, ce qui s’y trouve depuis, et le chemin du retour.
dns-receipts-none = Rien n’a encore été changé
dns-receipts-none-why = Quand Relais écrit des enregistrements chez votre fournisseur, il note ici ce qui s’y trouvait avant.
dns-receipts-when = Quand
dns-receipts-by = Par
dns-receipts-changes = Changements
dns-receipts-state = État
dns-receipt-title = Enregistrements de { $zone }
dns-receipt-complete = Tout est en place
dns-receipt-partial = Tout n’a pas été fait
dns-receipt-undone = Annulé
dns-receipt-complete-why = La zone a été relue après le changement : elle dit ce qui était voulu. Le reste du monde suit dans le délai du TTL.
dns-receipt-partial-why = La zone a été relue après le changement. Ci-dessous, ce que chacun est devenu.
dns-receipt-undone-why = Ce qui s’y trouvait avant a été remis.
dns-receipt-undo = Annuler
dns-receipt-undo-title = Remettre ce qui s’y trouvait avant ?
dns-receipt-undo-text = Les enregistrements de { $zone } redeviennent ce qu’ils étaient avant ce changement, à la lettre. Si quelqu’un a changé l’un d’eux depuis, rien n’est touché.
dns-receipt-account-gone = Le compte a été supprimé : cela ne peut pas être annulé d’ici.
dns-fate-done = Fait
dns-fate-untouched = Inchangé
dns-fate-otherwise = Autre chose s’y trouve
dns-fate-unknown = Inconnu
dns-pushed = La zone est changée. Le contrôle du domaine a commencé.
dns-pushed-partly = Tout n’a pas été fait : voyez ci-dessous.
dns-undone = Ce qui s’y trouvait avant est de retour.
dns-page-any = Tous les verdicts
dns-page-verdict = Verdict
dns-page-search = Chercher un domaine
dns-page-not-checked = Non contrôlé
dns-page-is-running = contrôle en cours
dns-page-addresses = Adresses
dns-page-hindrance = Aucun contrôle n’est possible pour l’instant
dns-page-apply = Les écrire ainsi
dns-page-count-wrong = { $count ->
    [one] 1 chose est fausse
   *[other] { $count } choses sont fausses
}
dns-page-count-better = { $count ->
    [one] 1 chose peut être améliorée
   *[other] { $count } choses peuvent être améliorées
}
dns-page-count-unknown = { $count ->
    [one] 1 réponse se fait attendre
   *[other] { $count } réponses se font attendre
}
dns-push-choose = Choisissez au moins un enregistrement.
dns-push-which = Que faut-il corriger ?
dns-push-unchecked = Contrôlez d’abord les enregistrements
dns-push-unchecked-why = Seul ce qu’un contrôle a trouvé en défaut est écrit.
dns-push-good = Il n’y a rien à écrire
dns-push-good-why = Tout ce qui peut être écrit chez le fournisseur y est comme il faut.
dns-push-at = Ils sont écrits avec le compte { $account }.
dns-receipt-absent-page = Ce changement n’existe pas : il est peut-être plus ancien que ce qui est gardé.
dns-receipt-to-report = Vers la liste de contrôle
dns-accounts-no-provider = Ce fournisseur n’existe pas.
dns-accounts-zones = Zones
dns-accounts-domain = Un domaine chez ce fournisseur
dns-accounts-domain-help = Un de vos domaines ici. La clé est essayée en cherchant sa zone ; rien n’est changé.
dns-accounts-key-kept = Laissez vide pour garder la clé actuelle.
