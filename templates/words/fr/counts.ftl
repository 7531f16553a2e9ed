# Des nombres de choses.
count-people = { $count ->
    [one] { $count } personne
   *[other] { $count } personnes
}
