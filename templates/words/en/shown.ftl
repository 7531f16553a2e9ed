# Times and sizes.
time-now = just now
time-soon = in a moment
time-minutes-ago = { $count ->
    [one] 1 minute ago
   *[other] { $count } minutes ago
}
time-hours-ago = { $count ->
    [one] 1 hour ago
   *[other] { $count } hours ago
}
time-days-ago = { $count ->
    [one] 1 day ago
   *[other] { $count } days ago
}
time-months-ago = { $count ->
    [one] 1 month ago
   *[other] { $count } months ago
}
time-years-ago = { $count ->
    [one] 1 year ago
   *[other] { $count } years ago
}
time-in-minutes = { $count ->
    [one] in 1 minute
   *[other] in { $count } minutes
}
time-in-hours = { $count ->
    [one] in 1 hour
   *[other] in { $count } hours
}
time-in-days = { $count ->
    [one] in 1 day
   *[other] in { $count } days
}
time-in-months = { $count ->
    [one] in 1 month
   *[other] in { $count } months
}
time-in-years = { $count ->
    [one] in 1 year
   *[other] in { $count } years
}
size-octets = { $number ->
    [1] 1 byte
   *[other] { $number } bytes
}
size-kb = { $number } kB
size-mb = { $number } MB
size-gb = { $number } GB
size-tb = { $number } TB
size-pb = { $number } PB
span-seconds = { $count ->
    [one] 1 second
   *[other] { $count } seconds
}
span-minutes = { $count ->
    [one] 1 minute
   *[other] { $count } minutes
}
span-hours = { $count ->
    [one] 1 hour
   *[other] { $count } hours
}
span-days = { $count ->
    [one] 1 day
   *[other] { $count } days
}
chart-numbers = The numbers
