# Mon compte.
account-title = Mon compte
account-profile = Profil
account-password = Mot de passe
account-second = Connexion en deux étapes
account-passkeys = Clés d’accès
account-clients = Logiciels de courrier
account-app-passwords = Mots de passe d’application
account-sessions = Sessions
account-log-ins = Connexions
account-address = Adresse
account-storage = Stockage
account-used-of = { $used } sur { $quota }
account-name = Votre nom
account-name-help = Tel que les autres le voient.
account-language-browser = Selon le navigateur
account-saved = Votre compte est enregistré.
account-unguarded = Seul un mot de passe protège votre compte
account-unguarded-why = Qui l’apprend peut lire votre courrier. Une deuxième étape ou une clé d’accès ferme cette porte.
copy = Copier
rename = Renommer
remove = Retirer
made = Création
never = Jamais
last-used = Dernier usage
acts = Actions
device = Appareil ou logiciel
used-for = Pour
password-old = Mot de passe actuel
password-ends-sessions = Vos autres sessions se terminent. Les logiciels qui utilisent ce mot de passe doivent recevoir le nouveau.
password-changed = Votre mot de passe est modifié.
second-factor-on = La connexion en deux étapes est activée
second-factor-off = La connexion en deux étapes est désactivée
second-factor-why = Avec elle, il faut votre mot de passe et un code d’une application de votre téléphone. Les logiciels de courrier utilisent alors des mots de passe d’application.
second-factor-begin = L’activer
second-factor-renew = Nouveaux codes de secours
second-factor-remove = La désactiver
second-factor-remove-title = Désactiver la connexion en deux étapes ?
second-factor-remove-text = Ensuite, votre seul mot de passe ouvre votre compte. Ceci disparaît :
second-factor-remove-goes = le secret dans votre application d’authentification
second-factor-remove-codes = vos codes de secours
second-factor-removed = La connexion en deux étapes est désactivée.
second-factor-codes-left = { $count ->
    [one] Il reste { $count } code de secours.
   *[other] Il reste { $count } codes de secours.
}
second-factor-scan = Scannez ceci avec une application d’authentification
second-factor-scan-help = Toute application de codes à usage unique convient : celle de votre téléphone, d’un gestionnaire de mots de passe, ou une libre comme Aegis.
second-factor-qr = Le secret en image ; il figure en texte plus bas
second-factor-type = Ou saisissez-le :
second-factor-open = L’ouvrir dans une application de cet appareil
second-factor-first-code = Code
second-factor-first-code-help = Les six chiffres que l’application affiche maintenant.
second-factor-confirm = L’activer
recovery-title = Notez ces codes de secours maintenant
recovery-why = Chacun ouvre votre compte une fois, le jour où le téléphone est perdu. Ils ne seront plus affichés.
recovery-kept = Je les ai gardés
passkeys-none = Pas encore de clé d’accès
passkeys-why = Une clé d’accès est gardée par votre téléphone, votre ordinateur ou une clé de sécurité et vous connecte sans mot de passe. Elle ne se devine pas et ne se donne pas.
passkey-name = Nom
passkey-name-help = Pour la reconnaître, par exemple « Téléphone d’Ann ».
passkey-add = Ajouter une clé d’accès
passkey-added = La clé d’accès « { $name } » est là.
passkey-renamed = Elle s’appelle maintenant « { $name } ».
passkey-removed = La clé d’accès a disparu.
passkey-remove-title = Retirer cette clé d’accès ?
passkey-remove-text = Elle n’ouvrira plus rien ici. Retirez-la aussi de l’appareil :
passkey-prove-first = Dites d’abord de nouveau qui vous êtes.
passkey-needs-script = Les clés d’accès ont besoin de JavaScript dans le navigateur.
app-passwords-none = Pas encore de mot de passe d’application
app-passwords-why = Un mot de passe d’application sert à un seul logiciel sur un seul appareil. Si l’appareil est perdu, reprenez celui-là ; les autres continuent.
app-passwords-needed = Vos logiciels de courrier ont besoin de mots de passe d’application
app-passwords-needed-why = La connexion en deux étapes est activée : votre propre mot de passe n’ouvre pas les logiciels de courrier.
app-password-add = Créer un mot de passe d’application
app-password-name-help = Pour le reconnaître, par exemple « Thunderbird, portable ».
app-password-made = Le mot de passe d’application est créé
app-password-once = Saisissez-le maintenant dans le logiciel : il ne sera plus affiché.
app-password-kind = Ce que le logiciel demande
app-password-kind-password = Un mot de passe
app-password-kind-token = Un jeton
app-password-token-help = Pour les logiciels et les scripts qui se connectent par OAUTHBEARER ou XOAUTH2.
app-password-token-made = Le jeton est créé
app-password-token-once = Donnez-le maintenant au logiciel : il ne sera plus affiché.
app-password-token-ends = jeton, expire
app-password-days = Jours jusqu’à l’expiration du jeton
app-password-days-help = Un mot de passe n’expire pas : reprenez-le quand il ne sert plus.
app-password-bad-days = Un jeton dure de 1 à { $most } jours.
app-password-endless = Un mot de passe d’application n’expire pas ; seul un jeton expire.
app-password-done = Terminé
app-password-remove-title = Reprendre ce mot de passe d’application ?
app-password-remove-text = Le logiciel qui l’utilise sera refusé :
app-password-removed = Le mot de passe d’application « { $name } » a disparu.
app-password-absent = Ce mot de passe d’application n’est pas ici.
app-password-taken = Vous en avez déjà un de ce nom. Choisissez un autre nom.
app-password-too-many = Vous avez { $most } mots de passe d’application, et pas plus. Retirez-en un d’abord.
app-password-no-protocol = Choisissez au moins un usage.
app-password-bad-protocol = « { $protocol } » n’est pas un usage de mot de passe d’application : imap, pop3 ou smtp.
protocol-imap = IMAP
protocol-pop3 = POP3
protocol-smtp = SMTP
protocol-sieve = Règles (ManageSieve)
protocol-web = Navigateur
protocol-api = API
protocol-imap-use = Lire le courrier (IMAP)
protocol-pop3-use = Relever le courrier (POP3)
protocol-smtp-use = Envoyer du courrier (SMTP)
session-browser = Navigateur
session-from = Depuis
session-since = Connecté
session-seen = Vu
session-this = celle-ci
session-end = Terminer
session-end-others = Terminer toutes les autres
session-ended = La session est terminée.
sessions-ended = { $count ->
    [one] { $count } session terminée.
   *[other] { $count } sessions terminées.
}
log-ins-none = Pas encore de connexion
log-ins-none-why = Chaque connexion de vous ou d’un logiciel figure ici.
log-in-when = Quand
log-in-how = Comment
log-in-way-first-factor = mot de passe juste, seconde étape à venir
log-in-way-second-factor = avec une seconde étape
log-in-way-passkey = avec une clé d’accès
log-in-outcome = Résultat
log-in-granted = { $count ->
    [one] accepté
   *[other] accepté, { $count } fois
}
log-in-refused = { $count ->
    [one] refusé
   *[other] refusé, { $count } fois
}
clients-lead = Les logiciels qui trouvent les réglages seuls, comme Thunderbird et Outlook, n’ont besoin que de votre adresse et d’un mot de passe. D’autres demandent ceci :
clients-name = Nom d’utilisateur
clients-host = Serveur
clients-port = Port
clients-security = Sécurité
clients-tls = TLS (SSL/TLS)
clients-imap = Lire le courrier (IMAP)
clients-pop3 = Relever le courrier (POP3)
clients-smtp = Envoyer du courrier (SMTP)
clients-app-password-needed = Comme mot de passe, donnez-en un propre à chaque logiciel :
clients-app-password = Votre propre mot de passe convient, mais un par logiciel est plus sûr :
clients-apple = iPhone, iPad, Mac
clients-apple-help = Pour un autre appareil que celui qui scanne le code : ce profil remplit tout sauf le mot de passe. Ouvrez-le sur l’appareil, puis allez dans Réglages.
clients-apple-get = Obtenir le profil
clients-phone = Un téléphone
clients-phone-help = Le téléphone scanne un code sur cet écran et se règle sans rien taper : il reçoit un mot de passe à lui, que vous pouvez reprendre.
clients-no-doors = Ce serveur n’ouvre aucune porte aux logiciels de courrier.
clients-programs = Un logiciel de courrier
clients-phone-get = Afficher le code
clients-starttls = STARTTLS

# Un téléphone réglé par un code.
phone-scan = Scannez ceci avec l’appareil photo du téléphone, et ouvrez la page qu’il trouve.
phone-code = Un code à scanner : il contient le lien ci-dessous.
phone-until = { $count ->
    [one] Il sert une fois, pendant { $count } minute.
   *[other] Il sert une fois, pendant { $count } minutes.
}
phone-secret = Ne le montrez à personne : qui l’ouvre en premier peut lire votre courrier.
phone-or-link = Ou ouvrez ce lien sur le téléphone :
phone-done = Voir vos mots de passe d’application
phone-device = Téléphone
phone-title = Régler le courrier sur ce téléphone
phone-profile-help = iPhone, iPad, Mac : un profil règle le courrier, avec un mot de passe à lui. Autorisez son chargement, puis ouvrez Réglages : « Profil téléchargé » se trouve en haut. Installez-le là.
phone-profile-get = Obtenir le profil
phone-profile-instead = Sur un iPhone, un iPad ou un Mac, un profil règle tout :
phone-page-help = Android et autres : ce téléphone reçoit un mot de passe à lui. Copiez-le avec votre adresse dans votre logiciel de courrier.
phone-page-get = Montrer quoi taper
phone-page-instead = Un autre logiciel que celui d’Apple ? Tapez alors vous-même :
phone-once = Un seul choix : ce lien sert une fois.
phone-settings-lead = Ajoutez un compte dans votre logiciel de courrier. Il lui faut ces deux choses ; beaucoup trouvent le reste seuls.
phone-settings-once = Le mot de passe n’est montré que maintenant
phone-settings-named = Copiez-le avant de quitter cette page. Parmi vos mots de passe d’application, il s’appelle
phone-settings-more = Si le logiciel en demande plus, choisissez IMAP et donnez ceci :
autoconfig-help = Régler un logiciel de courrier
