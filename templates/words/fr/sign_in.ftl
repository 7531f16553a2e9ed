# La connexion, et ce qui prouve qui l’on est.
sign-in-refused = L’adresse ou le mot de passe est incorrect.
sign-in-lost = Cette connexion a pris fin. Recommencez avec votre adresse et votre mot de passe.
sign-in-bad-name = Donnez-lui un nom de 1 à { $longest } caractères.
sign-in-name-taken = Vous en avez déjà un de ce nom. Choisissez un autre nom.
session-absent = Cette session est déjà terminée.

password-too-short = Choisissez un mot de passe d’au moins { $shortest } caractères.
password-too-long = Choisissez un mot de passe d’au plus { $longest } octets.
password-too-common = Ce mot de passe est de ceux que tout le monde essaie en premier. Choisissez-en un autre.
password-is-name = Un mot de passe ne doit pas être votre nom ni votre adresse. Choisissez-en un autre.

second-factor-wanted = Cette maison demande la connexion en deux étapes à qui s’occupe d’autres personnes. Installez-la ici, puis continuez.
second-factor-wrong = Le code est incorrect ou a déjà servi. Attendez le suivant, ou utilisez un code de secours.
second-factor-is-on = La connexion en deux étapes est déjà activée. Désactivez-la avant de configurer une autre application.
second-factor-is-off = La connexion en deux étapes est désactivée.
second-factor-no-offer = Aucune application n’attend de confirmation. Recommencez.

passkey-refused = La clé d’accès n’a pas pu être confirmée. Réessayez.
passkey-unknown = Cette clé d’accès n’ouvre rien ici. Elle a peut-être été retirée ; connectez-vous autrement.
passkey-over = Cela a pris trop de temps, ou la page était ouverte deux fois. Réessayez.
passkey-absent = Cette clé d’accès n’est pas ici.
passkey-taken = Cette clé d’accès est déjà ici.
passkey-too-many = Vous avez { $most } clés d’accès, et il ne peut y en avoir plus. Retirez-en d’abord une.
passkey-is-last = Rien d’autre n’ouvre votre compte. Définissez un mot de passe ou ajoutez une autre clé d’accès avant de retirer celle-ci.
passkey-bad-site = Les clés d’accès ne fonctionnent pas avec ce nom d’hôte : { $why }.

link-void = Ce lien n’ouvre rien : il a servi, a expiré ou n’est pas entier. Demandez-en un nouveau.
link-already-set-up = Cette maison a déjà un propriétaire. Connectez-vous, ou demandez à un propriétaire un lien de mot de passe.
link-other-host = relais.toml appelle cette machine { $host }. Si c’est faux, changez-y d’abord hostname et redémarrez Relais.
link-owner-elsewhere = L’adresse du propriétaire doit être dans { $domain }.

api-key-absent = Cette clé n’est pas ici.
api-key-bad-scope = « { $scope } » n’est pas une portée. Une portée s’écrit domains:read ou domains:write, ou * pour tout.
api-key-no-scopes = Choisissez au moins une chose à laquelle la clé peut servir.
api-key-scope-above = La clé présentée ne peut servir à { $scope } : elle ne peut pas le donner à une autre.
api-key-outlives = La nouvelle clé durerait plus que celle qui est présentée : choisissez une fin plus proche.
api-key-expired = Choisissez un jour à venir.
api-key-too-many = Vous avez { $most } clés, et il ne peut y en avoir plus. Révoquez-en d’abord une.
