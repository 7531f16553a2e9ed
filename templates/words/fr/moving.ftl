# Le courrier apporté d'ailleurs.
import-under-way = Une importation du courrier de ce compte est en cours.
import-none = Aucun courrier n'a été apporté ici depuis un autre serveur.
import-not-serving = Le courrier d'autres serveurs s'importe pendant que le serveur fonctionne. Démarrez-le d'abord.
import-security = Dites tls, starttls ou none.
import-port = Un port est un nombre de 1 à 65535.
import-host = Nommez le serveur où se trouve le courrier.
import-user = Nommez celui sous qui ce serveur connaît le courrier.
import-mailbox-name = Un dossier ne peut pas s'appeler { $name } ici.
import-row = Les messages ne sont pas compris : { $why }
import-too-many = Au plus { $most } messages sont pris à la fois.
import-keywords = Un dossier porte au plus 58 mots-clés ; ces messages en demandent davantage.

import-refused-too-large = Le message dépasse 64 Mio et a été laissé là-bas.
import-refused-missing = Le serveur a nommé le message sans l'envoyer.
import-refused-keywords-dropped = Le message est ici sans ses mots-clés, dont un dossier porte au plus 58.
import-refused-folder-name = Le nom du dossier n'en est pas un ici.
import-refused-folder-refused = Le serveur ne laisse pas ouvrir ce dossier.

import-trouble-unresolved = Le nom du serveur ne mène nulle part.
import-trouble-internal = Le nom du serveur mène à { $says }, qui n'est pas une adresse de l'internet public. Un propriétaire peut l'autoriser dans les réglages.
import-trouble-plain-forbidden = Sans TLS, seuls sont lus les serveurs des réseaux qu'un propriétaire a autorisés dans les réglages.
import-trouble-connect = Aucune connexion avec le serveur : { $says }
import-trouble-tls = TLS a échoué avec le serveur : { $says }
import-trouble-no-starttls = Le serveur n'offre pas STARTTLS. Essayez TLS sur le port 993.
import-trouble-log-in = Le serveur a refusé le nom ou le mot de passe : { $says }
import-trouble-silent = Le serveur s'est tu. Relancée, l'importation reprend où elle était.
import-trouble-ended = Le serveur a raccroché : { $says } Relancée, l'importation reprend où elle était.
import-trouble-broken = Le serveur a dit ce qui n'est pas de l'IMAP : { $says }
import-trouble-refused = Le serveur a refusé de continuer : { $says }
import-trouble-over-quota = Le compte est plein : ce qui est venu jusque-là est ici. Avec un quota plus grand, relancée, l'importation reprend où elle était.
import-trouble-failed = La maison a failli ; son journal en dit plus. Relancée, l'importation reprend où elle était.
