# People: why something was not done.
failure-address-removed = { $address } belonged to someone who was removed not long ago, and is kept for a while. Restore them, or choose another address.
failure-too-many-people = The domain has as many people as it may: { $most }. Ask an owner of this house for more.
failure-last-owner = This would leave the house without an owner who can sign in. Make someone else an owner first.
failure-role-above = You cannot give a role above your own.
failure-person-above = This person may more than you: only someone with as much can change them.
failure-role-without-domains = Help desk and domain admins serve domains: choose one at least.
failure-suspend-self = You cannot suspend yourself: you would be locked out. Ask someone else to do it.
failure-remove-self = You cannot remove yourself: you would be locked out. Ask someone else to do it.
failure-no-choice = “{ $text }” is no choice here. Choose one of these: { $choices }.
failure-text-long = The text is too long: { $most } bytes at most.
failure-number-large = The number is too large: { $most } at most.
failure-text-control = The text holds a character that cannot be shown, such as a line break or a tab.
failure-csv-columns = The first line must name the columns: address, and any of name, password, hash, quota.
failure-csv-long = The file has too many lines: { $most } people at most at once. Import the rest in another file.
failure-csv-line = This line cannot be read: it needs as many fields as the first line has columns, and a quota is a number of bytes.
failure-csv-hash = The hash is of a kind that is not known here.
failure-csv-both = There is a password and a hash. Only one of them, please.
