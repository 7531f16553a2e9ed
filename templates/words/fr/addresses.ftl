# Adresses : pourquoi quelque chose n'a pas été fait.
failure-address-form = « { $text } » n’est pas une adresse. Une adresse ressemble à ann@example.org.
failure-address-length = « { $text } » n’est pas une adresse : ce qui précède le @ a de 1 à 64 octets.
failure-address-domain = « { $text } » n’est pas une adresse : ce qui suit le @ n’est pas un domaine. Une adresse ressemble à ann@example.org.
failure-targets = Un alias mène à 1 à { $most } adresses.
failure-alias-loop = Cela tournerait en rond, et le courrier n’atteindrait personne : { $way }.
