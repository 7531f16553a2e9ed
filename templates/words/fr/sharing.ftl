# Avec qui les boîtes sont partagées.
share-nobody = Personne ne s’appelle { $name } ici. Écrivez une adresse, @ et un domaine pour toutes ses personnes, ou « anyone » pour toute la maison.
share-owner = Le propriétaire d’une boîte garde tous les droits.
share-rights = Les droits sont les lettres lrswipkxtea ; { $rights } en contient une autre.
share-too-many = Cette boîte est partagée avec autant de personnes que possible. Partagez-la plutôt avec un domaine.
share-negative = Les droits ne peuvent qu’être donnés. Donnez-en moins au lieu d’en retirer.
