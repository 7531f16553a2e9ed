# Ce que les gens envoient, sur ce qu’ils peuvent ; de qui le courrier est retenu ; les adresses d’ailleurs qui ne sont à personne.
nav-holds = Courrier retenu
nav-suppressed = Adresses écartées
account-sending = Envoi
sending-lead = Ce qui a été envoyé, sur ce qui peut l’être. L’heure et le jour glissent : ce qui a été envoyé redevient libre une heure, ou un jour, plus tard.
sending-used-of = { $used } sur { $most }
sending-used-free = { $used }, sans limite
sending-messages-per-hour = Messages en une heure
sending-recipients-per-hour = Destinataires en une heure
sending-messages-per-day = Messages en un jour
sending-recipients-per-day = Destinataires en un jour
sending-new-recipients-per-day = Nouveaux destinataires en un jour
sending-unknown = { $count ->
    [one] D’autres hôtes ont refusé { $count } destinataire du dernier jour comme n’étant personne.
   *[other] D’autres hôtes ont refusé { $count } destinataires du dernier jour comme n’étant personne.
}
sending-complaints = { $count ->
    [one] Quelqu’un s’est plaint de { $count } message des trente derniers jours.
   *[other] Quelqu’un s’est plaint de { $count } messages des trente derniers jours.
}
sending-complaints-of-day = { $count ->
    [one] { $count } plainte
   *[other] { $count } plaintes
}
sending-held = Le courrier pour d’autres hôtes est retenu
sending-held-own = Il a été envoyé comme jamais auparavant, et quelqu’un qui tient ce serveur le regarde d’abord. Il n’est pas perdu. Si vous ne l’avez pas envoyé, changez votre mot de passe. Retenu depuis
sending-held-of = Il est pris et attend que quelqu’un l’ait regardé. Retenu depuis
sending-held-look = Le regarder
hold-because-new-recipients = { $count } personnes en quelques minutes à qui cette personne n’avait jamais écrit.
hold-because-messages = { $count } messages en quelques minutes, bien plus que cette personne n’en a l’habitude.
hold-because-network = { $count } nouveaux destinataires en une heure, depuis { $peer } : un réseau d’où cette personne ne s’est jamais connectée.
hold-because-unknown = D’autres hôtes ont refusé { $count } destinataires d’un jour comme n’étant personne : une liste achetée, ou devinée.
hold-because-complaints = { $count } plaintes sur le courrier de cette personne en un jour.
hold-absent = Rien de { $address } n’est retenu.
hold-own = Quelqu’un d’autre doit y mettre fin : qui a volé un mot de passe laisserait repartir son propre courrier.
hold-released = { $count ->
    [one] Le courrier de { $address } repart : { $count } destinataire. Ce qui a été fait est désormais habituel.
   *[other] Le courrier de { $address } repart : { $count } destinataires. Ce qui a été fait est désormais habituel.
}
hold-dropped = { $count ->
    [one] Le courrier retenu de { $address } est retiré : { $count } destinataire. Plus personne n’est dans le compte : faites un lien par lequel un nouveau mot de passe sera choisi.
   *[other] Le courrier retenu de { $address } est retiré : { $count } destinataires. Plus personne n’est dans le compte : faites un lien par lequel un nouveau mot de passe sera choisi.
}
holds-page-lead = Les gens qui ont envoyé comme jamais auparavant : leur courrier pour d’autres hôtes attend que quelqu’un l’ait regardé.
holds-page-none = Le courrier de personne n’est retenu
holds-page-none-why = Quand quelqu’un envoie par rafale ou d’où il n’a jamais été, cela figure ici, et la personne et les propriétaires reçoivent un courriel.
holds-page-why = Pourquoi
holds-page-waits = Ce qui attend
holds-page-since = Retenu depuis
holds-page-held = { $messages } messages à { $recipients } destinataires
hold-page-title = Courrier retenu
hold-page-meaning = Rien n’est perdu : cela attend, et ce qui est envoyé maintenant aussi. Demandez à la personne, autrement que par courriel, si c’était bien elle.
hold-page-person = Cette personne
hold-page-peer = Envoyé depuis
hold-page-samples = Ce qui attend, le dernier d’abord
hold-page-subject = Sujet
hold-page-to = À
hold-page-at = Envoyé
hold-page-no-subject = (oublié depuis)
hold-page-and-more = { $recipient } et { $count } autres
hold-page-release = C’était elle
hold-page-release-lead = Le courrier repart, et le semblable ne sera plus retenu.
hold-page-release-act = Laisser repartir
hold-page-drop = Ce n’était pas elle
hold-page-drop-lead = Le courrier est retiré, et qui a le mot de passe est mis dehors. Cela ne se défait pas. Disparaissent :
hold-page-drop-act = Mettre dehors et retirer le courrier
hold-page-goes-password = Le mot de passe. Un nouveau sera choisi par un lien que vous faites.
hold-page-goes-app-passwords = { $count ->
    [0] Mots de passe d’application : il n’y en a pas.
    [one] { $count } mot de passe d’application, et toutes les clés de l’API.
   *[other] { $count } mots de passe d’application, et toutes les clés de l’API.
}
hold-page-goes-sessions = { $count ->
    [0] Sessions dans le panneau : il n’y en a pas.
    [one] { $count } session dans le panneau.
   *[other] { $count } sessions dans le panneau.
}
hold-page-goes-connections = Les connexions ouvertes de programmes de courrier.
overview-holds = { $count ->
    [one] Le courrier de { $count } personne est retenu : il a été envoyé comme jamais auparavant.
   *[other] Le courrier de { $count } personnes est retenu : il a été envoyé comme jamais auparavant.
}
hold-mail-subject = Le courrier de { $address } est retenu
hold-mail-begin-own = Votre courrier pour d’autres hôtes est retenu depuis { $at } : il est pris, et attend.
hold-mail-begin = Le courrier de { $address } pour d’autres hôtes est retenu depuis { $at } : il est pris, et attend.
hold-mail-end-own = Si vous l’avez envoyé, il n’y a rien à faire : quelqu’un qui tient le serveur le regarde. Sinon, quelqu’un connaît votre mot de passe : changez-le, et retirez les mots de passe d’application que vous ne connaissez pas.
hold-mail-end = Demandez si c’était bien la personne, puis laissez repartir le courrier ou retirez-le : { $link }
suppressed-page-lead = D’autres hôtes ont refusé ces adresses comme n’étant à personne, encore et encore : le courrier pour elles est refusé ici quand quelqu’un l’envoie. Un succès y met fin.
suppressed-page-search = Chercher des adresses
suppressed-page-none = Aucune adresse n’est écartée
suppressed-page-none-why = Une adresse vient ici quand d’autres hôtes l’ont refusée deux fois comme n’étant à personne, à une heure ou plus.
suppressed-page-address = Adresse
suppressed-page-said = Ce qui a été dit en dernier
suppressed-page-refusals = Refus
suppressed-page-since = Depuis
suppressed-page-until = Jusqu’à
suppressed-page-remove = Laisser partir
suppression-removed = Le courrier pour { $address } est à nouveau tenté.
suppression-absent = Le courrier pour { $address } n’est pas refusé ici.
reports-complained = Plaintes sur des personnes
reports-complained-lead = Des trente derniers jours : de qui les gens d’autres hôtes ont appelé le courrier indésirable.
