# Les listes de diffusion.
lists-title = Listes de diffusion
lists-lead = Une adresse dont le courrier va à tous les abonnés.
lists-search = Chercher une liste
lists-none = Pas encore de liste
lists-none-why = Créez-en une quand plusieurs personnes doivent recevoir le même courrier, et aller et venir d’elles-mêmes.
mlist-add = Ajouter une liste
mlist-added = { $address } est là. Ajoutez maintenant ses membres.
mlist-title = Son sujet
mlist-title-help = Quelques mots ; ils figurent dans l’en-tête de chaque message.
mlist-posters = Qui peut écrire
mlist-posters-members = Les membres
mlist-posters-owners = Ses responsables
mlist-posters-moderated = Tout le monde, après l’accord d’un responsable
mlist-posters-anyone = Tout le monde
mlist-is-open = On s’abonne soi-même
mlist-is-open-help = En écrivant à l’adresse -subscribe de la liste, puis en confirmant par courrier. Sinon, on est ajouté ici.
mlist-owners = Qui s’en occupe
mlist-owners-help = Ils reçoivent le courrier de son adresse -owner, et sont consultés quand un message attend.
mlist-members = Membres
mlist-members-search = Chercher un membre
mlist-members-none = Personne n’y est encore
mlist-members-none-why = Ajoutez des adresses ci-dessous, d’ici ou d’ailleurs.
mlist-members-add = Ajouter des membres
mlist-members-who = Adresses
mlist-members-who-help = Une par ligne, ou séparées par des virgules. Qui y est déjà est modifié ; qui n’était plus joignable reçoit de nouveau le courrier.
mlist-member-is = Est
mlist-member-owner = responsable
mlist-member-silent = ne reçoit pas les messages
mlist-member-stopped = n’est plus joignable
mlist-member-is-owner = Ils s’occupent de la liste
mlist-member-is-silent = Les messages ne leur sont pas envoyés
mlist-member-removed = { $member } n’y est plus.
mlist-members-partly = Ajoutés : { $count }. Laissés de côté, car ce ne sont pas des adresses : { $refused }
mlist-held = Messages en attente
mlist-held-lead = Un responsable décide s’ils partent. Ceux qui s’occupent de la liste ont aussi été consultés par courrier.
mlist-post-subject = Objet
mlist-post-author = De
mlist-post-since = Depuis
mlist-post-approve = Laisser partir
mlist-post-reject = Écarter
mlist-post-approved = Il part.
mlist-post-rejected = Il est écarté.
mlist-terms = Fonctionnement
mlist-size = Plus grand message (Kio)
mlist-size-help = De 1 à 10240. Chaque membre reçoit sa propre copie.
mlist-prefix = Devant les objets
mlist-prefix-help = Par exemple [équipe]. Vide, les messages restent tels que leurs auteurs les ont signés, ce qui vaut mieux pour les filtres de chacun.
mlist-way-owner = Joint ceux qui s’en occupent
mlist-way-leave = Pour la quitter, écrire à
mlist-way-join = Pour s’abonner, écrire à
mlist-remove = Retirer la liste
mlist-remove-title = Retirer { $address } ?
mlist-remove-text = Son courrier sera refusé. Cela ne peut être annulé : gardez d’abord les adresses de ses membres, s’il vous les faut.
mlist-removed = { $address } est retirée.
mlist-join = Rejoindre la liste
mlist-join-absent = Il n’y a pas de telle liste, ou l’on ne s’y inscrit pas soi-même.
mlist-join-address = Votre adresse
mlist-join-help = Nous y écrivons, avec un lien qui confirme votre souhait.
mlist-join-act = Votre souhait
mlist-join-send = M’envoyer le lien
mlist-join-asked = Regardez votre courrier
mlist-join-asked-text = S’il y a quelque chose à confirmer, un message avec un lien est en route. Le lien vaut trois jours.
mlist-confirm = Liste de diffusion
mlist-confirm-joins = { $member } recevra le courrier de { $list }.
mlist-confirm-act = Oui, c’est ce que je souhaite
mlist-confirmed = C’est fait.
mlist-confirm-nothing = Il n’y a rien à confirmer : le lien a plus de trois jours, ou n’est pas entier.
mlist-leave = Quitter la liste
mlist-leave-asks = { $member } ne recevra plus le courrier de { $list }.
mlist-leave-nobody = Il n’y a rien à quitter : soit vous l’avez déjà fait, soit ce lien n’est pas entier.
mlist-left = Vous avez quitté la liste. Ce qui est en route peut encore arriver.
mlist-held-count = { $count ->
    [one] { $count } en attente
   *[other] { $count } en attente
}
mlist-members-put = { $count ->
    [one] { $count } membre est ajouté.
   *[other] { $count } membres sont ajoutés.
}
mlist-members-go = { $count ->
    [one] { $count } membre la quitte
   *[other] { $count } membres la quittent
}
nav-lists = Listes
failure-list-name = Le nom d’une liste a de 1 à { $most } lettres simples, chiffres, points, tirets et soulignés avant le @.
failure-list-size = Un message peut avoir de 1 Kio à 10 Mio.
failure-list-members = Donnez au moins une adresse.
failure-list-full = Une liste a au plus 10 000 membres et 20 responsables.
failure-list-invited = Vous pouvez inviter { $most } adresses d’ailleurs par heure. Personne n’a été ajouté : donnez-en moins, ou revenez plus tard.
failure-unknown-post = Ce message n’attend plus : quelqu’un a déjà décidé.
try-list = Une liste de diffusion : son courrier va aux abonnés.
activity-list-create = a ajouté la liste { $subject }
activity-list-change = a modifié la liste { $subject }
activity-list-remove = a retiré la liste { $subject }
activity-list-members-put = a ajouté des membres à { $subject }
activity-list-member-remove = a retiré un membre de { $subject }
activity-list-member-leave = a quitté { $subject }
acts-about-lists = Listes de diffusion
