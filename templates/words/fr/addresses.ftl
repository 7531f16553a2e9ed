# Adresses : pourquoi quelque chose n'a pas été fait.
failure-address-form = « { $text } » n’est pas une adresse. Une adresse ressemble à ann@example.org.
failure-address-length = « { $text } » n’est pas une adresse : ce qui précède le @ a de 1 à 64 octets.
failure-address-domain = « { $text } » n’est pas une adresse : ce qui suit le @ n’est pas un domaine. Une adresse ressemble à ann@example.org.
failure-targets = Un alias mène à 1 à { $most } adresses.
failure-alias-senders = Nommez de 1 à { $most } personnes qui peuvent écrire en son nom.
failure-alias-ended = C’est dans le passé : il ne recevrait rien.
failure-alias-ended-text = N’employez que des lettres simples, sans accents : les serveurs de courrier n’en transmettent pas d’autres.
failure-alias-expression = Ce n’est pas une expression régulière : { $why }
failure-too-many-patterns = Le domaine a { $most } jokers et expressions régulières, et ne peut en avoir plus.
failure-alias-loop = Cela tournerait en rond, et le courrier n’atteindrait personne : { $way }.
