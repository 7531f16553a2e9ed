# Words of several pages.
about = About
added-at = Added
address = Address
back = Back
change = Change
choose = Choose
choose-all = Choose all
optional = optional
password = Password
person = Person
purged-at = Gone for good
removed-at = Removed
restore = Restore
saved = Saved.
shown-once = This is shown once only
state = State
storage = Storage
used-at = Last used
why = Why
list-all = Show all
list-back = Back to the list
list-domain-any = All domains
list-here = In use
list-nothing = Nothing matches
list-nothing-why = Try fewer letters, or take a filter away.
list-removed = Recently removed
list-search = Search
limit-none = no limit
quota-help = Such as 5 GB or 500 MB. Empty: no limit.
typed-size = “{ $text }” is not a size. A size looks like 5 GB, 2.5 GB or 500 MB.
typed-number = “{ $text }” is not a whole number.
count-folders = { $count ->
    [one] { $count } folder
   *[other] { $count } folders
}
count-messages = { $count ->
    [one] { $count } message
   *[other] { $count } messages
}
