# Ce que d’autres rapportent d’un domaine : sa page.
reports-page-title = Rapports
reports-page-lead = Ce que d’autres serveurs disent du courrier au nom de ce domaine, et du TLS vers lui, ces trente derniers jours.
reports-page-none = Pas encore de rapport
reports-page-none-asked = Les autres envoient un rapport par jour dès qu’ils ont reçu du courrier de vous, le plus souvent la nuit. Ils sont lus d’eux-mêmes dans la boîte qui les reçoit, et y restent.
reports-page-none-unasked = Personne n’est prié de rapporter. Dites dans les réglages qui reçoit les rapports (le postmaster est un bon choix), puis posez les enregistrements DNS : ce qui arrive est lu de lui-même et affiché ici.
reports-page-ask = Dire qui reçoit les rapports
reports-page-state-none = On ne sait encore rien.
reports-page-state-well = Tout va bien.
reports-page-state-look = Regardez les expéditeurs ci-dessous.
reports-page-from = { $reports ->
    [one] Un rapport
   *[other] { $reports } rapports
} de { $organizations ->
    [one] un organisme
   *[other] { $organizations } organismes
} sur { $messages ->
    [one] un message
   *[other] { $messages } messages
} ; pour { $proved ->
    [one] un rapport
   *[other] { $proved } rapports
}, l’expéditeur est prouvé.
reports-page-chart = Courrier par jour
reports-page-day = Jour
reports-page-aligned = Aligné
reports-page-unaligned = Non aligné
reports-page-forwarded = Réexpédié
reports-page-step = L’étape suivante de la politique DMARC
reports-page-step-next = Prêt pour l’étape suivante
reports-page-step-done = Politique la plus stricte
reports-page-step-wait = Trop tôt pour le dire
reports-page-step-mend = À corriger d’abord
reports-page-record-name = Nom de l’enregistrement TXT
reports-page-record = Valeur
reports-page-setting = Ce serveur demande moins jusqu’ici, pour tous ses domaines ; changez cela d’abord :
reports-page-sources = D’où il venait
reports-page-sources-lead = Les serveurs qui ont envoyé du courrier au nom de ce domaine, ceux sans preuve d’abord.
reports-page-source = Serveur
reports-page-is = Ce que c’est
reports-page-messages = Messages
reports-page-proof = Alignés
reports-page-percent = { $percent } %
reports-page-own = Ce serveur
reports-page-others = Tous les autres
reports-page-quarantined = { $count } mis dans les indésirables
reports-page-rejected = { $count } refusés
reports-page-tls = TLS vers ce serveur
reports-page-incidents = Plaintes et échecs
reports-page-incidents-lead = Des rapports sur des messages isolés.
reports-page-unread = { $count ->
    [one] Un message ressemblait à un rapport et n’a pas pu être lu, ou ne concernait aucun domaine de ce serveur.
   *[other] { $count } messages ressemblaient à des rapports et n’ont pas pu être lus, ou ne concernaient aucun domaine de ce serveur.
}
reports-page-unread-why = Pour le dernier :
reports-tls-result-success = Comme il se doit
reports-tls-result-unspecified = Échec, sans raison donnée
reports-tls-result-starttls-not-supported = Pas de TLS proposé
reports-tls-result-certificate-host-mismatch = Certificat pour d’autres noms
reports-tls-result-certificate-expired = Certificat expiré
reports-tls-result-certificate-not-trusted = Certificat non reconnu
reports-tls-result-validation-failure = Échec de TLS
reports-tls-result-tlsa-invalid = Enregistrements DANE inadaptés
reports-tls-result-dnssec-invalid = Échec de la preuve DNSSEC
reports-tls-result-dane-required = DANE voulu, mais absent
reports-tls-result-sts-policy-fetch-error = Politique MTA-STS introuvable
reports-tls-result-sts-policy-invalid = Politique MTA-STS incorrecte
reports-tls-result-sts-webpki-invalid = Le serveur de la politique présente un mauvais certificat
reports-incident-abuse = Signalé comme indésirable
reports-incident-auth-failure = Échec d’authentification
reports-incident-fraud = Fraude
reports-incident-not-spam = Signalé comme désirable
reports-incident-virus = Virus
reports-incident-other = Autre
reports-page-relays = Listes et redirections
reports-page-relays-lead = Elles font suivre votre courrier et le changent, si bien que rien ne le prouve plus. Il ne compte ni pour ni contre : rien n’est à réparer ici.
reports-page-push = Montrer ce qui serait posé
