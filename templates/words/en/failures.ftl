# Why something was not done, with what to do.
failure-domain-taken = { $domain } is already here.
failure-address-taken = { $address } is already here, as a person, an alias or a mailing list. Choose another address.
failure-domain-not-empty = The domain still has people ({ $accounts }) and aliases ({ $aliases }): remove those first.
failure-unknown-domain = The domain { $domain } is not here.
failure-unknown-address = { $address } is not here.
failure-unfit = That does not do: { $why }.
failure-forbidden = Your role does not allow this. Ask an owner of this house.
failure-stale = Someone changed this after you opened it. Look at what is there now, then try again.
failure-unproven = This is too important for a session that has been open for a while: say again who you are.
failure-too-many = Too many attempts. Try again in { $minutes ->
    [one] a minute
   *[other] { $minutes } minutes
}.
failure-failed = The server could not do this now. Nothing was changed; try again, and look at the log if it goes on.
failure-bad-address = “{ $text }” is not an address: { $why }. An address looks like ann@example.org.
failure-bad-domain = “{ $text }” is not a domain: { $why }. A domain looks like example.org.
