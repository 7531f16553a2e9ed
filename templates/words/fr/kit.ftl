# Le cadre de chaque page, et les pages qui disent ce qui n'a pas marché.
nav-mail = Courrier
nav-house = Maison
nav-you = Vous
nav-overview = Vue d’ensemble
nav-domains = Domaines
nav-dns = DNS
nav-people = Personnes
nav-addresses = Adresses
nav-queue = File d’attente
nav-messages = Messages
nav-security = Sécurité
nav-certificates = Certificats
nav-activity = Activité
nav-keys = Clés d’API
nav-webhooks = Webhooks
nav-settings = Réglages
nav-system = Système
nav-webmail = Messagerie
nav-account = Mon compte
role-user = Utilisateur
role-help-desk = Assistance
role-domain-admin = Admin de domaine
role-owner = Propriétaire
error-absent = Introuvable
error-forbidden = Pas permis
error-stale = Modifié entre-temps
error-too-many = Trop d’essais
error-unfit = Ce n’a pas été compris
error-failed = Quelque chose n’a pas marché ici
error-no-page = Cette page n’existe pas. Elle a peut-être été déplacée, ou l’adresse est mal écrite.
error-home = Retour au début
form-kind = Le navigateur a envoyé le formulaire d’une façon que ce serveur ne lit pas.
form-too-large = Le formulaire est trop grand.
form-unreadable = Le formulaire n’a pas pu être lu : il en manque une partie. Revenez en arrière, rechargez la page et réessayez.
form-not-ours = Ce formulaire n’est plus à jour : vous vous êtes connecté ou déconnecté depuis l’ouverture de la page. Revenez en arrière, rechargez la page et réessayez.
list-shown = { $count ->
    [one] { $count } entrée sur cette page
   *[other] { $count } entrées sur cette page
}
list-first = Première page
list-next = Page suivante
list-pages = Pages de la liste
