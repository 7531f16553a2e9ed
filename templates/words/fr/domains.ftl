# Domaines : pourquoi quelque chose n'a pas été fait.
failure-domain-form = « { $text } » n’est pas un domaine. Un domaine ressemble à example.org.
failure-domain-removed = { $domain } a été retiré il y a peu et est gardé quelque temps. Restaurez-le, ou ajoutez-le quand il aura disparu pour de bon.
failure-too-many-other-names = Un domaine a { $most } autres noms au plus.
