# Numbers of things.
count-people = { $count ->
    [one] 1 person
   *[other] { $count } people
}
