# Moments et tailles.
time-now = à l’instant
time-soon = dans un instant
time-minutes-ago = { $count ->
    [one] il y a 1 minute
   *[other] il y a { $count } minutes
}
time-hours-ago = { $count ->
    [one] il y a 1 heure
   *[other] il y a { $count } heures
}
time-days-ago = { $count ->
    [one] il y a 1 jour
   *[other] il y a { $count } jours
}
time-months-ago = { $count ->
    [one] il y a 1 mois
   *[other] il y a { $count } mois
}
time-years-ago = { $count ->
    [one] il y a 1 an
   *[other] il y a { $count } ans
}
time-in-minutes = { $count ->
    [one] dans 1 minute
   *[other] dans { $count } minutes
}
time-in-hours = { $count ->
    [one] dans 1 heure
   *[other] dans { $count } heures
}
time-in-days = { $count ->
    [one] dans 1 jour
   *[other] dans { $count } jours
}
time-in-months = { $count ->
    [one] dans 1 mois
   *[other] dans { $count } mois
}
time-in-years = { $count ->
    [one] dans 1 an
   *[other] dans { $count } ans
}
size-octets = { $number ->
    [0] 0 octet
    [1] 1 octet
   *[other] { $number } octets
}
size-kb = { $number } ko
size-mb = { $number } Mo
size-gb = { $number } Go
size-tb = { $number } To
size-pb = { $number } Po
span-seconds = { $count ->
    [one] { $count } seconde
   *[other] { $count } secondes
}
span-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
span-hours = { $count ->
    [one] { $count } heure
   *[other] { $count } heures
}
span-days = { $count ->
    [one] { $count } jour
   *[other] { $count } jours
}
chart-numbers = Les chiffres
