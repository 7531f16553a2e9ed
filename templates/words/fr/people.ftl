# Personnes : pourquoi quelque chose n'a pas été fait.
failure-address-removed = { $address } appartenait à quelqu’un qui a été retiré il y a peu, et est gardée quelque temps. Restaurez cette personne, ou choisissez une autre adresse.
failure-too-many-people = Le domaine a autant de personnes que permis : { $most }. Demandez-en plus à un propriétaire de cette maison.
failure-last-owner = La maison resterait sans propriétaire qui puisse se connecter. Nommez d’abord un autre propriétaire.
failure-role-above = Vous ne pouvez pas donner un rôle au-dessus du vôtre.
failure-person-above = Cette personne a plus de droits que vous : seul quelqu’un qui en a autant peut la modifier.
failure-role-without-domains = L’assistance et les administrateurs de domaine servent des domaines : choisissez-en un au moins.
failure-suspend-self = Vous ne pouvez pas vous suspendre : vous seriez enfermé dehors. Demandez à quelqu’un d’autre de le faire.
failure-remove-self = Vous ne pouvez pas vous retirer : vous seriez enfermé dehors. Demandez à quelqu’un d’autre de le faire.
failure-no-choice = « { $text } » n’est pas un choix ici. Choisissez parmi : { $choices }.
failure-text-long = Le texte est trop long : { $most } octets au plus.
failure-number-large = Le nombre est trop grand : { $most } au plus.
failure-text-control = Le texte contient un caractère qui ne peut être montré, comme un saut de ligne ou une tabulation.
failure-csv-columns = La première ligne doit nommer les colonnes : address, puis au choix name, password, hash, quota.
failure-csv-long = Le fichier a trop de lignes : { $most } personnes au plus à la fois. Importez le reste dans un autre fichier.
failure-csv-line = Cette ligne ne peut être lue : il lui faut autant de champs que la première a de colonnes, et un quota est un nombre d’octets.
failure-csv-hash = L’empreinte est d’une sorte inconnue ici.
failure-csv-both = Il y a un mot de passe et une empreinte. Un seul des deux, s’il vous plaît.
