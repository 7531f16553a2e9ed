# Sécurité.
security-page-lead = Qui essaie de se connecter et se voit refuser, à toutes les portes : programmes de courrier, navigateurs, scripts.
security-page-quiet = Tout est calme : aucune connexion n’a échoué ces dernières 24 heures.
security-page-calm = Personne n’est bloqué. { $failed ->
    [one] { $failed } connexion a
   *[other] { $failed } connexions ont
} échoué ces dernières 24 heures, ce qui est habituel : chacun se trompe, et des machines essaient tous les serveurs.
security-page-at-work = { $bans ->
    [one] { $bans } blocage est
   *[other] { $bans } blocages sont
} en cours et finiront d’eux-mêmes. { $failed ->
    [one] { $failed } connexion a
   *[other] { $failed } connexions ont
} échoué ces dernières 24 heures. Il n’y a rien à faire.
security-page-bans = Blocages
security-page-bans-lead = Après trop d’échecs, Relais refuse d’autres essais pour un temps. Levez un blocage quand l’une de vos personnes est restée dehors, ou un hôte dont vous voulez le courrier.
security-page-strangers = Tous ceux qui ne sont pas connus ici
security-page-kind-name = Un nom, d’où qu’il ne soit pas connu
security-page-kind-network = Un réseau, pour tous les noms
security-page-kind-door = Un réseau, au port 25
security-page-kind-everybody = Tant d’échecs à la fois que les inconnus attendent
security-page-whom = Qui
security-page-failures = Échecs
security-page-why = Pourquoi
security-page-why-log-ins = Connexions refusées
security-page-why-unknown-recipients = Destinataires que personne n’est ici
security-page-why-relaying = Essais de relais
security-page-why-protocol = Commandes qui n’en sont pas
security-page-since = Depuis
security-page-until = Fin
security-page-lift = Lever
security-page-lifted = { $whom } peut de nouveau essayer.
security-page-day = Ces dernières 24 heures
security-page-by-ip = Refusés par adresse de réseau
security-page-by-name = Refusés par nom
security-page-refused = Connexions refusées
security-page-none = Aucune connexion n’a été refusée.
security-page-name = Nom donné
security-page-unknown = Personne ici n’a ce nom
security-page-door = Porte
security-page-door-imap = IMAP
security-page-door-pop3 = POP3
security-page-door-smtp = SMTP
security-page-door-web = Navigateur
security-page-door-api = API
security-page-ip = D’où
security-page-times = Fois
security-page-at = Dernière
security-page-sessions = Sessions ouvertes
security-page-sessions-text = Où quelqu’un est connecté figure sur sa propre page, et peut y être terminé.
security-page-to-people = Vers les personnes
security-page-app-passwords = Seconds facteurs et mots de passe d’application
security-page-app-passwords-text = Les programmes de courrier ne connaissent pas de second facteur. Qui en a un fait un mot de passe d’application pour chaque programme, sur sa propre page ; son propre mot de passe est alors refusé à IMAP, POP3 et SMTP.
